// The standard form of scripts: what it looks like, and that it changes nothing else.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "frontend/diagnostics/renderer.h"
#include "frontend/parse/format_script.h"

namespace awl::frontend {
namespace {

std::string formatted(const std::string &text) {
  Compilation compilation;
  std::optional<std::string> result = format_script(compilation, "test", text);
  for (const Diagnostic &diagnostic : compilation.diagnostics.all())
    ADD_FAILURE() << render(diagnostic, compilation.sources);
  return result.value_or("error");
}

std::string tree(const std::string &text) {
  Compilation compilation;
  ast::Program *program = parse(compilation, "test", text);
  return program ? dump(*program) : "error";
}

TEST(Format, Statements) {
  EXPECT_EQ(
      formatted("BEGIN{$a=1;if($a==1){print(1)}else if($a>2){print(2);}else{print(3)}exit()}"),
      R"(BEGIN
{
  $a = 1;
  if ($a == 1) {
    print(1);
  } else if ($a > 2) {
    print(2);
  } else {
    print(3);
  }
  exit();
}
)");
  EXPECT_EQ(formatted("begin { for($kv:@x){print($kv.0)} for $i : 0 .. 10 { continue }\n"
                      "while($a<10){$a++} unroll(3){return}; { let $b : uint8=1 } }"),
            R"(begin
{
  for ($kv : @x) {
    print($kv.0);
  }
  for $i : 0..10 {
    continue;
  }
  while ($a < 10) {
    $a++;
  }
  unroll (3) {
    return;
  }
  {
    let $b: uint8 = 1;
  }
}
)");
}

TEST(Format, Expressions) {
  auto value = [](const std::string &text) {
    std::string result = formatted("begin{$x=" + text + "}");
    size_t begin = result.find("$x = ") + 5;
    return result.substr(begin, result.find(";\n}") - begin);
  };
  EXPECT_EQ(value("a?b:c"), "a ? b : c");
  EXPECT_EQ(value("a?:c"), "a ?: c");
  EXPECT_EQ(value("- -1- -2"), "- -1 - -2");
  EXPECT_EQ(value("!$a&&~$b||*$c"), "!$a && ~$b || *$c");
  EXPECT_EQ(value("(struct s *)$a->b . c[ 1 ]"), "(struct s *)$a->b.c[1]");
  EXPECT_EQ(value("(1,)"), "(1,)");
  EXPECT_EQ(value("( a = 1 ,b=\"x\" )"), "(a=1, b=\"x\")");
  EXPECT_EQ(value("sizeof( uint8*[ 4 ] )"), "sizeof(uint8*[4])");
  EXPECT_EQ(value("offsetof(struct s,a . b)"), "offsetof(struct s, a.b)");
  EXPECT_EQ(value("m!( $a,{let $b=1;$b} )"), "m!($a, {\n    let $b = 1;\n    $b\n  })");
}

TEST(Format, Head) {
  EXPECT_EQ(formatted("#!/usr/bin/awl\n#define A 1\nstruct s{int a;};\nconfig={a=1,b=perf}\n"
                      "import \"x.bt\";let @a=hash(10);macro m(x,$y,@z){x}\n"
                      "kprobe: f,uprobe:/bin/sh:\"g h\"+4 /pid==1/{}"),
            R"(#!/usr/bin/awl
#define A 1
struct s{int a;};
config = {
  a = 1;
  b = perf;
}
import "x.bt";
let @a = hash(10);
macro m(x, $y, @z)
{
  x
}
kprobe:f,
uprobe:/bin/sh:"g h"+4
/pid == 1/
{
}
)");
}

TEST(Format, CommentsStay) {
  const char *text = R"(// at the top

/* of two
   lines */
begin // behind the probe
{ // behind the brace
  // alone
  print(1); // behind a statement


  print(/* inside */ 2,
        // between arguments
        3) // without a semicolon
  // before the brace
}
#ifdef NOT_THERE
nothing that {{{ parses
#endif
// at the end
)";
  EXPECT_EQ(formatted(text), R"(// at the top

/* of two
   lines */
begin // behind the probe
{ // behind the brace
  // alone
  print(1); // behind a statement

  print( /* inside */ 2,
      // between arguments
      3); // without a semicolon
  // before the brace
}
#ifdef NOT_THERE
nothing that {{{ parses
#endif
// at the end
)");
}

TEST(Format, BreaksLongLines) {
  std::string argument = "$a_variable_with_a_long_name";
  std::string call = "printf(\"%d %d %d %d\\n\"";
  for (int i = 0; i < 4; ++i) call += "," + argument;
  std::string result = formatted("begin{" + call + ")}");
  EXPECT_NE(result.find(",\n      $a_variable"), std::string::npos) << result;
  std::istringstream lines(result);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u);
}

TEST(Format, BreaksLongConditionsBehindAndAndOr) {
  std::string condition = "$a_variable_with_a_long_name+1==2";
  std::string text = condition;
  for (int i = 0; i < 3; ++i) text += (i == 1 ? "||" : "&&") + condition;
  EXPECT_EQ(
      formatted("begin{$x=" + text + ";}"),
      "begin\n{\n"
      "  $x = $a_variable_with_a_long_name + 1 == 2 && $a_variable_with_a_long_name + 1 == 2 ||\n"
      "      $a_variable_with_a_long_name + 1 == 2 && $a_variable_with_a_long_name + 1 == 2;\n"
      "}\n");
}

TEST(Format, RefusesWhatDoesNotParse) {
  Compilation compilation;
  EXPECT_FALSE(format_script(compilation, "test", "begin { 1 + }"));
  EXPECT_TRUE(compilation.diagnostics.has_errors());
}

// Over all scripts that stand in the tree: nothing changes but the layout, and once is enough.
TEST(Format, KeepsMeaningAndIsIdempotent) {
  namespace fs = std::filesystem;
  int count = 0;
  for (const char *folder : {"/test/peer/scripts", "/test/lit/parse", "/test/lit/run"}) {
    for (const fs::directory_entry &file :
         fs::recursive_directory_iterator(std::string(AWL_SOURCE_DIR) + folder)) {
      if (file.path().extension() != ".bt") continue;
      std::ifstream stream(file.path());
      std::string text{std::istreambuf_iterator<char>(stream), {}};
      std::string before = tree(text);
      if (before == "error") continue;
      std::string once = formatted(text);
      EXPECT_EQ(tree(once), before) << file.path() << "\n" << once;
      EXPECT_EQ(formatted(once), once) << file.path();
      ++count;
    }
  }
  EXPECT_GT(count, 100);
}

}  // namespace
}  // namespace awl::frontend
