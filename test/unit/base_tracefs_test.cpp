#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "base/tracefs.h"

namespace awl {
namespace {

// As the kernel writes it.
constexpr const char *kFormat =
    "name: demo\n"
    "ID: 365\n"
    "format:\n"
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
    "\n"
    "\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n"
    "\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;\n"
    "\tfield:char comm[16];\toffset:16;\tsize:16;\tsigned:0;\n"
    "\tfield:const char * path;\toffset:32;\tsize:8;\tsigned:0;\n"
    "\tfield:const char *const * argv;\toffset:40;\tsize:8;\tsigned:0;\n"
    "\tfield:struct page *page;\toffset:48;\tsize:8;\tsigned:0;\n"
    "\tfield:__rel_loc u8[] data;\toffset:56;\tsize:4;\tsigned:0;\n"
    "\n"
    "print fmt: \"field:%d\", REC->pid\n"
    "\tfield:int not_one;\toffset:60;\tsize:4;\tsigned:1;\n";

const TracepointField *field(const TracepointFormat &format, const std::string &name) {
  for (const TracepointField &field : format.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

TEST(TracepointFormat, ReadsFields) {
  const TracepointFormat format = parse_tracepoint_format(kFormat);
  EXPECT_EQ(format.id, 365u);
  ASSERT_EQ(format.fields.size(), 7u);
  const TracepointField *filename = field(format, "filename");
  ASSERT_NE(filename, nullptr);
  EXPECT_EQ(filename->type_text, "__data_loc char[]");
  EXPECT_TRUE(filename->is_data_loc);
  EXPECT_EQ(filename->offset, 8u);
  EXPECT_EQ(filename->size, 4u);
  EXPECT_TRUE(field(format, "pid")->is_signed);
  EXPECT_EQ(field(format, "comm")->type_text, "char[16]");
  EXPECT_EQ(field(format, "path")->type_text, "const char *");
  EXPECT_EQ(field(format, "argv")->type_text, "const char *const *");
  EXPECT_EQ(field(format, "page")->type_text, "struct page *");
  EXPECT_TRUE(field(format, "data")->is_data_loc);
}

TEST(TracepointFormat, SystemCallsHaveTheirArgumentsAlone) {
  const std::string text =
      "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
      "\tfield:char * name;\toffset:16;\tsize:8;\tsigned:0;\n"
      "\tfield:__data_loc char[] __name_val;\toffset:24;\tsize:4;\tsigned:0;\n";
  EXPECT_EQ(parse_tracepoint_format(text, "syscalls").fields.size(), 2u);
  EXPECT_EQ(parse_tracepoint_format(text, "sched").fields.size(), 3u);
}

TEST(TracepointFormat, LeavesOutWhatMakesNoSense) {
  EXPECT_TRUE(parse_tracepoint_format("").fields.empty());
  EXPECT_TRUE(parse_tracepoint_format("field:").fields.empty());
  EXPECT_TRUE(parse_tracepoint_format("\tfield:int;\toffset:0;\tsize:4;").fields.empty());
  EXPECT_TRUE(parse_tracepoint_format("\tfield:int x;\toffset:-1;\tsize:4;").fields.empty());
  EXPECT_TRUE(
      parse_tracepoint_format("\tfield:int x;\toffset:99999999999;\tsize:4;").fields.empty());
  EXPECT_TRUE(parse_tracepoint_format("\tfield:int x];\toffset:0;\tsize:4;").fields.empty());
  EXPECT_TRUE(parse_tracepoint_format("\tfield:int x;\toffset:0;").fields.empty());
  EXPECT_EQ(parse_tracepoint_format("ID: x\n\tfield:int x;offset:0;size:4;").fields.size(), 1u);
}

TEST(Tracefs, FailsOrAnswers) {
  const Result<std::string> path = tracefs_path();
  if (!path) GTEST_SKIP() << path.error().message;
  const auto all = list_tracepoints("*", "*");
  ASSERT_TRUE(all);
  EXPECT_TRUE(std::is_sorted(all->begin(), all->end()));
  const auto one = list_tracepoints("sched", "sched_switch");
  ASSERT_TRUE(one);
  EXPECT_EQ(*one, std::vector<std::string>{"sched:sched_switch"});
  EXPECT_TRUE(list_tracepoints("sched", "no_such_event")->empty());
  EXPECT_TRUE(list_tracepoints("..", "events")->empty());
  const auto format = read_tracepoint_format("sched", "sched_switch");
  ASSERT_TRUE(format);
  EXPECT_NE(field(*format, "prev_comm"), nullptr);
  const auto id = tracepoint_id("sched", "sched_switch");
  ASSERT_TRUE(id);
  EXPECT_EQ(*id, format->id);
}

TEST(Tracefs, SaysWhichTracepointDoesNotExist) {
  if (!tracefs_path()) GTEST_SKIP();
  const auto format = read_tracepoint_format("sched", "nope");
  ASSERT_FALSE(format);
  EXPECT_EQ(format.error().message, "tracepoint sched:nope does not exist");
  EXPECT_EQ(tracepoint_id("../..", "x").error().code, ENOENT);
}

}  // namespace
}  // namespace awl
