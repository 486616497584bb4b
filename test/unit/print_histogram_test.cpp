// What histograms look like. The expectations are what the peer printed
// for the same values, but for the order of maps and the differences that
// docs/coming-from-bpftrace.md lists.
#include <gtest/gtest.h>

#include "runtime/object/histogram.h"
#include "runtime/print/histogram_printer.h"
#include "runtime/print/json.h"
#include "test/unit/print_fixture.h"

namespace awl::runtime {
namespace {

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

}  // namespace
}  // namespace awl::runtime
