// A printf format compiled against the arguments of its event: what runs for every record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/object/format_string.h"
#include "runtime/object/value_type.h"
#include "runtime/print/value_printer.h"

namespace awl::runtime {

class FormatPrinter {
 public:
  // Takes `arguments` in order; they must outlive it. An error when they do not fit the format.
  static Result<FormatPrinter> compile(const std::string &format,
                                       const std::vector<object::Field> &arguments);

  // Appends the formatted text of a record that starts at `record`.
  void print(const ValuePrinter &values, const uint8_t *record, std::string &out) const;

 private:
  enum class Operation : uint8_t { kNone, kDecimal, kInteger, kCharacter, kString, kText, kBuffer, kFlags };
  struct Step {
    std::string literal;  // comes first
    Operation operation = Operation::kNone;
    object::FormatConversion conversion;
    uint32_t bits = 64;  // kDecimal, kInteger: of the value that are printed
    const object::Field *argument = nullptr;
  };

  static Result<Operation> choose(const object::FormatConversion &conversion,
                                  const object::Field &argument);
  static void run(const Step &step, const ValuePrinter &values, const uint8_t *record,
                  std::string &out);

  std::vector<Step> steps_;
};

}  // namespace awl::runtime
