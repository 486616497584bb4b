#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "frontend/ast/visit.h"
#include "frontend/frontend.h"
#include "frontend/passes/expand_macros.h"
#include "frontend/passes/load_imports.h"

namespace awl::frontend {
namespace {

struct MacrosTest : testing::Test {
  ast::Program *expand(const std::string &text) {
    compilation.diagnostics = {};
    ast::Program *program = parse(compilation, "test.bt", text);
    if (program) expand_macros(compilation, *program);
    return program;
  }
  std::string error(const std::string &text) {
    expand(text);
    const auto &all = compilation.diagnostics.all();
    return all.empty() ? "" : all[0].kind->id;
  }
  // Names of the calls, variables and maps that are left in the clauses, in order; literals too.
  std::string names(const std::string &text) {
    ast::Program *program = expand(text);
    if (!program || compilation.diagnostics.has_errors()) return "error";
    std::string result;
    for (ast::Clause *clause : program->clauses) {
      ast::walk(*clause, [&](ast::Node &node) {
        std::string word;
        if (auto *call = ast::as<ast::Call>(&node)) word = call->name;
        if (auto *name = ast::as<ast::Identifier>(&node)) word = name->name;
        if (auto *variable = ast::as<ast::Variable>(&node)) word = variable->name;
        if (auto *map = ast::as<ast::Map>(&node)) word = map->name;
        if (auto *map = ast::as<ast::MapAccess>(&node)) word = map->name;
        if (auto *literal = ast::as<ast::IntegerLiteral>(&node))
          word = std::to_string(literal->value);
        if (!word.empty()) result += (result.empty() ? "" : " ") + word;
      });
    }
    return result;
  }

  Compilation compilation;
};

TEST_F(MacrosTest, PutsExpressionsIn) {
  EXPECT_EQ(names("macro one() { 1 } begin { print(one()); print(one); }"), "print 1 print 1");
  EXPECT_EQ(names("macro add(x, y) { x + y } begin { print(add(1, pid)); }"), "print 1 pid");
  EXPECT_EQ(names("macro one { 1 } macro two { one + one } begin { print(two); }"), "print 1 1");
}

TEST_F(MacrosTest, VariablesAreTheCallersOrItsOwn) {
  EXPECT_EQ(names("macro inc($x) { $x += 1; } begin { $a = 1; inc($a); }"), "1 $a $a 1 $a");
  EXPECT_EQ(names("macro own() { $x = 5; $x } begin { $x = 1; print(own()); print(own()); }"),
            "1 $x print 5 $x:1 $x:1 print 5 $x:2 $x:2");
  EXPECT_EQ(names("macro m(x) { let $y = x; $y } begin { $y = 7; print(m($y)); }"),
            "7 $y print $y $y:1 $y:1");
}

TEST_F(MacrosTest, MapsArePassed) {
  EXPECT_EQ(names("macro set(@m) { @m[1] = 2; clear(@m); } begin { set(@z); }"), "2 @z 1 clear @z");
  EXPECT_EQ(names("macro all(@m) { for ($kv : @m) { print($kv); } } begin { all(@z); }"),
            "@z $kv:1 print $kv:1");
  EXPECT_EQ(error("macro bad() { @x++; } begin { bad(); }"), "macro-not-hygienic");
}

TEST_F(MacrosTest, ChoosesByNumberAndKind) {
  const std::string macros =
      "macro f() { 0 } macro f(x) { 1 } macro f($x) { 2 } macro f(@x) { 3 } macro f(x, y) { 4 }";
  EXPECT_EQ(names(macros + "begin { f; f(9); f($v); f(@m); f(@m[1]); f(1, 2); }"), "0 1 2 3 1 4");
  EXPECT_EQ(error("macro f(x) { x } begin { f(1, 2); }"), "macro-argument-count");
  EXPECT_EQ(error("macro f($x) { $x } begin { f(1); }"), "macro-argument-kind");
  EXPECT_EQ(error("macro f(@x) { @x } begin { f(@m[1]); }"), "macro-argument-kind");
}

TEST_F(MacrosTest, TypesAreArguments) {
  ast::Program *program =
      expand("macro cast(t, x) { (t *)x } begin { print(cast(typeof(uint8), 1)); }");
  ASSERT_NE(program, nullptr);
  EXPECT_TRUE(compilation.diagnostics.all().empty());
  std::string found;
  ast::walk(*program->clauses[0], [&](ast::Node &node) {
    if (auto *cast = ast::as<ast::Cast>(&node)) {
      found = cast->target->name + (cast->target->modifiers.size() == 1 ? "*" : "");
    }
  });
  EXPECT_EQ(found, "uint8*");
  EXPECT_EQ(error("macro cast(t, x) { (t *)x } begin { print(cast(1, 1)); }"), "macro-not-type");
}

TEST_F(MacrosTest, ScriptBeatsLibraryButNotInsideIt) {
  // The forms of ppid without and with an argument: the first is made of the second.
  const std::string relative = "curtask";
  EXPECT_EQ(names("begin { ppid(); ppid(curtask); }"), relative + " " + relative);
  EXPECT_EQ(names("macro ppid() { 2 } begin { ppid(); ppid(1); }"), "2 1");
  EXPECT_EQ(names("macro ppid(x) { 2 } begin { ppid(); ppid(3); }"), relative + " 2");
}

TEST_F(MacrosTest, BuiltinsStay) {
  EXPECT_EQ(names("macro pid() { 7 } begin { print(pid); print(pid()); }"), "print 7 print 7");
  EXPECT_EQ(names("macro pid(x) { 7 } begin { print(pid); print(pid(1)); }"), "print pid print 7");
  EXPECT_EQ(names("macro print(a, b, c) { 7 } begin { print(1); print(1, 2, 3); }"), "print 1 7");
}

TEST_F(MacrosTest, Errors) {
  EXPECT_EQ(error("macro a(x) { b(x) } macro b(x) { a(x) } begin { a(1); }"), "macro-recursion");
  EXPECT_EQ(error("macro a(x) { a(x) } begin { }"), "");
  EXPECT_EQ(error("macro a(x) { x } macro a(y) { y } begin { }"), "macro-redefinition");
  EXPECT_EQ(error("macro a($x, $x) { $x } begin { }"), "macro-duplicate-parameter");
  EXPECT_EQ(error("macro a() { return; } begin { }"), "macro-return");
  std::string text = "macro m0(x) { x + x } ";
  for (int i = 1; i < 40; ++i)
    text += fmt::format("macro m{0}(x) {{ m{1}(x) + m{1}(x) }} ", i, i - 1);
  EXPECT_EQ(error(text + "begin { m39(1); }"), "macro-too-large");
}

struct ImportsTest : testing::Test {
  ImportsTest() : folder(testing::TempDir() + "awl_imports_" + std::to_string(getpid())) {
    std::filesystem::create_directories(folder + "/lib");
    chmod(folder.c_str(), 0755);
    chmod((folder + "/lib").c_str(), 0755);
  }
  ~ImportsTest() override { std::filesystem::remove_all(folder); }

  void write(const std::string &name, const std::string &text) {
    std::ofstream(folder + "/" + name) << text;
  }
  ast::Program *load(const std::string &text) {
    compilation.diagnostics = {};
    ast::Program *program = parse(compilation, folder + "/main.bt", text);
    if (program) load_imports(compilation, *program);
    return program;
  }
  std::string error(const std::string &text) {
    load(text);
    const auto &all = compilation.diagnostics.all();
    return all.empty() ? "" : all[0].kind->id;
  }
  static std::string macros(const ast::Program *program) {
    std::string result;
    for (const ast::Macro *macro : program->macros) result += macro->name + " ";
    return result;
  }

  std::string folder;
  Compilation compilation;
};

TEST_F(ImportsTest, EachOnceAndWhatItNeedsFirst) {
  write("a.bt", "import \"b.bt\"; macro a { 1 }");
  write("b.bt", "import \"a.bt\"; macro b { 1 }");
  ast::Program *program = load("import \"a.bt\"; import \"./b.bt\"; macro main { 1 } begin { }");
  ASSERT_NE(program, nullptr);
  EXPECT_TRUE(compilation.diagnostics.all().empty());
  EXPECT_EQ(macros(program), "b a main ");
}

TEST_F(ImportsTest, FoldersInOrder) {
  write("lib/z.bt", "macro z { 1 }");
  write("lib/y.bt", "import \"z.bt\"; macro y { 1 }");
  write("lib/notes.txt", "not a script");
  ast::Program *program = load("import \"lib\"; begin { }");
  ASSERT_NE(program, nullptr);
  EXPECT_TRUE(compilation.diagnostics.all().empty());
  std::string found = macros(program);
  EXPECT_EQ(std::count(found.begin(), found.end(), ' '), 2);
}

TEST_F(ImportsTest, HeadersAndObjects) {
  write("lib/x.h", "int x;");
  write("lib/x.bpf.c", "int x;");
  write("lib/x.bpf.o", "");
  ast::Program *program =
      load("struct s { int a; } import \"lib/x.h\"; import \"lib\"; import \"lib/x.h\"; begin { }");
  ASSERT_NE(program, nullptr);
  EXPECT_TRUE(compilation.diagnostics.all().empty());
  // After the script's own definitions, once each.
  ASSERT_EQ(program->c_definitions.size(), 2u);
  EXPECT_EQ(program->c_definitions[1]->definition, ast::CDefinition::Kind::kInclude);
  EXPECT_TRUE(program->c_definitions[1]->name.ends_with("/lib/x.h"));
  ASSERT_EQ(compilation.object_files.size(), 2u);
  EXPECT_FALSE(compilation.object_files[0].is_compiled);
  EXPECT_TRUE(compilation.object_files[1].is_compiled);
}

TEST_F(ImportsTest, Errors) {
  EXPECT_EQ(error("import \"nosuch.bt\"; begin { }"), "import-not-found");
  write("x.txt", "");
  EXPECT_EQ(error("import \"x.txt\"; begin { }"), "import-unknown-file");
  write("config.bt", "config = { max_strlen = 3 } begin { }");
  EXPECT_EQ(error("import \"config.bt\"; begin { }"), "import-config");
  write("lib/w.bt", "begin { }");
  chmod((folder + "/lib").c_str(), 0777);
  EXPECT_EQ(error("import \"lib/w.bt\"; begin { }"), "import-world-writable");
}

}  // namespace
}  // namespace awl::frontend
