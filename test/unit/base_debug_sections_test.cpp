// Compressed sections of debug information, as files claim and have them.
#include <gtest/gtest.h>

#include <cstring>

#include "base/dwarf/debug_sections.h"
#include "base/dwarf/image_writer.h"

namespace awl {
namespace {

// "abc" as zlib stores it without compressing it.
constexpr std::string_view kStored(
    "\x78\x01\x01\x03\x00\xfc\xff"
    "abc\x02\x4d\x01\x27",
    14);

// As old assemblers and linkers named and wrote it.
std::string old_style(uint64_t claimed) {
  std::string text = "ZLIB";
  for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(claimed >> shift);
  return text.append(kStored);
}

class DebugSectionsTest : public testing::Test {
 protected:
  Elf *open(std::string_view name, std::string_view content) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_version = EV_CURRENT;
    ImageWriter writer(header);
    writer.add(name, content);
    image_ = writer.finish();
    elf_version(EV_CURRENT);
    if (elf_ != nullptr) elf_end(elf_);
    elf_ = elf_memory(image_.data(), image_.size());
    return elf_;
  }
  ~DebugSectionsTest() override { elf_end(elf_); }

  std::string image_;
  Elf *elf_ = nullptr;
};

TEST_F(DebugSectionsTest, OfTheOldStyle) {
  Elf *elf = open(".zdebug_addr", old_style(3));
  EXPECT_TRUE(check_compressed_sections(elf));
  for (int time = 0; time < 2; ++time) {
    const Result<std::string_view> found = find_debug_section(elf, ".debug_addr");
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(*found, "abc");
  }
}

TEST_F(DebugSectionsTest, NotCompressed) {
  Elf *elf = open(".debug_addr", "12345678");
  const Result<std::string_view> found = find_debug_section(elf, ".debug_addr");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, "12345678");
  EXPECT_EQ(*find_debug_section(elf, ".debug_str"), "");
}

TEST_F(DebugSectionsTest, ClaimsAreNotBelieved) {
  for (const uint64_t claimed : {uint64_t{1} << 21, uint64_t{1} << 62, UINT64_MAX}) {
    Elf *elf = open(".zdebug_addr", old_style(claimed));
    EXPECT_FALSE(check_compressed_sections(elf)) << claimed;
    EXPECT_FALSE(find_debug_section(elf, ".debug_addr")) << claimed;
  }
  EXPECT_FALSE(check_compressed_sections(open(".zdebug_addr", "ZLIB\0")));
  EXPECT_FALSE(find_debug_section(open(".zdebug_addr", old_style(4)), ".debug_addr"));
}

}  // namespace
}  // namespace awl
