// What single values look like, in text and JSON. The expectations are what the peer printed
// for the same values, but for the order of maps and the differences that
// docs/coming-from-bpftrace.md lists.
#include <gtest/gtest.h>

#include "test/unit/print_fixture.h"

namespace awl::runtime {
namespace {

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

}  // namespace
}  // namespace awl::runtime
