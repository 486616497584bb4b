#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "frontend/target/snapshot.h"
#include "frontend/target/snapshot_data.h"
#include "frontend/target/target.h"

namespace awl::frontend {
namespace {

std::unique_ptr<Target> fixture() {
  auto target = load_snapshot_target(AWL_SOURCE_DIR "/test/fixtures/x86_64-6.18");
  EXPECT_TRUE(target) << target.error().message;
  return target ? std::move(*target) : nullptr;
}

// A store with the types of a target.
struct Types {
  explicit Types(Target &target) : resolver(target.type_resolver(store)) {
    store.set_resolver(resolver.get());
  }
  TypeStore store;
  std::unique_ptr<TypeStore::Resolver> resolver;
};

// What every target knows.
void expect_kernel_types(Target &target) {
  Types types(target);
  const TypeRef task = types.store.find_struct("task_struct", false);
  ASSERT_NE(task, nullptr);
  MemberPath path;
  ASSERT_TRUE(find_member(types.store, task->struct_def, "pid", &path));
  EXPECT_EQ(path.members.back()->type, types.store.integer(4, true));
  EXPECT_EQ(path.members.back()->type_text, "pid_t");
  ASSERT_TRUE(find_member(types.store, task->struct_def, "real_parent", &path));
  EXPECT_EQ(path.members.back()->type->element, task);
  ASSERT_TRUE(find_member(types.store, task->struct_def, "comm", &path));
  EXPECT_EQ(path.members.back()->type, types.store.array(types.store.integer(1, true), 16));

  const auto sched_switch = target.raw_tracepoint(types.store, "sched_switch");
  ASSERT_TRUE(sched_switch);
  ASSERT_GE(sched_switch->parameters.size(), 3u);
  EXPECT_EQ(sched_switch->parameters[1].name, "prev");
  EXPECT_EQ(sched_switch->parameters[1].type->element, task);
  EXPECT_FALSE(target.raw_tracepoint(types.store, "no_such_event"));
  const auto names = target.raw_tracepoints();
  EXPECT_NE(std::find(names.begin(), names.end(), "sys_enter"), names.end());

  TypeStore::Constant constant;
  ASSERT_TRUE(types.store.find_constant("PIDTYPE_TGID", &constant));
  EXPECT_EQ(constant.value, 1);
  EXPECT_EQ(constant.of->name, "pid_type");
  const auto read = target.kernel_function(types.store, "", "vfs_read");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->parameters[0].type_text, "struct file *");
}

TEST(SnapshotTarget, KnowsKernelTypes) {
  const auto target = fixture();
  ASSERT_NE(target, nullptr);
  EXPECT_TRUE(target->has_btf());
  EXPECT_EQ(target->architecture(), "x86_64");
  expect_kernel_types(*target);
}

TEST(SnapshotTarget, DeclaresWhatWasNotAskedFor) {
  const auto target = fixture();
  Types types(*target);
  const TypeRef task = types.store.find_struct("task_struct", false);
  MemberPath path;
  ASSERT_TRUE(find_member(types.store, task->struct_def, "sched_class", &path));
  const TypeRef element = path.members.back()->type->element;
  ASSERT_TRUE(element->is_struct());
  EXPECT_EQ(element->struct_def->name, "sched_class");
  EXPECT_TRUE(types.store.complete(element->struct_def).members.empty());
}

TEST(SnapshotTarget, KnowsTracepoints) {
  const auto target = fixture();
  EXPECT_EQ(target->tracepoints("syscalls", "sys_*_openat").size(), 2u);
  EXPECT_TRUE(target->tracepoints("nothing", "*").empty());
  const auto format = target->tracepoint_format("sched", "sched_process_exec");
  ASSERT_TRUE(format);
  EXPECT_EQ(format->fields[0].name, "filename");
  EXPECT_TRUE(format->fields[0].is_data_loc);
  EXPECT_EQ(target->tracepoint_format("sched", "nope").error().code, ENOENT);
}

TEST(SnapshotTarget, KnowsBinaries) {
  const auto target = fixture();
  const auto libc = target->resolve_binary("libc");
  ASSERT_TRUE(libc);
  EXPECT_EQ(*target->resolve_binary(*libc), *libc);
  EXPECT_EQ(target->binary_functions(*libc, "mallo?")->at(0), "malloc");
  EXPECT_EQ(target->binary_symbol_size(*libc, "environ"), 8u);
  EXPECT_FALSE(target->resolve_binary("nope"));
  EXPECT_FALSE(target->binary_functions("/nope", "*"));
  EXPECT_TRUE(target->kernel_symbol("vfs_read"));
  EXPECT_FALSE(target->kernel_symbol("nope"));
  EXPECT_EQ(*target->cgroup_id("/"), 1u);
}

TEST(SnapshotTarget, RefusesMalformedDocuments) {
  EXPECT_FALSE(load_snapshot_target("/nonexistent"));
  EXPECT_FALSE(parse_snapshot(""));
  EXPECT_FALSE(parse_snapshot("[]"));
  EXPECT_FALSE(parse_snapshot("{\"version\": 99}"));
  EXPECT_FALSE(parse_snapshot("{\"version\": 1}"));
  SnapshotData data;
  data.architecture = "x86_64";
  data.tracepoints["a:b"].fields.push_back({.name = "x", .type_text = "int", .size = 4});
  const std::string json = to_json(data);
  const auto again = parse_snapshot(json);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_json(*again), json);
  for (size_t size = 0; size + 2 < json.size(); ++size) {
    EXPECT_FALSE(parse_snapshot(json.substr(0, size)));
  }
  for (size_t at = 0; at < json.size(); ++at) {
    std::string changed = json;
    changed[at] = '7';
    (void)parse_snapshot(changed);
  }
}

TEST(SnapshotRequest, IsReadFromJson) {
  const auto request = parse_snapshot_request(
      R"({"types": ["struct file"], "binaries": [{"name": "libc", "patterns": ["m*"]}]})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->types, std::vector<std::string>{"struct file"});
  EXPECT_EQ(request->binaries[0].patterns[0], "m*");
  EXPECT_FALSE(parse_snapshot_request("{\"types\": 1}"));
  EXPECT_FALSE(parse_snapshot_request("{\"binaries\": [{}]}"));
}

TEST(LiveTarget, KnowsKernelTypes) {
  const auto target = make_live_target();
  EXPECT_FALSE(target->architecture().empty());
  if (!target->has_btf()) GTEST_SKIP() << "no BTF here";
  expect_kernel_types(*target);
}

TEST(LiveTarget, WritesSnapshotsThatAnswerTheSame) {
  const auto live = make_live_target();
  if (!live->has_btf()) GTEST_SKIP() << "no BTF here";
  const std::string folder = "/tmp/awl-snapshot-" + std::to_string(::getpid());
  SnapshotRequest request;
  request.types = {"struct task_struct", "struct file", "enum pid_type"};
  request.functions = {"vfs_read"};
  request.raw_tracepoints = {"sched_switch", "sys_enter"};
  const Status written = write_snapshot(request, folder);
  ASSERT_TRUE(written) << written.error().message;
  auto target = load_snapshot_target(folder);
  ASSERT_TRUE(target) << target.error().message;
  expect_kernel_types(**target);

  request.types = {"struct no_such_struct"};
  EXPECT_FALSE(write_snapshot(request, folder));
  // Cut short, it is refused at once.
  std::ofstream(folder + "/vmlinux.btf", std::ios::trunc) << "x";
  EXPECT_FALSE(load_snapshot_target(folder));
  ::unlink((folder + "/vmlinux.btf").c_str());
  ::unlink((folder + "/snapshot.json").c_str());
  ::rmdir(folder.c_str());
}

}  // namespace
}  // namespace awl::frontend
