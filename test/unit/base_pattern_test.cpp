#include <gtest/gtest.h>

#include <string>

#include "base/pattern.h"

namespace awl {
namespace {

TEST(Pattern, MatchesLiteralText) {
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_TRUE(matches_pattern("sched_switch", "sched_switch"));
  EXPECT_FALSE(matches_pattern("sched_switch", "sched_switch2"));
  EXPECT_FALSE(matches_pattern("sched_switch2", "sched_switch"));
  EXPECT_FALSE(matches_pattern("", "x"));
}

TEST(Pattern, StarIsAnyRun) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("*", "a/b:c"));
  EXPECT_TRUE(matches_pattern("sys_*_open*", "sys_enter_openat"));
  EXPECT_TRUE(matches_pattern("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(matches_pattern("**x**", "x"));
  EXPECT_FALSE(matches_pattern("a*b", "a-b-"));
}

TEST(Pattern, QuestionMarkIsOneCharacter) {
  EXPECT_TRUE(matches_pattern("rea?", "read"));
  EXPECT_FALSE(matches_pattern("rea?", "rea"));
}

TEST(Pattern, BracketsAreSets) {
  EXPECT_TRUE(matches_pattern("pread[0-9][0-9]", "pread64"));
  EXPECT_TRUE(matches_pattern("[!a-c]x", "dx"));
  EXPECT_TRUE(matches_pattern("[^a-c]x", "dx"));
  EXPECT_FALSE(matches_pattern("[!a-c]x", "bx"));
  EXPECT_TRUE(matches_pattern("[]]", "]"));
  EXPECT_TRUE(matches_pattern("[a-]", "-"));
  EXPECT_TRUE(matches_pattern("*[xy]", "axbxy"));
}

TEST(Pattern, UnclosedBracketIsItself) {
  EXPECT_TRUE(matches_pattern("a[b", "a[b"));
  EXPECT_FALSE(matches_pattern("a[b", "ab"));
  EXPECT_TRUE(matches_pattern("[", "["));
  EXPECT_TRUE(matches_pattern("[!", "[!"));
}

TEST(Pattern, ManyStarsStayFast) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  EXPECT_FALSE(matches_pattern(pattern + "b", std::string(5000, 'a')));
}

TEST(Pattern, KnowsWildcards) {
  EXPECT_TRUE(has_wildcard("sys_*"));
  EXPECT_TRUE(has_wildcard("a?"));
  EXPECT_TRUE(has_wildcard("[ab]"));
  EXPECT_FALSE(has_wildcard("operator[]x"));
  EXPECT_FALSE(has_wildcard("a["));
  EXPECT_FALSE(has_wildcard("malloc"));
}

}  // namespace
}  // namespace awl
