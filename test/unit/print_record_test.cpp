// What records become, and where output goes. The expectations are what the peer printed
// for the same values, but for the order of maps and the differences that
// docs/coming-from-bpftrace.md lists.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/print/command.h"
#include "runtime/print/record_printer.h"
#include "test/unit/print_fixture.h"

namespace awl::runtime {
namespace {

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
            "HINT: raise max_map_keys in the script's config; of a declared map the number in its "
            "declaration, let @name = hash(100000)\n");
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
