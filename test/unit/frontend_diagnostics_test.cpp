#include <gtest/gtest.h>

#include <set>

#include "frontend/diagnostics/diagnostic.h"
#include "frontend/diagnostics/renderer.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kTestError, Error, "test-error", "bad {} of {}", std::string, int);
AWL_DIAGNOSTIC(kTestWarning, Warning, "test-warning", "odd");

struct RendererTest : testing::Test {
  std::string rendered(const std::string &text, uint32_t begin, uint32_t end,
                       const std::string &word = "thing") {
    SourceId source = sources.add("stdin", text);
    diagnostics.emit({source, begin, end}, kTestError, word, 3);
    return render(diagnostics.all().back(), sources);
  }
  SourceManager sources;
  Diagnostics diagnostics;
};

TEST_F(RendererTest, UnderlinesTheSpan) {
  EXPECT_EQ(rendered("begin { @=*uptr(x) }", 8, 11),
            "stdin:1:9-12: ERROR: bad thing of 3\n"
            "begin { @=*uptr(x) }\n"
            "        ~~~\n");
}

TEST_F(RendererTest, AnEmptySpanIsOneColumn) {
  EXPECT_EQ(rendered("ab", 2, 2), "stdin:1:3-3: ERROR: bad thing of 3\nab\n  ~\n");
  EXPECT_EQ(rendered("", 0, 0), "stdin:1:1-1: ERROR: bad thing of 3\n\n~\n");
}

TEST_F(RendererTest, SeveralLinesShowTheFirst) {
  EXPECT_EQ(rendered("a {\n b\n}", 2, 8), "stdin:1-3: ERROR: bad thing of 3\na {\n  ~\n");
}

TEST_F(RendererTest, UnderlineStandsBelowTabsAndForeignLetters) {
  EXPECT_EQ(rendered("\tx\ty", 1, 2), "stdin:1:2-3: ERROR: bad thing of 3\n    x   y\n    ~\n");
  EXPECT_EQ(rendered("\tx\ty", 3, 4), "stdin:1:4-5: ERROR: bad thing of 3\n    x   y\n        ~\n");
  EXPECT_EQ(rendered("\"\xc3\xa9\" y", 5, 6),
            "stdin:1:6-7: ERROR: bad thing of 3\n\"\xc3\xa9\" y\n    ~\n");
}

TEST_F(RendererTest, BytesThatAreNoTextAreEscaped) {
  EXPECT_EQ(rendered("a\x1b\xff y", 1, 2),
            "stdin:1:2-3: ERROR: bad thing of 3\na\\x1b\\xff y\n ~~~~\n");
  EXPECT_EQ(rendered("x", 0, 1, "\x1b[31m\n"), "stdin:1:1-2: ERROR: bad \\x1b[31m\\n of 3\nx\n~\n");
}

TEST_F(RendererTest, LongLinesAreCutAroundTheSpan) {
  std::string text =
      rendered(std::string(100000, 'a') + "b" + std::string(100000, 'c'), 100000, 100001);
  size_t begin = text.find('\n') + 1;
  std::string line = text.substr(begin, text.find('\n', begin) - begin);
  EXPECT_LT(line.size(), 300u);
  size_t mark = text.find('~');
  EXPECT_EQ(line[mark - begin - line.size() - 1], 'b');
  EXPECT_EQ(text.substr(mark), "~\n");
  // A span longer than what is shown is cut as well.
  text = rendered(std::string(100000, 'a'), 10, 90000);
  EXPECT_LT(text.size(), 1000u);
}

TEST_F(RendererTest, HintsAndNotesFollow) {
  SourceId source = sources.add("a.bt", "one two");
  diagnostics.emit({source, 4, 7}, kTestWarning).hint("try this").note({source, 0, 3}, "here");
  EXPECT_EQ(render(diagnostics.all().back(), sources, {false, true}),
            "a.bt:1:5-8: WARNING: odd [test-warning]\n"
            "one two\n"
            "    ~~~\n"
            "HINT: try this\n"
            "a.bt:1:1-4: NOTE: here\n"
            "one two\n"
            "~~~\n");
  std::string colored = render(diagnostics.all().back(), sources, {true, false});
  EXPECT_NE(colored.find("\033[1;33mWARNING\033[0m"), std::string::npos);
}

TEST_F(RendererTest, ASpanOfNoSourceIsNoCrash) {
  diagnostics.emit({17, 4, 7}, kTestWarning);
  EXPECT_EQ(render(diagnostics.all().back(), sources), "WARNING: odd\n");
}

TEST(DiagnosticsTest, OnlyErrorsCount) {
  Diagnostics diagnostics;
  diagnostics.emit({}, kTestWarning);
  EXPECT_FALSE(diagnostics.has_errors());
  diagnostics.emit({}, kTestError, "a", 1);
  EXPECT_TRUE(diagnostics.has_errors());
  EXPECT_EQ(diagnostics.all()[1].message, "bad a of 1");
}

TEST(DiagnosticsTest, AFloodIsCountedButNotKept) {
  Diagnostics diagnostics;
  for (int i = 0; i < 100000; ++i) diagnostics.emit({}, kTestError, "a", i).hint("h").note({}, "n");
  EXPECT_EQ(diagnostics.error_count(), 100000u);
  EXPECT_LT(diagnostics.all().size(), 1000u);
}

TEST(DiagnosticsTest, EveryKindHasAnIdOfItsOwn) {
  std::set<std::string> ids;
  for (const DiagnosticKindBase *kind : all_diagnostic_kinds()) {
    EXPECT_TRUE(ids.insert(kind->id).second) << kind->id;
    EXPECT_EQ(std::string(kind->id).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"),
              std::string::npos)
        << kind->id;
  }
  EXPECT_TRUE(ids.contains("test-error"));
  EXPECT_TRUE(ids.contains("syntax-error"));
}

}  // namespace
}  // namespace awl::frontend
