#include <gtest/gtest.h>

#include "frontend/source/source.h"

namespace awl::frontend {
namespace {

TEST(SourceTest, PositionsCountFromOneInBytes) {
  Source source("a.bt", "ab\n\xc3\xa9x\n\nlast");
  EXPECT_EQ(source.line_count(), 4u);
  auto at = [&](uint32_t offset) {
    LineColumn position = source.position(offset);
    return std::pair(position.line, position.column);
  };
  EXPECT_EQ(at(0), std::pair(1u, 1u));
  EXPECT_EQ(at(2), std::pair(1u, 3u));  // the line end belongs to its line
  EXPECT_EQ(at(3), std::pair(2u, 1u));
  EXPECT_EQ(at(5), std::pair(2u, 3u));
  EXPECT_EQ(at(7), std::pair(3u, 1u));
  EXPECT_EQ(at(12), std::pair(4u, 5u));
  EXPECT_EQ(at(4000), std::pair(4u, 5u));  // past the end is the end
}

TEST(SourceTest, LinesHaveNoLineEnds) {
  Source source("a.bt", "one\r\ntwo\n");
  EXPECT_EQ(source.line(1), "one");
  EXPECT_EQ(source.line(2), "two");
  EXPECT_EQ(source.line(3), "");
  EXPECT_EQ(source.line(0), "");
  EXPECT_EQ(source.line(4), "");
}

TEST(SourceTest, AnEmptySourceHasOneLine) {
  Source source("a.bt", "");
  EXPECT_EQ(source.line_count(), 1u);
  EXPECT_EQ(source.position(0).line, 1u);
}

TEST(SourceManagerTest, SpansAreTextOfTheirSource) {
  SourceManager sources;
  SourceId first = sources.add("a", "hello");
  SourceId second = sources.add("b", "world");
  EXPECT_EQ(first, 0u);
  EXPECT_EQ(sources.text({second, 1, 3}), "or");
  EXPECT_EQ(sources.text({first, 3, 99}), "lo");
  EXPECT_EQ(sources.text({first, 3, 3}), "");
  EXPECT_EQ(sources.text({7, 0, 1}), "");
  EXPECT_EQ((Span{0, 2, 4}.to({0, 1, 3}).begin), 1u);
  EXPECT_EQ((Span{0, 2, 4}.to({0, 1, 3}).end), 4u);
}

}  // namespace
}  // namespace awl::frontend
