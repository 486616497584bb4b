// Prints maps: print(@m), print(@m, top, div), and all of them at exit.
//
// Sorted, always the same way: counts and other numbers by value, ascending, ties and all others
// by key. `top` keeps the largest: by value, average or, for histograms, how many samples.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/object/description.h"
#include "runtime/print/map_reader.h"
#include "runtime/print/output.h"
#include "runtime/print/value_printer.h"

namespace awl::runtime {

class MapPrinter {
 public:
  MapPrinter(Output &output, const PrintContext &context) : output_(output), values_(context) {}

  // `top` 0: all; `div` 0 or 1: values as they are. A scalar that is not set prints as zero.
  void print(const object::Map &map, const MapSnapshot &snapshot, uint64_t top = 0,
             uint64_t div = 0);
  // At exit, where a scalar that is not set does not appear.
  void print_final(const object::Map &map, const MapSnapshot &snapshot);

 private:
  void print_text(const object::Map &map, const MapSnapshot &snapshot,
                  const std::vector<size_t> &order, uint64_t div);
  void print_json(const object::Map &map, const MapSnapshot &snapshot,
                  const std::vector<size_t> &order, uint64_t div);

  Output &output_;
  ValuePrinter values_;
};

// The order in which entries are printed, `top` applied. Keys whose bytes mean nothing to people
// (a stack is a number in a table) are compared as they print.
std::vector<size_t> sort_entries(const object::Map &map, const MapSnapshot &snapshot, uint64_t top,
                                 const ValuePrinter &values);

}  // namespace awl::runtime
