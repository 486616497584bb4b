#include "base/number_names.h"

#include <gtest/gtest.h>

namespace awl {
namespace {

TEST(NumberNames, Errors) {
  EXPECT_EQ(error_text(0), "Success");
  EXPECT_EQ(error_text(2), "No such file or directory");
  EXPECT_EQ(error_text(12), "Out of memory");
  EXPECT_EQ(error_text(9999), "Unknown error");
  // A table of them ends where their numbers do.
  EXPECT_NE(error_text(kErrorNumbers - 1), "Unknown error");
  EXPECT_EQ(error_text(kErrorNumbers), "Unknown error");
}

TEST(NumberNames, Signals) {
  EXPECT_EQ(signal_text(9), "Killed");
  EXPECT_EQ(signal_text(0), "Unknown signal 0");
  EXPECT_EQ(signal_text(32), "Unknown signal 32");
  EXPECT_EQ(signal_text(40), "Real-time signal 6");
  EXPECT_EQ(signal_text(kSignalNumbers - 1), "Real-time signal 30");
  EXPECT_EQ(signal_text(kSignalNumbers), "N/A");
  EXPECT_EQ(signal_text(-9), "N/A");
}

TEST(NumberNames, Syscalls) {
  EXPECT_STREQ(syscall_name(451), "cachestat");
  EXPECT_EQ(syscall_name(100000), nullptr);
  EXPECT_EQ(syscall_text(kSyscallNumbers), "Unknown syscall");
  EXPECT_EQ(syscall_text(-1), "Unknown syscall");
#ifdef __x86_64__
  EXPECT_STREQ(syscall_name(0), "read");
  EXPECT_STREQ(syscall_name(257), "openat");
  EXPECT_EQ(syscall_text(1), "write");
#endif
}

TEST(NumberNames, FitIntoAString) {
  for (int32_t i = 0; i < 512; ++i) {
    EXPECT_LT(error_text(i).size(), 64u);
    EXPECT_LT(signal_text(i).size(), 64u);
    EXPECT_LT(syscall_text(i).size(), 64u);
  }
}

}  // namespace
}  // namespace awl
