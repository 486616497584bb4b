// What the parser says about wrong scripts: each error once, in words, at its place.
#include <gtest/gtest.h>

#include "frontend/diagnostics/renderer.h"
#include "frontend/frontend.h"

namespace awl::frontend {
namespace {

struct ParseErrorsTest : testing::Test {
  // All errors as "line:column message", one a line.
  std::string errors(const std::string &text) {
    Compilation compilation;
    ast::Program *program = parse(compilation, "test", text);
    std::string result;
    for (const Diagnostic &diagnostic : compilation.diagnostics.all()) {
      LineColumn at = compilation.sources.source(0).position(diagnostic.span.begin);
      result += std::to_string(at.line) + ":" + std::to_string(at.column) + " " +
                diagnostic.message + "\n";
    }
    EXPECT_EQ(program == nullptr, !result.empty());
    return result;
  }
};

TEST_F(ParseErrorsTest, EachIsSaidInWords) {
  struct {
    const char *text, *expected;
  } cases[] = {
      {"begin { if (1 { print(1); } }", "1:15 expected ')' after the condition, found '{'\n"},
      {"begin { print(1 2); }", "1:17 expected ')' after the arguments of print, found '2'\n"},
      {"begin { print(1) print(2) }",
       "1:18 expected ';' or '}' after the statement, found 'print'\n"},
      {"begin { $x = ; }", "1:14 expected an expression after '=', found ';'\n"},
      {"begin { $x = 1 +; }", "1:17 expected an expression after '+', found ';'\n"},
      {"begin { @x[1 = 2 }", "1:14 expected ']' after the index, found '='\n"},
      {"begin { if 1 print(1) }", "1:14 expected '{' after '1', found 'print'\n"},
      {"begin { $x. }", "1:13 expected the name of a field after '.', found '}'\n"},
      {"begin { let x = 1 }", "1:13 expected a variable such as $x after 'let', found 'x'\n"},
      {"begin { let $x : = 1 }", "1:18 expected a type after ':', found '='\n"},
      {"begin { for ($i 0..3) { } }", "1:17 expected ':' after '$i', found '0'\n"},
      {"begin { for $i : 3 { } }",
       "1:18 'for' needs a map, such as @m, or a range, such as 0..10\n"},
      {"begin { for $i : @m[1] { } }",
       "1:18 'for' needs a map, such as @m, or a range, such as 0..10\n"},
      {"begin { ) }", "1:9 expected a statement, found ')'\n"},
      {"begin", "1:6 expected '{' after 'begin', found the end of the script\n"},
      {"kprobe:f /pid == 1 { }", "1:20 expected '/' at the end of the predicate, found '{'\n"},
      {"{ print(1) }", "1:1 expected a probe such as kprobe:f, found '{'\n"},
      {"begin { } }", "1:11 unmatched '}': no '{' is open here\n"},
      {"macro { }", "1:7 expected a name after 'macro', found '{'\n"},
      {"macro f($a { }", "1:12 expected ')' after the parameters of the macro, found '{'\n"},
      {"import foo; begin { }",
       "1:8 expected a string in double quotes after 'import', found 'foo'\n"},
      {"let @m; begin { }", "1:7 expected '=' after '@m', found ';'\n"},
      {"config { a=1 }", "1:8 expected '=' after 'config', found '{'\n"},
      {"config = { a=1 b=2 } begin { }", "1:16 expected ';' or '}' after the entry, found 'b'\n"},
      {"config = { a; } begin { }", "1:13 expected '=' after 'a', found ';'\n"},
      {"struct s { int } begin { }", "1:16 expected the name of a member after 'int', found '}'\n"},
      {"struct s { int a __attribute__((aligned(8))); } begin { }",
       "1:18 attributes of a single member are not supported\n"},
      {"begin { $x.a = 1 }", "1:9 this cannot be assigned to: only variables and maps can\n"},
      {"begin { pid = 1 }", "1:9 this cannot be assigned to: only variables and maps can\n"},
      {"begin { _ += 1 }", "1:9 this cannot be assigned to: only variables and maps can\n"},
      {"begin { $x.a++ }", "1:13 ++ needs a variable or a map\n"},
      {"begin { --1 }", "1:9 -- needs a variable or a map\n"},
      {"begin { print($0) }", "1:15 positional parameters are numbered from $1: there is no $0\n"},
      {"begin { print($t.1x) }", "1:18 '1x' is no index into a tuple\n"},
      {"begin { print($t[1, 2]) }", "1:21 an array has one index; only maps have several keys\n"},
      {"begin { print((1,,2)) }", "1:18 an element is missing before this ','\n"},
      {"begin { print((a=1, 2)) }",
       "1:21 either all elements in parentheses have names (a record), or none has (a tuple)\n"},
      {"begin { if ($x = 1) { } }",
       "1:13 left of '=' in parentheses stands the name of a record's element\n"},
  };
  for (auto &test : cases) EXPECT_EQ(errors(test.text), test.expected) << test.text;
}

TEST_F(ParseErrorsTest, Literals) {
  struct {
    const char *text, *expected;
  } cases[] = {
      {"08", "1:14 invalid number 08: a number that begins with 0 is octal\n"},
      {"1e", "1:14 invalid number 1e: the digits of the exponent are missing\n"},
      {"0x", "1:14 invalid number 0x: hexadecimal digits are missing\n"},
      {"1k", "1:15 invalid suffix 'k' of the number 1k\n"},
      {"0x1ms", "1:17 invalid suffix 'ms' of the number 0x1ms\n"},
      {"1uuu", "1:15 invalid suffix 'uuu' of the number 1uuu\n"},
      {"18446744073709551616",
       "1:14 the number 18446744073709551616 is larger than 18446744073709551615, the largest "
       "there is\n"},
      {"1e20", "1:14 the number 1e20 is larger than 18446744073709551615, the largest there is\n"},
      {"1000000d",
       "1:14 the number 1000000d is larger than 18446744073709551615, the largest there is\n"},
      {"-9223372036854775809",
       "1:14 the number -9223372036854775809 is smaller than -9223372036854775808, the smallest "
       "there is\n"},
      {R"("a\q")", "1:16 invalid escape '\\q' in a string\n"},
      {R"("\xg\400")",
       "1:15 invalid escape '\\x' in a string\n1:18 invalid escape '\\400' in a string\n"},
      {"'a'", "1:14 there are no character literals: 'a'\n"},
  };
  for (auto &test : cases) {
    EXPECT_EQ(errors(std::string("begin { $x = ") + test.text + " }"), test.expected) << test.text;
  }
}

TEST_F(ParseErrorsTest, SeveralInOneGo) {
  EXPECT_EQ(errors("begin { $x = ; if (1 { $y = } print(2 3);\n $z = 4 5; }\nkprobe:f { ] } foo "
                   "bar { }\nend { $x = }"),
            "1:14 expected an expression after '=', found ';'\n"
            "1:22 expected ')' after the condition, found '{'\n"
            "1:39 expected ')' after the arguments of print, found '3'\n"
            "2:9 expected ';' or '}' after the statement, found '5'\n"
            "3:12 expected a statement, found ']'\n"
            "3:20 expected '{' after 'foo', found 'bar'\n"
            "4:12 expected an expression after '=', found '}'\n");
}

TEST_F(ParseErrorsTest, NoneFollowsFromAnother) {
  EXPECT_EQ(errors("begin { print(\"a); }\nend { print(1) }"),
            "1:15 unterminated string: the closing '\"' is missing on this line\n");
  EXPECT_EQ(errors("begin { /* a }\nend { }"),
            "1:9 unterminated comment: the closing '*/' is missing\n");
  EXPECT_EQ(errors("kprobe:\"a { }"),
            "1:8 unterminated string: the closing '\"' is missing on this line\n");
  EXPECT_EQ(errors("begin { $ = 1; `\x01\xff print(1) }"),
            "1:9 stray character '$'\n1:16 stray character '`'\n");
  EXPECT_EQ(errors("begin { #define A 1\n }"),
            "1:9 a #define, #undef or #include line must stand at the top of the script\n");
}

TEST_F(ParseErrorsTest, AMissingBraceIsFoundAtTheNextClause) {
  EXPECT_EQ(errors("begin { if 1 { print(1)\n}\nkprobe:f { print(2) }\nend { }"),
            "3:1 missing '}' before the probe 'kprobe'\n");
  EXPECT_EQ(errors("begin { print(1);\nend { }"), "2:1 missing '}' before the probe 'end'\n");
  EXPECT_EQ(errors("begin { print(1);"), "1:18 missing '}' before the end of the script\n");
  EXPECT_EQ(errors("struct s { int a;"), "1:18 missing '}' before the end of the script\n");
}

TEST_F(ParseErrorsTest, ConditionalLines) {
  EXPECT_EQ(errors("#if 1\nbegin { }"), "1:1 #if without #endif\n");
  EXPECT_EQ(errors("#endif\n#else\nbegin { }"), "1:1 #endif without #if\n2:1 #else without #if\n");
  EXPECT_EQ(errors("#if 0\n#else\n#else\n#endif\nbegin { }"), "3:1 #else after #else\n");
  for (const char *condition : {"", "1 +", "(1", "1 / 0", "08", "\"x\"", "A B"}) {
    EXPECT_EQ(errors(std::string("#if ") + condition + "\n#endif\nbegin { }"),
              "1:1 cannot evaluate the condition of #if\n")
        << condition;
  }
  EXPECT_EQ(errors("#ifdef\n#endif\nbegin { }"), "1:1 cannot evaluate the condition of #ifdef\n");
  EXPECT_EQ(errors("#if 0\n#error no\n#nonsense\n#endif\n#error yes\nbegin { }"),
            "5:1 #error yes\n");
  EXPECT_EQ(errors("#nonsense x\nbegin { }"), "1:1 unknown directive #nonsense\n");
  EXPECT_EQ(errors("#define 1\n#include x\nbegin { }"),
            "1:1 #define needs a name\n2:1 #include needs <file> or \"file\"\n");
}

TEST_F(ParseErrorsTest, NestingIsBounded) {
  constexpr int kDepth = 20000;
  auto repeated = [](const std::string &text) {
    std::string result;
    for (int i = 0; i < kDepth; ++i) result += text;
    return result;
  };
  std::string message = "this is nested too deeply, or an expression too long\n";
  for (const char *text :
       {"(", "f(", "!", "- ", "(int)", "1 + ", "a ? b : ", "{ ", "if a { } else "}) {
    std::string found = errors("begin { " + repeated(text) + "1 }");
    EXPECT_NE(found.find(message), std::string::npos) << text << ": " << found.substr(0, 200);
  }
  EXPECT_NE(errors("begin { $x = a" + repeated(".b") + " }").find(message), std::string::npos);
  EXPECT_NE(errors("struct s { " + repeated("struct s { ")).find(message), std::string::npos);
}

// What counts is how deep the tree gets, not how many operators there are.
TEST_F(ParseErrorsTest, ARowOfManyOperatorsIsNotDeep) {
  auto row = [](const std::string &operand, int count) {
    std::string text = "begin { $x = " + operand;
    for (int i = 1; i < count; ++i) text += " || " + operand;
    return text + "; }";
  };
  EXPECT_EQ(errors(row("1 + 2 * 3 == 7", 900)), "");
  EXPECT_NE(errors(row("1", 1100)).find("nested too deeply"), std::string::npos);
  // The one long row is an operand of the other.
  std::string both = "begin { $x = 1";
  for (int i = 0; i < 600; ++i) both += " + 1";
  for (int i = 0; i < 600; ++i) both += " || 1";
  EXPECT_NE(errors(both + "; }").find("nested too deeply"), std::string::npos);
}

TEST_F(ParseErrorsTest, AFloodOfErrorsEnds) {
  std::string text = "begin { ";
  for (int i = 0; i < 100000; ++i) text += "$x = ; ";
  std::string found = errors(text + "}");
  EXPECT_LT(std::count(found.begin(), found.end(), '\n'), 30);
}

}  // namespace
}  // namespace awl::frontend
