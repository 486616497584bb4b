// Whose stacks can be unwound, as processes fork, start threads and end. With maps of the kernel.
#include "runtime/unwind/unwind_tables.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace awl::runtime {
namespace {

constexpr uint32_t kChild = 4'194'305;  // no process has such an id

class UnwindTablesTest : public testing::Test {
 protected:
  void SetUp() override {
    processes_ = FileDescriptor(bpf_map_create(BPF_MAP_TYPE_HASH, "processes", sizeof(uint32_t),
                                               sizeof(object::UnwindProcess),
                                               object::kMaxUnwindProcesses, nullptr));
    const FileDescriptor inner = make_unwind_table(0);
    LIBBPF_OPTS(bpf_map_create_opts, options);
    options.inner_map_fd = static_cast<uint32_t>(inner.get());
    tables_ = FileDescriptor(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "tables", sizeof(uint32_t),
                                            sizeof(uint32_t), object::kMaxUnwindTables, &options));
    if (!processes_ || !tables_) GTEST_SKIP() << "the kernel makes no maps for us";
    unwind_ = std::make_unique<UnwindTables>(processes_.get(), tables_.get());
    unwind_->set_on_problem([this](const std::string &problem) { problems_.push_back(problem); });
    const Status status = unwind_->add_process(own_);
    ASSERT_TRUE(status) << status.error().message;
    problems_.clear();  // of files that are mapped here
    unwind_->inherit(kChild, own_);
    ASSERT_TRUE(is_unwound(kChild));
  }

  // As the program sees it.
  bool is_unwound(uint32_t pid) const {
    auto process = std::make_unique<object::UnwindProcess>();
    const bool is_there = bpf_map_lookup_elem(processes_.get(), &pid, process.get()) == 0;
    EXPECT_EQ(is_there, unwind_->has_process(pid));
    return is_there;
  }

  const uint32_t own_ = static_cast<uint32_t>(getpid());
  FileDescriptor processes_, tables_;
  std::unique_ptr<UnwindTables> unwind_;
  std::vector<std::string> problems_;
};

TEST_F(UnwindTablesTest, AChildEndsWithItsLastThread) {
  unwind_->add_thread(kChild);
  unwind_->end_thread(kChild);
  EXPECT_TRUE(is_unwound(kChild));
  unwind_->end_thread(kChild);
  EXPECT_FALSE(is_unwound(kChild));
  unwind_->end_thread(own_);
  EXPECT_TRUE(is_unwound(own_)) << "how many threads it had is not known";
}

TEST_F(UnwindTablesTest, AChildThatRunsAnotherProgramIsForgotten) {
  unwind_->forget_inherited(kChild);
  EXPECT_FALSE(is_unwound(kChild));
  unwind_->forget_inherited(own_);
  EXPECT_TRUE(is_unwound(own_));
}

TEST_F(UnwindTablesTest, WhatIsNotKnownForSureIsDropped) {
  unwind_->start_anew();
  EXPECT_FALSE(is_unwound(kChild));
  EXPECT_TRUE(is_unwound(own_));
  EXPECT_EQ(problems_.size(), 1u);
  unwind_->inherit(kChild, own_);
  EXPECT_TRUE(is_unwound(kChild));
  unwind_->start_anew();
  EXPECT_EQ(problems_.size(), 1u) << "is said once";
}

}  // namespace
}  // namespace awl::runtime
