// Rules to unwind by, out of .eh_frame sections made here and of this very program.
#include "runtime/unwind/eh_frame.h"

#include <gtest/gtest.h>

#include <string>

#include "base/elf_file.h"

namespace awl::runtime {
namespace {

using object::UnwindRow;
using object::UnwindRule;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (int value : values) text += static_cast<char>(value);
  return text;
}

std::string word(uint32_t value) {
  return std::string(reinterpret_cast<const char *>(&value), sizeof value);
}

// With its length in front, padded as it must be.
std::string entry(std::string body) {
  while (body.size() % 4 != 0) body += '\0';
  return word(static_cast<uint32_t>(body.size())) + body;
}

// "zR", addresses of 4 bytes from where they stand; CFA = rsp + 8, the return address below it.
std::string common(const std::string &augmentation = "zR") {
  std::string letters = augmentation + '\0';
  return entry(word(0) + bytes({1}) + letters + bytes({1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1}));
}

// A function of `size` bytes at `start`; the section lies at address 0.
std::string function(const std::string &before, uint32_t start, uint32_t size,
                     const std::string &instructions) {
  const auto at = static_cast<uint32_t>(before.size()) + 4;
  std::string body = word(at) + word(start - (at + 4)) + word(size) + bytes({0}) + instructions;
  return before + entry(body);
}

std::vector<uint64_t> packed(std::initializer_list<UnwindRow> rows) {
  std::vector<uint64_t> result;
  for (const UnwindRow &row : rows) result.push_back(pack(row));
  return result;
}

TEST(EhFrame, PushesAndPops) {
  // push %rbp; mov %rsp,%rbp; …; leave
  const std::string section =
      function(common(), 0x1000, 0x20,
               bytes({0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x50, 0x0c, 7, 8, 0xc6}));
  EXPECT_EQ(read_eh_frame(section, 0), packed({{0x1000, UnwindRule::kStackPointer, 0, 1},
                                               {0x1001, UnwindRule::kStackPointer, -2, 2},
                                               {0x1004, UnwindRule::kFramePointer, -2, 2},
                                               {0x1014, UnwindRule::kStackPointer, 0, 1},
                                               {0x1020, UnwindRule::kUnknown}}));
}

TEST(EhFrame, StatesAndNeighbours) {
  std::string section = function(common(), 0x2000, 0x10, bytes({0x44, 0x0a, 0x0e, 32, 0x44, 0x0b}));
  section = function(section, 0x2010, 0x10, bytes({0x07, 16}));  // nobody calls it
  section = function(section, 0x1000, 0x10, "");
  EXPECT_EQ(read_eh_frame(section, 0), packed({{0x1000, UnwindRule::kStackPointer, 0, 1},
                                               {0x1010, UnwindRule::kUnknown},
                                               {0x2000, UnwindRule::kStackPointer, 0, 1},
                                               {0x2004, UnwindRule::kStackPointer, 0, 4},
                                               {0x2008, UnwindRule::kStackPointer, 0, 1},
                                               {0x2010, UnwindRule::kOutermost},
                                               {0x2020, UnwindRule::kUnknown}}));
}

TEST(EhFrame, Expressions) {
  // .plt, main() with a realigned stack, and one that is not known.
  std::string section =
      function(common(), 0x1000, 0x10,
               bytes({0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22}));
  section =
      function(section, 0x2000, 0x10, bytes({0x10, 6, 2, 0x76, 0, 0x0f, 3, 0x76, 0x78, 0x06}));
  section = function(section, 0x3000, 0x10, bytes({0x0f, 2, 0x30, 0x06}));
  EXPECT_EQ(read_eh_frame(section, 0), packed({{0x1000, UnwindRule::kPlt, 0, 11},
                                               {0x1010, UnwindRule::kUnknown},
                                               {0x2000, UnwindRule::kRealigned, 0, -1},
                                               {0x2010, UnwindRule::kUnknown}}));
  std::string signal = function(common("zRS"), 0x1000, 0x10,
                                bytes({0x0f, 4, 0x77, 0xa0, 1, 6, 0x10, 16, 3, 0x77, 0xa8, 1}));
  EXPECT_EQ(read_eh_frame(signal, 0).front(), pack(UnwindRow{0x1000, UnwindRule::kSignal}));
}

TEST(EhFrame, WhatCannotBeFollowedHasNoRule) {
  // CFA in another register; rbp in a register; an offset that is no number of words; too large.
  for (const std::string &instructions :
       {bytes({0x0c, 10, 0}), bytes({0x09, 6, 3}), bytes({0x0e, 12}),
        bytes({0x0e, 0x80, 0x80, 0x80, 0x80, 1}), bytes({0x3f})}) {
    EXPECT_EQ(read_eh_frame(function(common(), 0x1000, 0x10, instructions), 0),
              packed({{0x1000, UnwindRule::kUnknown}}));
  }
}

TEST(EhFrame, CutOffAnywhereItIsReadAsFarAsItGoes) {
  std::string section = function(common(), 0x1000, 0x20, bytes({0x41, 0x0e, 16, 0x86, 2}));
  section = function(section, 0x2000, 0x20, bytes({0x04, 255, 255, 255, 255, 0x0e, 16}));
  for (size_t size = 0; size <= section.size(); ++size) {
    std::string part = section.substr(0, size);
    read_eh_frame(part, 0xffffffffffff0000);
    for (size_t at = 0; at < part.size(); ++at) {
      std::string broken = part;
      broken[at] = static_cast<char>(0xff);
      read_eh_frame(broken, 0);
    }
  }
}

// As common(), with another scale and more instructions behind.
std::string common_with(const std::string &data_alignment, const std::string &instructions) {
  return entry(word(0) + bytes({1}) + std::string("zR\0", 3) + bytes({1}) + data_alignment +
               bytes({16, 1, 0x1b, 0x0c, 7, 8}) + instructions);
}

TEST(EhFrame, NumbersThatOverflowHaveNoRule) {
  // 2^61 + 2: eight times that is 16 when what is above 64 bits is lost.
  const std::string large = bytes({0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20});
  const std::string least = bytes({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f});
  // DW_CFA_offset, _offset_extended, _offset_extended_sf, _def_cfa_sf, _def_cfa_offset_sf of rbp.
  for (const std::string &instruction :
       {bytes({0x86}), bytes({0x05, 6}), bytes({0x11, 6}), bytes({0x12, 6}), bytes({0x13})}) {
    for (const std::string &scale : {bytes({0x78}), bytes({8}), least}) {
      const std::string section =
          function(common_with(scale, ""), 0x1000, 0x10, instruction + large);
      EXPECT_EQ(read_eh_frame(section, 0), packed({{0x1000, UnwindRule::kUnknown}}));
    }
  }
}

TEST(EhFrame, ScaleOfOne) {
  // DW_CFA_def_cfa_sf rsp, -8: signed whatever the scale.
  const std::string section =
      function(common_with(bytes({1}), ""), 0x1000, 0x10, bytes({0x12, 7, 0x78}));
  EXPECT_EQ(read_eh_frame(section, 0),
            packed({{0x1000, UnwindRule::kStackPointer, 0, -1}, {0x1010, UnwindRule::kUnknown}}));
}

TEST(EhFrame, LongCommonEntries) {
  const std::string scale = bytes({0x78});
  const std::string too_long = common_with(scale, std::string(2000, '\0'));
  EXPECT_TRUE(read_eh_frame(function(too_long, 0x1000, 0x10, ""), 0).empty());
  // One that many functions name is not run for all of them.
  std::string section = common_with(scale, std::string(1000, '\0'));
  for (uint32_t i = 0; i < 1000; ++i) section = function(section, 0x10000 + i * 0x20, 0x10, "");
  const std::vector<uint64_t> rows = read_eh_frame(section, 0);
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows.front(), pack(UnwindRow{0x10000, UnwindRule::kStackPointer, 0, 1}));
  EXPECT_LT(rows.size(), 200u);
}

TEST(EhFrame, ThisProgram) {
  auto file = ElfFile::open("/proc/self/exe");
  ASSERT_TRUE(file);
  const Result<std::vector<uint64_t>> read = read_unwind_rows(*file);
  ASSERT_TRUE(read) << read.error().message;
  const std::vector<uint64_t> &rows = *read;
  ASSERT_GT(rows.size(), 1000u);
  size_t known = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) {
      EXPECT_LT(rows[i - 1] & UINT32_MAX, rows[i] & UINT32_MAX);
    }
    if ((rows[i] >> 32 & 0xff) != static_cast<uint64_t>(UnwindRule::kUnknown)) ++known;
  }
  EXPECT_GT(known, rows.size() / 2);
}

}  // namespace
}  // namespace awl::runtime
