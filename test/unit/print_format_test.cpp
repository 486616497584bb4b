// What printf makes of values. The expectations are what the peer printed
// for the same values, but for the order of maps and the differences that
// docs/coming-from-bpftrace.md lists.
#include <gtest/gtest.h>

#include "runtime/print/format_printer.h"
#include "test/unit/print_fixture.h"

namespace awl::runtime {
namespace {

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

}  // namespace
}  // namespace awl::runtime
