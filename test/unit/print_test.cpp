// What values, maps, histograms and records look like, in text and JSON. The expectations are what
// the peer printed for the same values, but for the order of maps and the differences that
// docs/coming-from-bpftrace.md lists.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "runtime/object/histogram.h"
#include "runtime/object/unwind.h"
#include "runtime/print/command.h"
#include "runtime/print/format_printer.h"
#include "runtime/print/histogram_printer.h"
#include "runtime/print/json.h"
#include "runtime/print/map_printer.h"
#include "runtime/print/record_printer.h"

namespace awl::runtime {
namespace {

using object::Field;
using object::ValueKind;
using object::ValueType;

using Bytes = std::vector<uint8_t>;

ValueType type_of(ValueKind kind, uint32_t size, bool is_signed = false) {
  ValueType type;
  type.kind = kind;
  type.size = size;
  type.is_signed = is_signed;
  return type;
}
ValueType integer(uint32_t size, bool is_signed = true) {
  return type_of(ValueKind::kInteger, size, is_signed);
}
ValueType string(uint32_t size) { return type_of(ValueKind::kString, size); }

template <class T>
void put(Bytes &bytes, T value) {
  const auto *data = reinterpret_cast<const uint8_t *>(&value);
  bytes.insert(bytes.end(), data, data + sizeof value);
}
void put_text(Bytes &bytes, std::string_view text, size_t size) {
  size_t start = bytes.size();
  bytes.resize(start + size);
  std::memcpy(bytes.data() + start, text.data(), std::min(text.size(), size));
}

// Fields one behind the other, without padding.
ValueType composite(ValueKind kind, std::vector<std::pair<std::string, ValueType>> members) {
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
ValueType tuple(std::vector<ValueType> members) {
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
  std::vector<ProbeTarget> probes = {{"uprobe:/bin/sh:main", "/bin/sh"}, {"begin", ""}};
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
Bytes bytes_of(T value) {
  Bytes bytes;
  put(bytes, value);
  return bytes;
}

TEST(ValuePrinter, Integers) {
  Printed p;
  EXPECT_EQ(p.text(integer(8), bytes_of<int64_t>(-1)), "-1");
  EXPECT_EQ(p.text(integer(8, false), bytes_of<int64_t>(-1)), "18446744073709551615");
  EXPECT_EQ(p.text(integer(1), bytes_of<int8_t>(-2)), "-2");
  EXPECT_EQ(p.text(integer(1, false), bytes_of<uint8_t>(200)), "200");
  EXPECT_EQ(p.text(integer(2), bytes_of<int16_t>(-3)), "-3");
  EXPECT_EQ(p.text(integer(4, false), bytes_of<uint32_t>(~0u)), "4294967295");
  EXPECT_EQ(p.text(type_of(ValueKind::kBool, 1), bytes_of<uint8_t>(1)), "true");
  EXPECT_EQ(p.text(type_of(ValueKind::kPointer, 8), bytes_of<uint64_t>(0)), "0x0");
  EXPECT_EQ(p.json(type_of(ValueKind::kPointer, 8), bytes_of<uint64_t>(0xffffffff81000000)),
            "18446744071578845184");
}

TEST(ValuePrinter, JsonQuotesNumbersThatDoublesCannotHold) {
  Printed p;
  auto json = [&](int64_t value) { return p.json(integer(8), bytes_of(value)); };
  EXPECT_EQ(json(1), "1");
  EXPECT_EQ(json(INT64_MAX), "\"9223372036854775807\"");
  EXPECT_EQ(json(INT64_MAX - 1), "\"9223372036854775806\"");
  EXPECT_EQ(json(INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(json(9007199254740993), "\"9007199254740993\"");
  EXPECT_EQ(json(9007199254740992), "9007199254740992");
  EXPECT_EQ(p.json(integer(8, false), bytes_of<int64_t>(-1)), "\"18446744073709551615\"");
  EXPECT_EQ(p.json(integer(8, false), bytes_of<uint64_t>(0xf000000000000000)),
            "17293822569102704640");
}

TEST(ValuePrinter, Enums) {
  Printed p;
  ValueType type = type_of(ValueKind::kEnum, 4, false);
  type.enumerators = {{0, "A"}, {5, "B"}};
  EXPECT_EQ(p.text(type, bytes_of<uint32_t>(5)), "B");
  EXPECT_EQ(p.text(type, bytes_of<uint32_t>(77)), "77");
  EXPECT_EQ(p.json(type, bytes_of<uint32_t>(5)), "5");
  EXPECT_EQ(p.json_key(type, bytes_of<uint32_t>(5)), "B");
}

TEST(ValuePrinter, Strings) {
  Printed p;
  Bytes bytes;
  put_text(bytes, "abcdefgh", 8);
  EXPECT_EQ(p.text(string(8), bytes), "abcdefgh..");
  bytes[7] = 0;
  EXPECT_EQ(p.text(string(8), bytes), "abcdefg");
  bytes[0] = 0;
  EXPECT_EQ(p.text(string(8), bytes), "");
  EXPECT_EQ(p.json(string(8), bytes), "\"\"");
  bytes = {'q', '"', '\\', '\n', '\t', 1, 0x7f, 0};
  EXPECT_EQ(p.json(string(8), bytes), "\"q\\\"\\\\\\n\\t\\u0001\x7f\"");
  // Not as the peer, whose \uffffffc3 is no JSON.
  bytes = {0xc3, 0xa9, 0xff, 0};
  EXPECT_EQ(p.json(string(4), bytes), "\"\xc3\xa9\\u00ff\"");
}

TEST(ValuePrinter, Buffers) {
  Printed p;
  ValueType type = type_of(ValueKind::kBuffer, 12);
  Bytes bytes;
  put<uint32_t>(bytes, 7);
  put_text(bytes, "a\x01\"b\xff\\\n", 8);
  EXPECT_EQ(p.text(type, bytes), "a\\x01\"b\\xff\\\\x0a");
  EXPECT_EQ(p.json(type, bytes), "[97,1,34,98,-1,92,10]");
  // A length that is past the end is cut.
  bytes[0] = 255;
  EXPECT_EQ(p.text(type, bytes), "a\\x01\"b\\xff\\\\x0a\\x00");
}

TEST(ValuePrinter, Composites) {
  Printed p;
  ValueType inner = tuple({integer(8), string(2)});
  ValueType type = tuple({integer(8), inner, type_of(ValueKind::kBool, 1)});
  Bytes bytes;
  put<int64_t>(bytes, 1);
  put<int64_t>(bytes, 2);
  put_text(bytes, "x", 2);
  put<uint8_t>(bytes, 1);
  EXPECT_EQ(p.text(type, bytes), "(1, (2, x), true)");
  EXPECT_EQ(p.json(type, bytes), "[1,[2,\"x\"],true]");
  EXPECT_EQ(p.key(type, bytes), "1, (2, x), true");
  EXPECT_EQ(p.json_key(type, bytes), "1,(2,x),true");

  ValueType record = composite(ValueKind::kRecord, {{"a", integer(8)}, {"b", string(2)}});
  ValueType outer = composite(ValueKind::kRecord, {{"c", integer(8)}, {"d", record}});
  bytes.clear();
  put<int64_t>(bytes, 1);
  put<int64_t>(bytes, 2);
  put_text(bytes, "x", 2);
  EXPECT_EQ(p.text(outer, bytes), "{ .c = 1, .d = { .a = 2, .b = x } }");
  EXPECT_EQ(p.json(outer, bytes), "{\"c\": 1, \"d\": {\"a\": 2, \"b\": \"x\"}}");
  EXPECT_EQ(p.key(outer, bytes), "{ .c = 1, .d = { .a = 2, .b = x } }");
  EXPECT_EQ(p.json_key(outer, bytes), "{.c=1,.d={.a=2,.b=x}}");

  EXPECT_EQ(p.text(tuple({integer(8)}), bytes), "(1)");
  EXPECT_EQ(p.json(tuple({integer(8)}), bytes), "[1]");

  // Spaces of a string in a key stay, unlike the peer's.
  bytes.clear();
  put_text(bytes, "a b", 4);
  put<int64_t>(bytes, 1);
  EXPECT_EQ(p.json_key(tuple({string(4), integer(8)}), bytes), "a b,1");
}

TEST(ValuePrinter, Arrays) {
  Printed p;
  ValueType type = type_of(ValueKind::kArray, 12);
  type.count = 3;
  type.fields.push_back({.type = {integer(4)}});
  Bytes bytes;
  for (int32_t value : {1, -2, 3}) put(bytes, value);
  EXPECT_EQ(p.text(type, bytes), "[1,-2,3]");
  EXPECT_EQ(p.json(type, bytes), "[1,-2,3]");
}

TEST(ValuePrinter, BitfieldsKeepTheirSign) {
  Printed p;
  ValueType type = type_of(ValueKind::kStruct, 4);
  Field field;
  field.name = "s";
  field.bit_offset = 3;
  field.bit_size = 5;
  field.type = {integer(4)};
  type.fields.push_back(field);
  field.name = "u";
  field.bit_offset = 8;
  field.type = {integer(4, false)};
  type.fields.push_back(field);
  Bytes bytes = {0xf8, 0x1f, 0, 0};
  EXPECT_EQ(p.text(type, bytes), "{ .s = -1, .u = 31 }");
  EXPECT_EQ(p.json(type, bytes), "{\"s\": -1, \"u\": 31}");
}

TEST(ValuePrinter, Addresses) {
  Printed p;
  ValueType inet = type_of(ValueKind::kInet, 20);
  Bytes bytes;
  put<uint32_t>(bytes, 2);
  for (uint8_t byte : {127, 0, 0, 1}) bytes.push_back(byte);
  bytes.resize(20);
  EXPECT_EQ(p.text(inet, bytes), "127.0.0.1");
  EXPECT_EQ(p.json(inet, bytes), "\"127.0.0.1\"");
  bytes.assign(20, 0);
  bytes[0] = 10;
  bytes[19] = 1;
  EXPECT_EQ(p.text(inet, bytes), "::1");
  bytes[0] = 99;
  EXPECT_EQ(p.text(inet, bytes), "");
  EXPECT_EQ(p.text(type_of(ValueKind::kMacAddress, 6), {0, 0x1a, 0xff, 3, 4, 5}),
            "00:1A:FF:03:04:05");
}

TEST(ValuePrinter, Names) {
  Printed p;
  auto named = [&](ValueKind kind, int64_t value) {
    return p.text(type_of(kind, 8), bytes_of(value));
  };
  EXPECT_EQ(named(ValueKind::kProbeName, 0), "uprobe:/bin/sh:main");
  EXPECT_EQ(named(ValueKind::kProbeType, 0), "uprobe");
  EXPECT_EQ(named(ValueKind::kProbeType, 1), "special");
  EXPECT_EQ(named(ValueKind::kProbeName, 2), "");
  EXPECT_EQ(named(ValueKind::kErrorName, 2), "No such file or directory");
  EXPECT_EQ(named(ValueKind::kErrorName, 9999), "Unknown error");
  EXPECT_EQ(named(ValueKind::kErrorName, 0), "Success");
  EXPECT_EQ(named(ValueKind::kErrorName, -1), "Operation not permitted");
  EXPECT_EQ(named(ValueKind::kSignalName, 9), "Killed");
  EXPECT_EQ(named(ValueKind::kSignalName, 0), "Unknown signal 0");
  EXPECT_EQ(named(ValueKind::kSignalName, 32), "Unknown signal 32");
  EXPECT_EQ(named(ValueKind::kSignalName, 40), "Real-time signal 6");
  EXPECT_EQ(named(ValueKind::kSignalName, 65), "N/A");
  EXPECT_EQ(named(ValueKind::kSyscallName, 9999), "Unknown syscall");
}

TEST(ValuePrinter, Stacks) {
  Printed p;
  ValueType type = type_of(ValueKind::kUserStack, 16);
  type.stack_limit = 127;
  type.stack_mode = "bpftrace";
  Bytes bytes;
  put<int32_t>(bytes, 7);
  put<uint32_t>(bytes, 1);
  put<uint64_t>(bytes, UINT32_MAX);
  EXPECT_EQ(p.text(type, bytes), "\n        0x1000\n        0\n        0x2000\n");
  EXPECT_EQ(p.stacks.asked, "awl_ustacks_127");
  EXPECT_EQ(p.key(type, bytes), "\n        0x1000\n        0\n        0x2000\n");
  EXPECT_EQ(p.json_key(type, bytes), "\n0x1000\n0\n0x2000\n");
  type.stack_mode = "perf";
  EXPECT_EQ(p.text(type, bytes),
            "\n\t1000 0x1000 ([unknown])\n\t0 0 ([unknown])\n\t2000 0x2000 ([unknown])\n");
  type.stack_mode = "raw";
  EXPECT_EQ(p.text(type, bytes), "\n1000\n0\n2000\n");
  type.stack_limit = 1;
  EXPECT_EQ(p.text(type, bytes), "\n1000\n");
  bytes[3] = 0x80;  // a negative id: no stack
  EXPECT_EQ(p.text(type, bytes), "\n");
  ValueType kernel = type_of(ValueKind::kKernelStack, 8);
  kernel.stack_limit = 3;
  kernel.stack_mode = "perf";
  Bytes id;
  put<uint64_t>(id, 7);
  EXPECT_EQ(p.text(kernel, id), "\n\t1000 0x1000\n\t0 0\n\t2000 0x2000\n");
}

TEST(ValuePrinter, UnwoundStacks) {
  Printed p;
  ValueType type = type_of(ValueKind::kUserStack, 16);
  type.stack_limit = 2;
  type.is_unwound = true;
  Bytes bytes;
  put<int32_t>(bytes, 7);
  put<uint32_t>(bytes, 1);
  put<uint32_t>(bytes, UINT32_MAX);
  put<uint32_t>(bytes, 9);
  for (const auto &[mode, text] :
       {std::pair("bpftrace", "\n        0x1000\n        <unwind failure>\n"),
        std::pair("perf", "\n\t1000 0x1000 ([unknown])\n        <unwind failure>\n"),
        std::pair("raw", "\n1000\n        <unwind failure>\n"),
        std::pair("build_id", "\n1000\n        <unwind failure>\n")}) {
    type.stack_mode = mode;
    EXPECT_EQ(p.text(type, bytes), text);
    EXPECT_EQ(p.stacks.asked, "awl_dstacks_2");
  }
}

TEST(ValuePrinter, Times) {
  std::string out;
  setenv("TZ", "UTC", 1);
  tzset();
  append_time(out, "%Y-%m-%d %H:%M:%S.%f %%f", 1'700'000'000'123'456'789);
  EXPECT_EQ(out, "2023-11-14 22:13:20.123456 %f");
}

// ---- printf

class Format {
 public:
  explicit Format(std::string format) : format_(std::move(format)) { record_.resize(8); }
  Format &add(ValueType type, const Bytes &bytes) {
    Field field;
    field.offset = static_cast<uint32_t>(record_.size());
    field.type = {std::move(type)};
    arguments_.push_back(std::move(field));
    record_.insert(record_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Format &number(int64_t value) { return add(integer(8), bytes_of(value)); }
  Format &text(std::string_view text) {
    Bytes bytes;
    put_text(bytes, text, text.size() + 1);
    return add(string(static_cast<uint32_t>(text.size() + 1)), bytes);
  }
  std::string print() {
    auto printer = FormatPrinter::compile(format_, arguments_);
    if (!printer) return "error: " + printer.error().message;
    std::string out;
    Printed context;
    printer->print(ValuePrinter(context.context), record_.data(), out);
    return out;
  }

 private:
  std::string format_;
  std::vector<Field> arguments_;
  Bytes record_;
};

std::string format(const std::string &text, std::vector<int64_t> numbers) {
  Format out(text);
  for (int64_t number : numbers) out.number(number);
  return out.print();
}

TEST(Printf, Integers) {
  EXPECT_EQ(
      format("%d %i %u %x %X %o %c %p %ld %lld %lx %llx %hd %hhd %hx %hhx %zd %jd",
             {1, -2, -3, 255, 255, 8, 65, 0x1234, 1, -1, -1, -1, 70000, 300, 70000, 300, 5, 6}),
      "1 -2 4294967293 ff FF 10 A 0x1234 1 -1 ffffffffffffffff ffffffffffffffff 4464 44 1170 "
      "2c 5 6");
  EXPECT_EQ(format("%5d|%-5d|%05d|%+d|%#x|%#o|%-8x|%20p|%c|%5c|%-5c|",
                   {1, 2, 3, 4, 255, 8, 255, 16, 66, 67, 68}),
            "    1|2    |00003|+4|0xff|010|ff      |                0x10|B|    C|D    |");
  EXPECT_EQ(format("%hhd %hd %d %ld", {511, 70000, 5000000000, 5000000000}),
            "-1 4464 705032704 5000000000");
  EXPECT_EQ(format("%hhu %hu %u %lu", {-1, -1, -1, -1}),
            "255 65535 4294967295 18446744073709551615");
  EXPECT_EQ(format("%ho %lo %hhx", {-1, -1, -1}), "177777 1777777777777777777777 ff");
  EXPECT_EQ(format("%ju %zu %tu %td %jx %zX", {-1, -1, -1, -1, -1, -1}),
            "18446744073709551615 18446744073709551615 18446744073709551615 -1 ffffffffffffffff "
            "FFFFFFFFFFFFFFFF");
  EXPECT_EQ(format("[%5x][%-5X][%05o][%#o][%#x]", {-1, 255, 8, 0, 0}),
            "[ffffffff][FF   ][00010][0][0]");
  EXPECT_EQ(format("%+5d|%-+5d|%#5x|%#X", {2, 1, 7, 9}), "   +2|+1   |  0x7|0X9");
  EXPECT_EQ(format("%p|%5s|%-4s|", {0, -6, 7}), "0|   -6|7   |");
  EXPECT_EQ(format("%ld %ld", {INT64_MIN, INT64_MAX}), "-9223372036854775808 9223372036854775807");
}

// Where the peer's padding is not C's, awl's is.
TEST(Printf, IntegersAsInC) {
  EXPECT_EQ(format("%05d|%-05d|% d|%.3d|%8.3d|%#06x|%+.2d|%.0d|", {-5, 3, 5, 7, 7, 8, 1, 0}),
            "-0005|3    | 5|007|     007|0x0008|+01||");
}

TEST(Printf, Strings) {
  EXPECT_EQ(Format("%s|%5s|%-5s|").text("ab").text("ab").text("ab").print(), "ab|   ab|ab   |");
  EXPECT_EQ(Format("%.1s|%5.1s|").text("ab").text("ab").print(), "a|    a|");
  EXPECT_EQ(Format("100%% %s%%").text("x").print(), "100% x%");
  EXPECT_EQ(Format("%s %5s|")
                .add(type_of(ValueKind::kBool, 1), {1})
                .add(type_of(ValueKind::kBool, 1), {1})
                .print(),
            "true  true|");
  EXPECT_EQ(Format("%d").add(type_of(ValueKind::kBool, 1), {1}).print(), "1");
  EXPECT_EQ(Format("%10s|%-12s|")
                .add(tuple({integer(1), integer(1)}), {1, 2})
                .add(type_of(ValueKind::kInet, 20),
                     {2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
                .print(),
            "    (1, 2)|127.0.0.1   |");
}

TEST(Printf, Buffers) {
  ValueType type = type_of(ValueKind::kBuffer, 9);
  Bytes bytes;
  put<uint32_t>(bytes, 5);
  put_text(bytes, "a\x01\"b\xff", 5);
  EXPECT_EQ(Format("%r|%rx|%rh|").add(type, bytes).add(type, bytes).add(type, bytes).print(),
            "a\\x01\"b\\xff|\\x61\\x01\\x22\\x62\\xff|61 01 22 62 ff|");
  bytes[0] = 2;
  EXPECT_EQ(Format("%s|%20r|%-20rx|").add(type, bytes).add(type, bytes).add(type, bytes).print(),
            "a\\x01|               a\\x01|\\x61\\x01            |");
}

TEST(Printf, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(Format("%d %d").number(1).print(), "error: fewer arguments than the format takes");
  EXPECT_EQ(Format("%d").text("a").print(), "error: %d takes a number");
  EXPECT_EQ(Format("%r").text("a").print(), "error: %r takes a buffer");
}

// ---- maps

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

object::Map map_of(const std::string &name, ValueType key, ValueType value) {
  object::Map map;
  map.name = name;
  map.is_scalar = key.kind == ValueKind::kVoid;
  map.key_size = map.is_scalar ? 4 : key.size;
  map.value_size = value.size;
  map.key = std::move(key);
  map.value = std::move(value);
  return map;
}

template <class T>
MapSnapshot snapshot_of(const object::Map &map, const std::vector<std::pair<T, Bytes>> &entries) {
  MapSnapshot snapshot;
  snapshot.key_size = map.key_size;
  snapshot.value_size = map.value.size;
  snapshot.count = entries.size();
  for (const auto &[key, value] : entries) {
    put(snapshot.keys, key);
    snapshot.values.insert(snapshot.values.end(), value.begin(), value.end());
  }
  return snapshot;
}

std::string print_both(const object::Map &map, const MapSnapshot &snapshot, uint64_t top = 0,
                       uint64_t div = 0) {
  Printer text, json(OutputFormat::kJson);
  text.maps().print(map, snapshot, top, div);
  json.maps().print(map, snapshot, top, div);
  return text.take() + json.take();
}

Bytes average(int64_t total, uint64_t count) {
  Bytes bytes;
  put(bytes, total);
  put(bytes, count);
  return bytes;
}

TEST(MapPrinter, Scalars) {
  object::Map map = map_of("@x", {}, integer(8));
  EXPECT_EQ(print_both(map, snapshot_of<uint32_t>(map, {{0, bytes_of<int64_t>(1)}})),
            "@x: 1\n{\"type\": \"map\", \"data\": {\"@x\": 1}}\n");
  EXPECT_EQ(print_both(map, snapshot_of<uint32_t>(map, {{0, bytes_of<int64_t>(100)}}), 0, 3),
            "@x: 33\n{\"type\": \"map\", \"data\": {\"@x\": 33}}\n");
}

TEST(MapPrinter, ScalarsThatAreNotSet) {
  object::Map map = map_of("@x", {}, integer(8));
  MapSnapshot none = snapshot_of<uint32_t>(map, {});
  EXPECT_EQ(print_both(map, none), "@x: 0\n{\"type\": \"map\", \"data\": {\"@x\": 0}}\n");
  Printer text, json(OutputFormat::kJson);
  text.maps().print_final(map, none);
  json.maps().print_final(map, none);
  EXPECT_EQ(text.take() + json.take(), "");

  object::Map stats = map_of("@s", {}, type_of(ValueKind::kStats, 16, true));
  none = snapshot_of<uint32_t>(stats, {});
  EXPECT_EQ(
      print_both(stats, none),
      "@s: { .count = 0, .average = 0, .total = 0 }\n"
      "{\"type\": \"stats\", \"data\": {\"@s\": {\"count\": 0, \"average\": 0, \"total\": 0}}}\n");
  text.maps().print_final(stats, none);
  json.maps().print_final(stats, none);
  EXPECT_EQ(text.take() + json.take(), "{\"type\": \"stats\", \"data\": {\"@s\": {}}}\n");
}

TEST(MapPrinter, NumbersByValueThenKey) {
  object::Map map = map_of("@k", integer(8), integer(8));
  MapSnapshot entries = snapshot_of<int64_t>(map, {{3, bytes_of<int64_t>(30)},
                                                   {4, bytes_of<int64_t>(10)},
                                                   {2, bytes_of<int64_t>(-20)},
                                                   {1, bytes_of<int64_t>(10)}});
  EXPECT_EQ(
      print_both(map, entries),
      "@k[2]: -20\n@k[1]: 10\n@k[4]: 10\n@k[3]: 30\n"
      "{\"type\": \"map\", \"data\": {\"@k\": {\"2\": -20, \"1\": 10, \"4\": 10, \"3\": 30}}}\n");
  EXPECT_EQ(print_both(map, entries, 2, 7),
            "@k[4]: 1\n@k[3]: 4\n{\"type\": \"map\", \"data\": {\"@k\": {\"4\": 1, \"3\": 4}}}\n");
}

TEST(MapPrinter, OthersByKey) {
  object::Map map = map_of("@k", integer(8), tuple({integer(1), string(2)}));
  MapSnapshot entries = snapshot_of<int64_t>(map, {{3, {1, 'x', 0}}, {-1, {3, 'y', 0}}});
  EXPECT_EQ(print_both(map, entries),
            "@k[-1]: (3, y)\n@k[3]: (1, x)\n"
            "{\"type\": \"map\", \"data\": {\"@k\": {\"-1\": [3,\"y\"], \"3\": [1,\"x\"]}}}\n");
  EXPECT_EQ(print_both(map, snapshot_of<int64_t>(map, {})), "");
}

TEST(MapPrinter, KeysOfSeveralParts) {
  object::Map map = map_of("@y", tuple({integer(8), string(8)}), integer(8));
  MapSnapshot snapshot;
  snapshot.key_size = 16;
  snapshot.value_size = 8;
  snapshot.count = 1;
  put<int64_t>(snapshot.keys, 1);
  put_text(snapshot.keys, "q\"", 8);
  put<int64_t>(snapshot.values, 2);
  EXPECT_EQ(print_both(map, snapshot),
            "@y[1, q\"]: 2\n{\"type\": \"map\", \"data\": {\"@y\": {\"1,q\\\"\": 2}}}\n");
}

TEST(MapPrinter, Statistics) {
  object::Map map = map_of("@s", {}, type_of(ValueKind::kStats, 16, true));
  EXPECT_EQ(print_both(map, snapshot_of<uint32_t>(map, {{0, average(-7, 2)}})),
            "@s: { .count = 2, .average = -3, .total = -7 }\n"
            "{\"type\": \"stats\", \"data\": {\"@s\": {\"count\": 2, \"average\": -3, \"total\": "
            "-7}}}\n");
  map = map_of("@a", integer(8), type_of(ValueKind::kAvg, 16, true));
  EXPECT_EQ(print_both(map, snapshot_of<int64_t>(map, {{1, average(-7, 2)}}), 1, 2),
            "@a[1]: -1\n{\"type\": \"stats\", \"data\": {\"@a\": {\"1\": -1}}}\n");
  map = map_of("@g", {}, type_of(ValueKind::kAvg, 16, false));
  EXPECT_EQ(print_both(map, snapshot_of<uint32_t>(map, {{0, average(-5, 1)}})),
            "@g: 18446744073709551611\n"
            "{\"type\": \"stats\", \"data\": {\"@g\": \"18446744073709551611\"}}\n");
}

ValueType hist_type(int64_t bits) {
  ValueType type = type_of(ValueKind::kHist, object::hist_bucket_count(bits) * 8);
  type.bits = bits;
  type.count = object::hist_bucket_count(bits);
  return type;
}

Bytes hist_of(const ValueType &type, const std::vector<int64_t> &values) {
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

TEST(MapPrinter, Histograms) {
  object::Map map = map_of("@c", integer(8), hist_type(0));
  MapSnapshot entries = snapshot_of<int64_t>(
      map, {{3, hist_of(map.value, {1, 2})}, {1, hist_of(map.value, {0, 10, 10, 10})}});
  EXPECT_EQ(print_both(map, entries),
            "@c[1]:\n"
            "[0]                    1 |@@@@@@@@@@@@@@@@@                                   |\n"
            "[1]                    0 |                                                    |\n"
            "[2, 4)                 0 |                                                    |\n"
            "[4, 8)                 0 |                                                    |\n"
            "[8, 16)                3 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "\n"
            "@c[3]:\n"
            "[1]                    1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "[2, 4)                 1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "\n"
            "{\"type\": \"hist\", \"data\": {\"@c\": {\"1\": [{\"min\": 0, \"max\": 0, \"count\": "
            "1},{\"min\": 1, "
            "\"max\": 1, \"count\": 0},{\"min\": 2, \"max\": 3, \"count\": 0},{\"min\": 4, "
            "\"max\": 7, \"count\": "
            "0},{\"min\": 8, \"max\": 15, \"count\": 3}], \"3\": [{\"min\": 1, \"max\": 1, "
            "\"count\": 1},{\"min\": "
            "2, \"max\": 3, \"count\": 1}]}}}\n");
  Printer text;
  text.maps().print(map, entries, 1, 2);
  EXPECT_EQ(text.take(),
            "@c[1]:\n"
            "[0]                    0 |                                                    |\n"
            "[1]                    0 |                                                    |\n"
            "[2, 4)                 0 |                                                    |\n"
            "[4, 8)                 0 |                                                    |\n"
            "[8, 16)                1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "\n");
}

TEST(MapPrinter, EmptyHistograms) {
  object::Map map = map_of("@h", {}, hist_type(0));
  EXPECT_EQ(print_both(map, snapshot_of<uint32_t>(map, {{0, hist_of(map.value, {})}})),
            "@h:\n\n{\"type\": \"hist\", \"data\": {\"@h\": []}}\n");
  EXPECT_EQ(print_both(map, snapshot_of<uint32_t>(map, {})), "");
}

// The label of the one bucket that `value` falls into.
std::string label(const ValueType &type, int64_t value) {
  std::string out;
  append_histogram(out, type, hist_of(type, {value}).data(), 1);
  size_t end = out.find("  ");
  return out.substr(0, end);
}

TEST(Histogram, Labels) {
  EXPECT_EQ(label(hist_type(0), -5), "(..., 0)");
  EXPECT_EQ(label(hist_type(0), 1000), "[512, 1K)");
  EXPECT_EQ(label(hist_type(0), 123456789), "[64M, 128M)");
  EXPECT_EQ(label(hist_type(0), INT64_MAX), "[4E, 8E)");
  EXPECT_EQ(label(hist_type(1), 1000), "[768, 1024)");
  EXPECT_EQ(label(hist_type(1), 2000), "[1536, 2K)");
  EXPECT_EQ(label(hist_type(2), 2000), "[1792, 2048)");
  EXPECT_EQ(label(hist_type(2), 7), "[7]");
  EXPECT_EQ(label(hist_type(3), INT64_MAX), "[7680P, 8E)");
  EXPECT_EQ(label(hist_type(3), 5000000000000), "[4608G, 5120G)");
  EXPECT_EQ(label(hist_type(5), INT64_MAX), "[8064P, 8192P)");
  EXPECT_EQ(label(hist_type(5), 123456789), "[116M, 118M)");
  EXPECT_EQ(label(hist_type(5), 1000), "[992, 1008)");
}

ValueType lhist_type(int64_t min, int64_t max, int64_t step) {
  ValueType type = type_of(ValueKind::kLhist, object::lhist_bucket_count(min, max, step) * 8);
  type.min = min;
  type.max = max;
  type.step = step;
  type.count = object::lhist_bucket_count(min, max, step);
  return type;
}

TEST(Histogram, LinearLabels) {
  EXPECT_EQ(label(lhist_type(0, 10, 3), 10), "[9, ...)");
  EXPECT_EQ(label(lhist_type(0, 10, 3), 5), "[3, 6)");
  EXPECT_EQ(label(lhist_type(0, 10, 3), -1), "(..., 0)");
  EXPECT_EQ(label(lhist_type(0, 10, 1), 5), "[5]");
  EXPECT_EQ(label(lhist_type(0, 10240000, 1024000), 1024000), "[1000K, 2000K)");
  EXPECT_EQ(label(lhist_type(0, 4096, 1024), 2048), "[2K, 3K)");
  EXPECT_EQ(label(lhist_type(1000, 2000, 1), 1024), "[1024]");
  std::string out;
  ValueType wide = lhist_type(1, 5000001, 1000000);
  append_histogram(out, wide, hist_of(wide, {1000001}).data(), 1);
  EXPECT_EQ(out, "[1000001, 2000001)       1 |" + std::string(52, '@') + "|\n");
}

TEST(Histogram, Json) {
  std::string out;
  ValueType type = lhist_type(0, 10, 3);
  append_json_histogram(out, type, hist_of(type, {-1, 9, 10}).data(), 1);
  EXPECT_EQ(out,
            "[{\"max\": -1, \"count\": 1},{\"min\": 0, \"max\": 2, \"count\": 0},{\"min\": 3, "
            "\"max\": 5, "
            "\"count\": 0},{\"min\": 6, \"max\": 8, \"count\": 0},{\"min\": 9, \"count\": 2}]");
  out.clear();
  append_json_histogram(out, hist_type(0), hist_of(hist_type(0), {INT64_MAX}).data(), 1);
  EXPECT_EQ(out,
            "[{\"min\": 4611686018427387904, \"max\": \"9223372036854775807\", \"count\": 1}]");
}

// ---- per-CPU values

TEST(MapReader, CombinesCpus) {
  auto combined = [](const ValueType &type, const std::vector<int64_t> &words) {
    Bytes values;
    for (int64_t word : words) put(values, word);
    size_t stride = (type.size + 7) / 8 * 8;
    std::vector<int64_t> out(stride / 8);
    combine_per_cpu(type, values.data(), static_cast<uint32_t>(values.size() / stride), stride,
                    reinterpret_cast<uint8_t *>(out.data()));
    return out;
  };
  using Words = std::vector<int64_t>;
  EXPECT_EQ(combined(type_of(ValueKind::kCount, 8), {1, 2, 3}), Words({6}));
  EXPECT_EQ(combined(type_of(ValueKind::kSum, 8, true), {1, -5}), Words({-4}));
  EXPECT_EQ(combined(type_of(ValueKind::kStats, 16, true), {1, 1, 5, 2}), Words({6, 3}));
  EXPECT_EQ(combined(type_of(ValueKind::kMin, 16, true), {0, 0, 7, 1, -3, 1}), Words({-3, 1}));
  EXPECT_EQ(combined(type_of(ValueKind::kMin, 16, false), {-3, 1, 7, 1}), Words({7, 1}));
  EXPECT_EQ(combined(type_of(ValueKind::kMax, 16, true), {0, 0, -7, 1, -3, 1}), Words({-3, 1}));
  EXPECT_EQ(combined(type_of(ValueKind::kMax, 16, true), {0, 0, 0, 0}), Words({0, 0}));
  ValueType hist = type_of(ValueKind::kHist, 16);
  hist.count = 2;
  EXPECT_EQ(combined(hist, {1, 2, 3, 4}), Words({4, 6}));
}

// ---- records and output

TEST(RecordPrinter, Kinds) {
  for (OutputFormat format : {OutputFormat::kText, OutputFormat::kJson}) {
    Printer printer(format);
    object::Description &d = printer.description;
    d.script_name = "stdin";
    auto add = [&](object::EventKind kind, const std::string &text, std::vector<ValueType> types) {
      object::Event event;
      event.kind = kind;
      event.format = text;
      event.size = 8;
      event.location = {1, 9, 1, 20};
      for (ValueType &type : types) {
        Field field;
        field.offset = event.size;
        event.size += type.size;
        field.type = {std::move(type)};
        event.arguments.push_back(std::move(field));
      }
      d.events.push_back(std::move(event));
    };
    using enum object::EventKind;
    ValueType strings = type_of(ValueKind::kArray, 8);
    strings.count = 2;
    strings.fields.push_back({.type = {string(4)}});
    add(kPrintf, "n=%d\n", {integer(8)});
    add(kPrintValue, "", {tuple({integer(8), string(2)})});
    add(kJoin, ",", {integer(4), strings});
    add(kCat, "/f%d", {integer(8)});
    add(kSystem, "c%d", {integer(8)});
    add(kErrorf, "e%d", {integer(8)});
    add(kWarnf, "w%d", {integer(8)});
    auto created = RecordPrinter::create(d, printer.output(), printer.printed.context);
    ASSERT_TRUE(created);
    RecordPrinter &records = **created;
    records.set_cat([](const std::string &path) { return "<" + path + ">\n"; });
    records.set_system([](const std::string &command) { return "(" + command + ")\n"; });
    for (uint32_t i = 0; i < 7; ++i) {
      Bytes record;
      put(record, i);
      put<uint32_t>(record, 0);
      if (i == 2) {
        put<uint32_t>(record, 2);
        put_text(record, "ab", 4);
        put_text(record, "c", 4);
      } else {
        put<int64_t>(record, 5);
        if (i == 1) put_text(record, "x", 2);
      }
      EXPECT_TRUE(records.print(record.data(), record.size())) << i;
      EXPECT_FALSE(records.print(record.data(), record.size() - 1)) << i;
    }
    Bytes wrong;
    put<uint64_t>(wrong, 7);
    EXPECT_FALSE(records.print(wrong.data(), wrong.size()));
    EXPECT_FALSE(records.print(wrong.data(), 4));
    if (format == OutputFormat::kText) {
      EXPECT_EQ(printer.take(), "n=5\n(5, x)\nab,c\n</f5>\n(c5)\n\n");
      EXPECT_EQ(printer.written(), "stdin:1:9-20: ERROR: e5\nstdin:1:9-20: WARNING: w5\n");
    } else {
      EXPECT_EQ(printer.take(),
                "{\"type\": \"printf\", \"data\": \"n=5\\n\"}\n"
                "{\"type\": \"value\", \"data\": [5,\"x\"]}\n"
                "{\"type\": \"join\", \"data\": \"ab,c\"}\n"
                "{\"type\": \"cat\", \"data\": \"</f5>\\n\"}\n"
                "{\"type\": \"syscall\", \"data\": \"(c5)\\n\"}\n"
                "{\"type\": \"errorf\", \"msg\": \"e5\", \"filename\": \"stdin\", \"line\": 1, "
                "\"col\": 9}\n"
                "{\"type\": \"warnf\", \"msg\": \"w5\", \"filename\": \"stdin\", \"line\": 1, "
                "\"col\": 9}\n");
    }
  }
}

TEST(Output, Json) {
  Printer printer(OutputFormat::kJson);
  printer.description.script_name = "stdin";
  printer.output().attached_probes(2);
  printer.output().lost_events(3);
  printer.output().before_final_maps();
  printer.output().runtime_error({"map_update_elem", true, {1, 41, 1, 48}}, -7);
  EXPECT_EQ(
      printer.take(),
      "{\"type\": \"attached_probes\", \"count\": 2, \"data\": {\"probes\": 2}}\n"
      "{\"type\": \"lost_events\", \"data\": {\"events\": 3}}\n"
      "{\"type\": \"helper_error\", \"msg\": \"Argument list too long\", \"helper\": "
      "\"map_update_elem\", \"retcode\": -7, \"filename\": \"stdin\", \"line\": 1, \"col\": 41}\n");
}

TEST(Output, ErrorsQuoteTheScript) {
  Printer printer;
  printer.description.script_name = "stdin";
  printer.description.script_text = "BEGIN {\n  @a[1] = 2;\n}";
  printer.output().runtime_error({"map_update_elem", true, {2, 3, 2, 12}}, -7);
  EXPECT_EQ(printer.written(),
            "stdin:2:3-12: WARNING: the map is full, a value was not stored (map_update_elem: "
            "Argument list too long, -7)\n"
            "  @a[1] = 2;\n  ~~~~~~~~~\n"
            "HINT: raise max_map_keys in the script's config, or declare the map: let @name = "
            "hash(100000)\n");
  printer.output().error_count({"x", true, {9, 3, 2, 1}}, 2);
  EXPECT_EQ(printer.written(), "stdin:9-2: WARNING: x (x: 2 times)\n");
}

// Descriptions are input from outside: whatever passes the check can be printed.
TEST(RecordPrinter, MutatedDescriptions) {
  object::Description d;
  using enum object::EventKind;
  ValueType array = type_of(ValueKind::kArray, 8);
  array.count = 2;
  array.fields.push_back({.type = {string(4)}});
  ValueType bits = type_of(ValueKind::kStruct, 8);
  bits.fields.push_back({.name = "b", .bit_offset = 3, .bit_size = 5, .type = {integer(4)}});
  const std::pair<object::EventKind, ValueType> kinds[] = {
      {kPrintf, integer(8)},
      {kPrintValue, array},
      {kPrintValue, bits},
      {kPrintValue, type_of(ValueKind::kBuffer, 12)},
      {kPrintValue, type_of(ValueKind::kStats, 16)},
      {kPrintValue, type_of(ValueKind::kInet, 20)}};
  for (const auto &[kind, type] : kinds) {
    object::Event event;
    event.kind = kind;
    event.format = kind == kPrintf ? "%5d" : "";
    event.size = 8 + type.size;
    event.arguments.push_back({.offset = 8, .type = {type}});
    d.events.push_back(std::move(event));
  }
  const std::string original = object::write_description(d);
  uint32_t state = 1;
  auto random = [&](size_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  int printed = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string json = original;
    for (size_t i = 0; i <= random(3); ++i)
      json[random(json.size())] = "0123456789-,:[]{}\"ab"[random(20)];
    auto read = object::parse_description(json);
    if (!read) continue;
    Printer printer;
    auto records = RecordPrinter::create(*read, printer.output(), printer.printed.context);
    if (!records) continue;
    for (uint32_t i = 0; i < read->events.size(); ++i) {
      if (read->events[i].kind == kSystem || read->events[i].kind == kCat) continue;
      auto record = std::make_unique<uint8_t[]>(read->events[i].size);
      std::fill_n(record.get(), read->events[i].size, uint8_t{0xff});
      std::memcpy(record.get(), &i, 4);
      printed += (*records)->print(record.get(), read->events[i].size);
    }
  }
  EXPECT_GT(printed, 1000);
}

TEST(Writer, Buffers) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
  auto pending = [&] {
    char text[64];
    ssize_t size = read(ends[0], text, sizeof text);
    return size < 0 ? std::string() : std::string(text, static_cast<size_t>(size));
  };
  Writer none(ends[1], ends[1], Buffering::kNone);
  none.buffer() += "a";
  none.written();
  EXPECT_EQ(pending(), "a");
  Writer line(ends[1], ends[1], Buffering::kLine);
  line.buffer() += "b";
  line.written();
  EXPECT_EQ(pending(), "");
  line.end_of_batch();
  EXPECT_EQ(pending(), "b");
  {
    Writer full(ends[1], ends[1], Buffering::kFull);
    full.buffer() += "c";
    full.written();
    full.end_of_batch();
    EXPECT_EQ(pending(), "");
  }
  EXPECT_EQ(pending(), "c");
  close(ends[0]);
  close(ends[1]);
}

TEST(Command, OutputAndExitCode) {
  auto result = run_command("echo hi; exit 3");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "hi\n");
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(run_command("kill -TERM $$")->exit_code, 128 + 15);
}

TEST(Command, FileHead) {
  EXPECT_EQ(read_file_head("/proc/self/comm", 3)->size(), 3u);
  EXPECT_FALSE(read_file_head("/nonexistent", 3));
}

}  // namespace
}  // namespace awl::runtime
