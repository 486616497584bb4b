// What is made before the object is there.
#include <gtest/gtest.h>

#include "runtime/attach/tracepoint_events.h"
#include "runtime/head_start.h"
#include "runtime/object/description.h"

namespace awl::runtime {
namespace {

object::Description with_program(const std::string &section) {
  object::Description description;
  description.programs.emplace_back().section = section;
  return description;
}

TEST(HeadStart, IsOfNoUseWithoutOutputOrTypes) {
  EXPECT_EQ(HeadStart::start(with_program("raw_tp")), nullptr);
}

TEST(HeadStart, FindsTheTypesOfRawTracepoints) {
  if (!KernelBtf::open()) GTEST_SKIP() << "the kernel shows no BTF";
  auto start = HeadStart::start(with_program("tp_btf/sys_enter"));
  ASSERT_NE(start, nullptr);
  std::optional<NamedKernelBtf> types = start->take_kernel_types();
  ASSERT_TRUE(types);
  EXPECT_GT(types->btf.view().type_count(), 1000u);
  EXPECT_FALSE(types->names.find(types->btf.view(), "task_struct").empty());
  EXPECT_FALSE(start->take_kernel_types()) << "given away once";
  EXPECT_FALSE(start->take_ring(4096)) << "nothing is printed";
}

TEST(HeadStart, GivesTheRingOfTheSizeThatIsWanted) {
  object::Description description = with_program("raw_tp");
  description.events.emplace_back().kind = object::EventKind::kPrintf;
  const size_t size = output_ring_size(description);
  auto start = HeadStart::start(description);
  ASSERT_NE(start, nullptr);
  EXPECT_FALSE(start->take_ring(size * 2));
  EXPECT_FALSE(start->take_kernel_types());
  FileDescriptor ring = start->take_ring(size);
  if (!ring) GTEST_SKIP() << "no BPF maps here";
  EXPECT_FALSE(start->take_ring(size)) << "given away once";
}

TEST(HeadStart, OpensEventsOfTracepointsThatAreNamed) {
  const TracepointName name{"sched", "sched_switch"};
  if (!open_tracepoint_event(name)) GTEST_SKIP() << "no events of tracepoints here";
  object::Description description = with_program("tracepoint/sched/sched_switch");
  std::vector<object::AttachPoint> &points = description.programs.front().attach_points;
  for (const char *event : {"sched_switch", "sched_*", "no_such_event", "sched_switch"})
    points.push_back({.family = "tracepoint", .category = "sched", .target = event});
  auto start = HeadStart::start(description);
  ASSERT_NE(start, nullptr);
  TracepointEvents events = start->take_events();
  EXPECT_TRUE(events.take(name));
  EXPECT_TRUE(events.take(name)) << "one for each place that names it";
  EXPECT_FALSE(events.take(name));
}

TEST(HeadStart, OpensNoEventsForOthersPrograms) {
  object::Description description = with_program("tp_btf/sys_enter");
  description.programs.front().attach_points.push_back(
      {.family = "tracepoint", .category = "sched", .target = "sched_switch"});
  EXPECT_TRUE(tracepoints_of(description).empty());
}

}  // namespace
}  // namespace awl::runtime
