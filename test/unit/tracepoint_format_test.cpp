// Tracepoints' records where tracefs may not be read.
#include "frontend/probes/tracepoint_format.h"

#include <gtest/gtest.h>

#include "test/unit/fake_target.h"

namespace awl::frontend {
namespace {

class ClosedTarget : public FakeTarget {
 public:
  Result<TracepointFormat> tracepoint_format(const std::string &, const std::string &) override {
    return Error{"closed", code};
  }
  int code = EACCES;
};

// Knows one record, as BTF does.
class OneRecord : public TypeStore::Resolver {
 public:
  explicit OneRecord(TypeStore &store) : store_(store) {}
  TypeRef find_struct(const std::string &tag, bool) override {
    if (tag != "trace_event_raw_known") return nullptr;
    StructDef *def = store_.new_struct();
    auto add = [&](const char *name, TypeRef type, const char *text) {
      StructDef::Member member;
      member.name = name;
      member.type = type;
      member.type_text = text;
      member.bit_offset = def->size * 8;
      def->size += store_.size_of(type);
      def->members.push_back(member);
    };
    add("ent", store_.uint64(), "struct trace_entry");
    add("pid", store_.integer(4, true), "pid_t");
    add("__data_loc_name", store_.integer(4, false), "u32");
    add("__data", store_.array(store_.integer(1, true), 0), "char[0]");
    def->is_complete = true;
    return store_.struct_type(def);
  }
  TypeRef find_enum(const std::string &) override { return nullptr; }
  TypeRef find_typedef(const std::string &) override { return nullptr; }
  bool find_constant(const std::string &, TypeStore::Constant *) override { return false; }
  void complete(StructDef *) override {}

 private:
  TypeStore &store_;
};

TEST(TracepointFormat, SystemCallsAreKnownWithoutTracefs) {
  ClosedTarget target;
  TypeStore types;
  auto enter = find_tracepoint_format(target, types, "syscalls", "sys_enter_newfstat");
  ASSERT_TRUE(enter);
  ASSERT_EQ(enter->fields.size(), 3u);
  EXPECT_EQ(enter->fields[1].name, "fd");
  EXPECT_EQ(enter->fields[1].offset, 16u);
  EXPECT_EQ(enter->fields[2].offset, 24u);
  auto exit = find_tracepoint_format(target, types, "syscalls", "sys_exit_newfstat");
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->fields.back().name, "ret");
  EXPECT_FALSE(find_tracepoint_format(target, types, "syscalls", "sys_enter_nosuchcall"));
}

TEST(TracepointFormat, OthersAreReadFromBtf) {
  ClosedTarget target;
  TypeStore types;
  OneRecord resolver(types);
  types.set_resolver(&resolver);
  auto format = find_tracepoint_format(target, types, "any", "known");
  ASSERT_TRUE(format);
  ASSERT_EQ(format->fields.size(), 2u);
  EXPECT_EQ(format->fields[0].name, "pid");
  EXPECT_TRUE(format->fields[0].is_signed);
  EXPECT_EQ(format->fields[1].name, "name");
  EXPECT_TRUE(format->fields[1].is_data_loc);
  auto unknown = find_tracepoint_format(target, types, "any", "unknown");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("needs root"), std::string::npos);
}

TEST(TracepointFormat, WhatDoesNotExistIsNotMadeUp) {
  ClosedTarget target;
  target.code = ENOENT;
  TypeStore types;
  EXPECT_FALSE(find_tracepoint_format(target, types, "syscalls", "sys_enter_openat"));
}

}  // namespace
}  // namespace awl::frontend
