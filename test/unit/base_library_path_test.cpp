#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "base/library_path.h"

namespace awl {
namespace {

constexpr uint32_t kHeaderSize = 48, kEntrySize = 24;
#if defined(__x86_64__)
constexpr uint32_t kNative = 0x0303;
#else
constexpr uint32_t kNative = 0x0a03;
#endif

void put(std::string &out, uint32_t value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof value);
}

// A cache with libc for this machine and for 32-bit programs.
std::string make_cache() {
  const std::string strings("libc.so.6\0/lib/libc.so.6\0/lib32/libc.so.6\0", 43);
  const uint32_t base = kHeaderSize + 2 * kEntrySize;
  std::string cache = "glibc-ld.so.cache1.1";
  put(cache, 2);
  put(cache, static_cast<uint32_t>(strings.size()));
  cache.append(kHeaderSize - cache.size(), '\0');
  for (const auto &[flags, path] : {std::pair{kNative, base + 10}, std::pair{0x0003u, base + 25}}) {
    put(cache, flags);
    put(cache, base);
    put(cache, path);
    cache.append(12, '\0');
  }
  return cache + strings;
}

TEST(LibraryCache, ReadsEntriesOfThisMachine) {
  const auto entries = parse_library_cache(make_cache());
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].name, "libc.so.6");
  EXPECT_EQ(entries[0].path, "/lib/libc.so.6");
}

TEST(LibraryCache, ReadsTheNewFormatBehindTheOld) {
  std::string old("ld.so-1.7.0\0", 12);
  put(old, 1);
  old.append(12, '\0');
  old.append(4, '\0');  // up to the next multiple of eight
  EXPECT_EQ(parse_library_cache(old + make_cache()).size(), 1u);
}

TEST(LibraryCache, SurvivesMalformedOnes) {
  EXPECT_TRUE(parse_library_cache("").empty());
  EXPECT_TRUE(parse_library_cache("ld.so-1.7.0").empty());
  EXPECT_TRUE(parse_library_cache(std::string("ld.so-1.7.0\0\xff\xff\xff\xff", 16)).empty());
  const std::string whole = make_cache();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_LE(parse_library_cache(whole.substr(0, size)).size(), 1u);
  }
  for (size_t at = 20; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0xff);
    EXPECT_LE(parse_library_cache(changed).size(), 2u);
  }
}

TEST(FindBinary, TakesPathsAsTheyAre) {
  EXPECT_EQ(*find_binary("/proc/self/exe"), "/proc/self/exe");
  EXPECT_EQ(*find_binary("/self/exe", "/proc"), "/proc/self/exe");
  EXPECT_FALSE(find_binary("/nonexistent/file"));
  EXPECT_FALSE(find_binary("/tmp"));
  EXPECT_FALSE(find_binary(""));
}

TEST(FindBinary, FindsProgramsAndLibraries) {
  const auto shell = find_binary("sh");
  ASSERT_TRUE(shell);
  EXPECT_TRUE(shell->ends_with("/sh"));
  const auto libc = find_binary("libc.so.6");
  if (!libc) GTEST_SKIP() << "no glibc here";
  EXPECT_TRUE(libc->ends_with("/libc.so.6"));
  for (const char *name : {"c", "libc", "libc.so"}) {
    const auto found = find_binary(name);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(*found, *libc) << name;
  }
}

TEST(FindBinary, SaysWhereItLooked) {
  const auto found = find_binary("no-such-thing");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("no-such-thing in $PATH, /etc/ld.so.cache"),
            std::string::npos);
}

}  // namespace
}  // namespace awl
