// What maps look like, in text and JSON. The expectations are what the peer printed
// for the same values, but for the order of maps and the differences that
// docs/coming-from-bpftrace.md lists.
#include <gtest/gtest.h>

#include "runtime/object/histogram.h"
#include "runtime/print/json.h"
#include "test/unit/print_fixture.h"

namespace awl::runtime {
namespace {

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

}  // namespace
}  // namespace awl::runtime
