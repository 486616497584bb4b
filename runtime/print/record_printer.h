// Prints the records of the output ring: printf, errorf, warnf, print(value), join, time, cat,
// system. Formats are compiled once per event; per record nothing is allocated.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/object/description.h"
#include "runtime/print/output.h"
#include "runtime/print/value_printer.h"

namespace awl::runtime {

class RecordPrinter {
 public:
  // What cat() and system() do, done by the caller (tests, and so that this part starts no
  // processes): they return the text to be printed.
  using Command = std::function<std::string(const std::string &)>;

  // `description`, `output` and `context` must outlive it. Fails when an event's format and
  // arguments do not fit together.
  static Result<std::unique_ptr<RecordPrinter>> create(const object::Description &description,
                                                       Output &output, const PrintContext &context);
  ~RecordPrinter();

  // A record as it lies in the ring, RecordHeader first. False: it is not a valid output record.
  bool print(const uint8_t *record, size_t size);

  void set_cat(Command command);     // default: reads the file, up to max_cat_bytes
  void set_system(Command command);  // default: runs it with sh -c, its standard output captured

 private:
  RecordPrinter();
  struct State;
  std::unique_ptr<State> s_;
};

}  // namespace awl::runtime
