// What is made before the object is there.
#include "runtime/head_start.h"

#include <gtest/gtest.h>

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
  std::optional<KernelBtf> types = start->take_kernel_types();
  ASSERT_TRUE(types);
  EXPECT_GT(types->view().type_count(), 1000u);
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

}  // namespace
}  // namespace awl::runtime
