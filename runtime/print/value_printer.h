// Turns values in memory into text or JSON, by their ValueType.
//
// PrintContext is what values need beyond their bytes: symbols, stacks, names of probes, clocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/object/description.h"
#include "runtime/object/value_type.h"
#include "runtime/symbols/source_finder.h"
#include "runtime/symbols/symbols.h"

namespace awl::runtime {

// Frames of a stack by its id; build_id stacks give `struct bpf_stack_build_id`s.
class StackSource {
 public:
  virtual ~StackSource() = default;
  // Reads the value of stack `id` in map `elf_name`; false: none.
  virtual bool read(const std::string &elf_name, uint32_t id, std::vector<uint8_t> &value) = 0;
  // The same of dw_ustack, whose keys have 8 bytes.
  virtual bool read_unwound(const std::string &elf_name, uint64_t id,
                            std::vector<uint8_t> &value) = 0;
};

// A target that is attached, by probe id.
struct ProbeTarget {
  std::string name;  // "uprobe:/bin/bash:readline"
};

struct PrintContext {
  Symbols *symbols = nullptr;
  StackSource *stacks = nullptr;
  const std::vector<ProbeTarget> *probes = nullptr;
  SourceFinder *sources = nullptr;  // null: stacks show no lines of source
  std::string truncation_trailer = "..";
  // CLOCK_REALTIME - CLOCK_BOOTTIME in ns, for timestamps.
  int64_t realtime_offset_ns = 0;
  bool no_warnings = false;  // warnf() says nothing
};

class ValuePrinter {
 public:
  explicit ValuePrinter(const PrintContext &context) : context_(context) {}

  // Bytes that a value of this type takes are at `data`. Appends to `out`.
  void text(const object::ValueType &type, const uint8_t *data, std::string &out) const;
  void json(const object::ValueType &type, const uint8_t *data, std::string &out) const;
  // As part of a map's title, where strings stand bare: "@[a, 1]".
  void key(const object::ValueType &type, const uint8_t *data, std::string &out) const;
  // As a property name in JSON, unescaped: "a,1".
  void json_key(const object::ValueType &type, const uint8_t *data, std::string &out) const;

  const PrintContext &context() const { return context_; }

 private:
  enum class Style { kText, kKey, kJsonKey };
  void text(const object::ValueType &type, const uint8_t *data, std::string &out, Style style,
            bool is_outermost) const;
  void fields(const object::ValueType &type, const uint8_t *data, std::string &out, Style style,
              bool is_outermost) const;
  void array(const object::ValueType &type, const uint8_t *data, std::string &out,
             Style style) const;
  void field_text(const object::Field &field, const uint8_t *data, std::string &out,
                  Style style) const;
  void named(const object::ValueType &type, const uint8_t *data, std::string &out,
             Style style) const;
  void stack(const object::ValueType &type, const uint8_t *data, std::string &out,
             Style style) const;
  void probe(const object::ValueType &type, const uint8_t *data, std::string &out) const;
  void json_field(const object::Field &field, const uint8_t *data, std::string &out) const;
  void json_fields(const object::ValueType &type, const uint8_t *data, std::string &out) const;
  const PrintContext &context_;
};

// The integer at `data`: `size` 1, 2, 4 or 8.
int64_t load_integer(const uint8_t *data, uint32_t size, bool is_signed);
// The same of a field, which may be a bitfield; `data` is where its struct begins.
int64_t load_field(const object::Field &field, const uint8_t *data);
// The characters of a kString, without the trailer.
std::string_view load_string(const object::ValueType &type, const uint8_t *data);
// The bytes of a kBuffer.
std::string_view load_buffer(const object::ValueType &type, const uint8_t *data);
// strftime(3) of a time in ns since 1970, with %f for microseconds.
void append_time(std::string &out, const std::string &format, int64_t realtime_ns);

}  // namespace awl::runtime
