// The description's JSON, printf formats and histogram buckets.
#include <gtest/gtest.h>

#include <climits>

#include "runtime/object/check_description.h"
#include "runtime/object/description.h"
#include "runtime/object/format_string.h"
#include "runtime/object/histogram.h"
#include "runtime/object/utf8.h"

namespace awl::object {
namespace {

ValueType integer(uint32_t size, bool is_signed = false) {
  ValueType type;
  type.kind = ValueKind::kInteger;
  type.size = size;
  type.is_signed = is_signed;
  return type;
}

Description sample() {
  Description d;
  d.script_name = "stdin";
  d.script_text = "BEGIN { printf(\"\xff\", 1) }";
  Program program;
  program.name = "begin_1";
  program.section = "raw_tp";
  program.attach_points.push_back({.family = "begin", .name = "begin", .location = {1, 1, 1, 6}});
  program.relocations.push_back({.kind = Relocation::Kind::kTracepointField,
                                 .instruction = 7,
                                 .field = "prev_pid",
                                 .size = 4,
                                 .is_add = true,
                                 .built_value = -1});
  d.programs.push_back(program);
  Map map;
  map.name = "@x";
  map.elf_name = "m_x";
  map.type = MapType::kPercpuHash;
  map.key = integer(8, true);
  map.value.kind = ValueKind::kLhist;
  map.value.min = 0;
  map.value.max = 10;
  map.value.step = 3;
  map.value.count = lhist_bucket_count(0, 10, 3);
  map.value.size = map.value.count * 8;
  map.key_size = 8;
  map.value_size = map.value.size;
  d.maps.push_back(map);
  Event event;
  event.kind = EventKind::kPrintf;
  event.format = "a\xff\n%d";
  event.size = 16;
  event.arguments.push_back({.offset = 8, .type = {integer(8, true)}});
  event.location = {1, 9, 1, 20};
  d.events.push_back(event);
  d.parameters.push_back({.name = "1", .is_positional = false, .default_integer = -5});
  d.error_sites.push_back({.what = "map update", .is_always_reported = false});
  d.settings.print_maps_on_exit = false;
  d.settings.str_trunc_trailer = "";
  return d;
}

TEST(Description, RoundTrip) {
  std::string json = write_description(sample());
  auto read = parse_description(json);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(write_description(*read), json);
  EXPECT_EQ(read->script_text, sample().script_text);
  EXPECT_EQ(read->events[0].format, "a\xff\n%d");
  EXPECT_EQ(read->events[0].arguments[0].type[0].size, 8u);
  EXPECT_TRUE(read->events[0].arguments[0].type[0].is_signed);
  EXPECT_EQ(read->maps[0].value.step, 3);
  EXPECT_EQ(read->programs[0].relocations[0].built_value, -1);
  EXPECT_FALSE(read->parameters[0].is_positional);
  EXPECT_EQ(read->parameters[0].default_integer, -5);
  EXPECT_FALSE(read->settings.print_maps_on_exit);
  EXPECT_EQ(read->settings.str_trunc_trailer, "");
  EXPECT_EQ(read->events[0].location.end_column, 20u);
}

TEST(Description, RefusesWhatIsWrong) {
  EXPECT_FALSE(parse_description(""));
  EXPECT_FALSE(parse_description("[]"));
  EXPECT_FALSE(parse_description("{}"));
  EXPECT_FALSE(parse_description("{\"version\":2}"));
  EXPECT_TRUE(parse_description("{\"version\":1}"));
  EXPECT_FALSE(parse_description("{\"version\":1,\"maps\":3}"));
  EXPECT_FALSE(parse_description("{\"version\":1,\"maps\":[{\"name\":\"@x\"}]}"));
  EXPECT_FALSE(
      parse_description("{\"version\":1,\"events\":[{\"kind\":\"nonsense\",\"size\":8}]}"));
  EXPECT_FALSE(parse_description("{\"version\":1,\"events\":[{\"kind\":\"printf\",\"size\":-8}]}"));
  EXPECT_TRUE(parse_description("{\"version\":1,\"events\":[{\"kind\":\"printf\",\"size\":8}]}"));
  EXPECT_FALSE(
      parse_description("{\"version\":1,\"events\":[{\"kind\":\"clear\",\"size\":16,\"map\":0}]}"));
  EXPECT_FALSE(parse_description("{\"version\":1,\"script_text\":{\"hex\":\"0g\"}}"));
  EXPECT_FALSE(parse_description("{\"version\":1,\"x\":" + std::string(200, '[') +
                                 std::string(200, ']') + "}"));
}

TEST(Description, RefusesFieldsOutsideTheirRecord) {
  Description d = sample();
  d.events[0].arguments[0].offset = 12;
  EXPECT_FALSE(parse_description(write_description(d)));
  d = sample();
  d.events[0].arguments[0].offset = 4;
  EXPECT_FALSE(parse_description(write_description(d)));
  d = sample();
  d.events[0].arguments[0].type[0].size = 3;
  EXPECT_FALSE(parse_description(write_description(d)));
  d = sample();
  d.events[0].arguments[0].offset = UINT32_MAX;
  EXPECT_FALSE(parse_description(write_description(d)));
  d = sample();
  d.maps[0].value.count += 1;
  EXPECT_FALSE(parse_description(write_description(d)));
  d = sample();
  d.maps[0].value_size = 8;
  EXPECT_FALSE(parse_description(write_description(d)));
}

TEST(Description, RefusesAProgramWithoutAttachPoint) {
  Description d = sample();
  // A watchpoint's entry, and nothing to say that the program after it is of a watchpoint.
  d.programs[0].is_entry = true;
  d.programs.push_back(d.programs[0]);
  EXPECT_TRUE(parse_description(write_description(d)));
  d.programs[1].attach_points.clear();
  auto read = parse_description(write_description(d));
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("no attach point"), std::string::npos);
}

TEST(Description, RefusesADispatchOutsideOfItsTable) {
  Description d = sample();
  d.programs[0].dispatch_columns = kMostDispatchColumns;
  d.programs[0].dispatch_column = kMostDispatchColumns - 1;
  EXPECT_TRUE(parse_description(write_description(d)));
  d.programs[0].dispatch_column = kMostDispatchColumns;
  EXPECT_FALSE(parse_description(write_description(d)));
  d.programs[0].dispatch_columns = kMostDispatchColumns + 1;
  EXPECT_FALSE(parse_description(write_description(d)));
}

TEST(Description, EveryTruncationIsRefused) {
  std::string json = write_description(sample());
  for (size_t i = 0; i < json.size(); ++i) EXPECT_FALSE(parse_description(json.substr(0, i)));
}

TEST(Description, DeepTypesAreRefused) {
  ValueType type = integer(8);
  for (int i = 0; i < 40; ++i) {
    ValueType outer;
    outer.kind = ValueKind::kTuple;
    outer.size = 8;
    outer.fields.push_back({.type = {type}});
    type = outer;
  }
  EXPECT_FALSE(check_type(type));
}

TEST(FormatString, Pieces) {
  auto pieces = parse_format("a %-08.3lld%% b %rx|%c");
  ASSERT_TRUE(pieces);
  ASSERT_EQ(pieces->size(), 3u);
  EXPECT_EQ(conversion_count(*pieces), 3u);
  const FormatConversion &first = (*pieces)[0].conversion;
  EXPECT_EQ((*pieces)[0].literal, "a ");
  EXPECT_TRUE(first.is_left);
  EXPECT_TRUE(first.is_zero_padded);
  EXPECT_EQ(first.width, 8);
  EXPECT_EQ(first.precision, 3);
  EXPECT_EQ(first.length, FormatLength::kLl);
  EXPECT_EQ(first.position, 2u);
  EXPECT_EQ(first.size, 9u);
  EXPECT_EQ((*pieces)[1].literal, "% b ");
  EXPECT_EQ((*pieces)[1].conversion.conversion, 'r');
  EXPECT_EQ((*pieces)[1].conversion.hex, 'x');
  EXPECT_FALSE((*pieces)[1].conversion.is_integer());
  EXPECT_EQ((*pieces)[2].literal, "|");
}

TEST(FormatString, WhatIsNoConversionIsText) {
  for (const char *text : {"100%\n", "%", "%5", "%y", "a%", "%*d", "%-", "%lk"}) {
    auto pieces = parse_format(text);
    ASSERT_TRUE(pieces) << text;
    EXPECT_EQ(conversion_count(*pieces), 0u) << text;
    EXPECT_EQ((*pieces)[0].literal, text);
  }
  EXPECT_TRUE(parse_format("")->empty());
  EXPECT_EQ((*parse_format("%5%"))[0].literal, "%");
}

TEST(FormatString, UnsupportedConversions) {
  auto pieces = parse_format("ab%f");
  ASSERT_FALSE(pieces);
  EXPECT_EQ(pieces.error().message, "unsupported format specifier: f");
  EXPECT_EQ(pieces.error().code, 3);
  EXPECT_FALSE(parse_format("%n"));
}

TEST(Histogram, EveryValueIsInsideItsBucket) {
  for (int64_t bits = 0; bits <= kMaxHistBits; ++bits) {
    for (int shift = 0; shift < 63; ++shift) {
      for (int64_t delta : {-1, 0, 1, 5}) {
        int64_t value = (int64_t{1} << shift) + delta;
        uint32_t bucket = hist_bucket(value, bits);
        ASSERT_LT(bucket, hist_bucket_count(bits));
        BucketRange range = hist_range(bucket, bits);
        EXPECT_LE(range.min, value);
        EXPECT_GE(range.max, value);
        if (bucket > 1) {
          EXPECT_EQ(hist_range(bucket - 1, bits).max, range.min - 1);
        }
      }
    }
    EXPECT_EQ(hist_bucket(-1, bits), 0u);
    EXPECT_EQ(hist_bucket(0, bits), 1u);
    EXPECT_EQ(hist_range(hist_bucket(INT64_MAX, bits), bits).max, INT64_MAX);
  }
  EXPECT_EQ(hist_range(hist_bucket(1000, 5), 5).min, 992);
  EXPECT_EQ(hist_range(hist_bucket(1000, 5), 5).max, 1007);
}

TEST(Histogram, Linear) {
  EXPECT_EQ(lhist_bucket_count(0, 10, 3), 5u);
  EXPECT_EQ(lhist_bucket(-1, 0, 10, 3), 0u);
  EXPECT_EQ(lhist_bucket(0, 0, 10, 3), 1u);
  EXPECT_EQ(lhist_bucket(8, 0, 10, 3), 3u);
  EXPECT_EQ(lhist_bucket(9, 0, 10, 3), 4u);
  EXPECT_EQ(lhist_bucket(INT64_MAX, 0, 10, 3), 4u);
  EXPECT_EQ(lhist_range(4, 0, 10, 3).min, 9);
  EXPECT_FALSE(lhist_range(4, 0, 10, 3).has_max);
  EXPECT_EQ(lhist_range(0, 0, 10, 3).max, -1);
  EXPECT_EQ(lhist_range(2, 0, 10, 3).max, 5);
}

TEST(Utf8, WellFormed) {
  EXPECT_TRUE(is_utf8("aé€😀"));
  EXPECT_FALSE(is_utf8("\xff"));
  EXPECT_FALSE(is_utf8("\xc3"));
  EXPECT_FALSE(is_utf8("\xc0\x80"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));
}

}  // namespace
}  // namespace awl::object
