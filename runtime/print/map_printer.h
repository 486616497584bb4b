// Prints maps: print(@m), print(@m, top, div), and all of them at exit.
//
// Sorted, always the same way: counts and other integers by value, ascending, ties and all others
// by key. `top` keeps the largest.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/object/description.h"
#include "runtime/print/map_reader.h"
#include "runtime/print/output.h"
#include "runtime/print/value_printer.h"

namespace awl::runtime {

class MapPrinter {
 public:
  MapPrinter(Output &output, const PrintContext &context) : output_(output), values_(context) {}

  // `top` 0: all; `div` 0 or 1: values as they are. Sorts the snapshot's entries.
  void print(const object::Map &map, const MapSnapshot &snapshot, uint64_t top = 0,
             uint64_t div = 0);

 private:
  Output &output_;
  ValuePrinter values_;
};

}  // namespace awl::runtime
