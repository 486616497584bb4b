// Types, bytes and a printer for the tests of what is printed.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/object/histogram.h"
#include "runtime/object/unwind.h"
#include "runtime/print/map_printer.h"
#include "runtime/print/output.h"
#include "runtime/print/value_printer.h"

namespace awl::runtime {

using object::Field;
using object::ValueKind;
using object::ValueType;

using Bytes = std::vector<uint8_t>;

inline ValueType type_of(ValueKind kind, uint32_t size, bool is_signed = false) {
  ValueType type;
  type.kind = kind;
  type.size = size;
  type.is_signed = is_signed;
  return type;
}
inline ValueType integer(uint32_t size, bool is_signed = true) {
  return type_of(ValueKind::kInteger, size, is_signed);
}
inline ValueType string(uint32_t size) { return type_of(ValueKind::kString, size); }

template <class T>
inline void put(Bytes &bytes, T value) {
  const size_t start = bytes.size();
  bytes.resize(start + sizeof value);
  std::memcpy(bytes.data() + start, &value, sizeof value);
}
inline void put_text(Bytes &bytes, std::string_view text, size_t size) {
  size_t start = bytes.size();
  bytes.resize(start + size);
  std::memcpy(bytes.data() + start, text.data(), std::min(text.size(), size));
}

// Fields one behind the other, without padding.
inline ValueType composite(ValueKind kind, std::vector<std::pair<std::string, ValueType>> members) {
  ValueType type = type_of(kind, 0);
  for (auto &[name, member] : members) {
    Field field;
    field.name = name;
    field.offset = type.size;
    type.size += member.size;
    field.type = {std::move(member)};
    type.fields.push_back(std::move(field));
  }
  return type;
}
inline ValueType tuple(std::vector<ValueType> members) {
  std::vector<std::pair<std::string, ValueType>> named;
  for (ValueType &member : members) named.push_back({"", std::move(member)});
  return composite(ValueKind::kTuple, std::move(named));
}

class FakeStacks : public StackSource {
 public:
  bool read(const std::string &elf_name, uint32_t id, Bytes &value) override {
    if (id != 7) return false;
    asked = elf_name;
    value.clear();
    for (uint64_t frame : {uint64_t{0x1000}, uint64_t{0}, uint64_t{0x2000}, uint64_t{0}}) {
      put(value, frame);
    }
    return true;
  }
  bool read_unwound(const std::string &elf_name, uint64_t id, Bytes &value) override {
    if (id != 0x900000007) return false;
    asked = elf_name;
    value.clear();
    for (uint64_t frame : {uint64_t{0x1000}, object::kUnwindFailure}) put(value, frame);
    return true;
  }
  std::string asked;
};

struct Printed {
  FakeStacks stacks;
  std::vector<ProbeTarget> probes = {{"uprobe:/bin/sh:main"}, {"begin"}};
  PrintContext context;
  Printed() {
    context.stacks = &stacks;
    context.probes = &probes;
  }
  std::string text(const ValueType &type, const Bytes &bytes) const {
    std::string out;
    ValuePrinter(context).text(type, bytes.data(), out);
    return out;
  }
  std::string json(const ValueType &type, const Bytes &bytes) const {
    std::string out;
    ValuePrinter(context).json(type, bytes.data(), out);
    return out;
  }
  std::string key(const ValueType &type, const Bytes &bytes) const {
    std::string out;
    ValuePrinter(context).key(type, bytes.data(), out);
    return out;
  }
  std::string json_key(const ValueType &type, const Bytes &bytes) const {
    std::string out;
    ValuePrinter(context).json_key(type, bytes.data(), out);
    return out;
  }
};

template <class T>
inline Bytes bytes_of(T value) {
  Bytes bytes;
  put(bytes, value);
  return bytes;
}

inline ValueType hist_type(int64_t bits) {
  ValueType type = type_of(ValueKind::kHist, object::hist_bucket_count(bits) * 8);
  type.bits = bits;
  type.count = object::hist_bucket_count(bits);
  return type;
}

inline Bytes hist_of(const ValueType &type, const std::vector<int64_t> &values) {
  std::vector<uint64_t> buckets(type.count);
  for (int64_t value : values) {
    ++buckets[type.kind == ValueKind::kHist
                  ? object::hist_bucket(value, type.bits)
                  : object::lhist_bucket(value, type.min, type.max, type.step)];
  }
  Bytes bytes;
  for (uint64_t bucket : buckets) put(bytes, bucket);
  return bytes;
}

class Printer {
 public:
  explicit Printer(OutputFormat format = OutputFormat::kText) {
    EXPECT_EQ(pipe(ends_), 0);
    writer_ = std::make_unique<Writer>(ends_[1], ends_[1], Buffering::kFull);
    output_ = Output::create(format, *writer_, description);
    maps_ = std::make_unique<MapPrinter>(*output_, printed.context);
  }
  ~Printer() {
    writer_->buffer().clear();
    writer_.reset();
    close(ends_[0]);
    close(ends_[1]);
  }
  MapPrinter &maps() { return *maps_; }
  Output &output() { return *output_; }
  std::string take() { return std::exchange(writer_->buffer(), {}); }
  // What was written to the descriptors: both go into the pipe.
  std::string written() {
    std::string text(65536, '\0');
    ssize_t size = read(ends_[0], text.data(), text.size());
    text.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return text;
  }

  Printed printed;
  object::Description description;

 private:
  int ends_[2];
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Output> output_;
  std::unique_ptr<MapPrinter> maps_;
};

}  // namespace awl::runtime
