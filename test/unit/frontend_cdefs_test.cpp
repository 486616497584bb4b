#include <gtest/gtest.h>

#include "fake_target.h"
#include "frontend/passes/collect_c_definitions.h"
#include "frontend/passes/evaluate_constant.h"

namespace awl::frontend {
namespace {

struct CDefinitionsTest : testing::Test {
  // Parses a script and collects its definitions; null when it does not parse.
  ast::Program *collect(const std::string &text) {
    ast::Program *program = parse(compilation, "test.bt", text);
    if (program) collect_c_definitions(compilation, *program);
    return program;
  }
  std::string first() {
    const auto &all = compilation.diagnostics.all();
    return all.empty() ? "" : all[0].kind->id;
  }
  const StructDef *find(const std::string &tag, bool is_union = false) {
    TypeRef type = compilation.types.find_struct(tag, is_union);
    return type ? type->struct_def : nullptr;
  }
  // "a@0 b@32:3 …": names, bit offsets and widths of the members.
  std::string layout(const std::string &tag, bool is_union = false) {
    const StructDef *def = find(tag, is_union);
    if (!def) return "none";
    std::string text;
    for (const StructDef::Member &member : def->members) {
      if (!text.empty()) text += ' ';
      text += member.name + "@" + std::to_string(member.bit_offset);
      if (member.bit_size) text += ":" + std::to_string(member.bit_size);
    }
    return text + " /" + std::to_string(def->size) + "," + std::to_string(def->alignment);
  }
  // The value of the first statement of the first clause, `print(X)`.
  std::optional<int64_t> printed(ast::Program *program) {
    auto *statement = ast::as<ast::ExprStmt>(program->clauses.at(0)->body->statements.at(0));
    auto *call = statement ? ast::as<ast::Call>(statement->expr) : nullptr;
    return call ? evaluate_constant(compilation.types, *call->arguments.at(0)) : std::nullopt;
  }

  Compilation compilation;
  FakeTarget target;
};

TEST_F(CDefinitionsTest, LaysStructsOutAsTheAbi) {
  collect(
      "struct a { char c; int i; short s; long l; char t; };"
      "struct b { struct a x; char y[3]; struct a *p; };"
      "union u { int i; char c[9]; long l; };");
  EXPECT_EQ(first(), "");
  EXPECT_EQ(layout("a"), "c@0 i@32 s@64 l@128 t@192 /32,8");
  EXPECT_EQ(layout("b"), "x@0 y@256 p@320 /48,8");
  EXPECT_EQ(layout("u", true), "i@0 c@0 l@0 /16,8");
}

TEST_F(CDefinitionsTest, Bitfields) {
  collect(
      "struct a { int x:3; int y:30; int z:1; char c:4; char d; };"
      "struct b { unsigned char a:4; unsigned int b:6; long :0; int c:1; };"
      "struct p { char c; int x:12; int y; } __attribute__((packed));");
  EXPECT_EQ(first(), "");
  EXPECT_EQ(layout("a"), "x@0:3 y@32:30 z@62:1 c@64:4 d@72 /12,4");
  EXPECT_EQ(layout("b"), "a@0:4 b@4:6 c@64:1 /12,4");
  EXPECT_EQ(layout("p"), "c@0 x@8:12 y@24 /7,1");
}

TEST_F(CDefinitionsTest, NestedAndAnonymous) {
  collect(
      "struct a { int x; struct { int y; union { long z; char w; }; }; struct in { char k; } n[2]; "
      "};");
  EXPECT_EQ(first(), "");
  MemberPath path;
  StructDef *def = compilation.types.find_struct("a", false)->struct_def;
  ASSERT_TRUE(find_member(compilation.types, def, "w", &path));
  EXPECT_EQ(path.bit_offset, 128u);
  ASSERT_TRUE(find_member(compilation.types, def, "n", &path));
  EXPECT_EQ(path.bit_offset, 192u);
  EXPECT_EQ(layout("in"), "k@0 /1,1");
  EXPECT_EQ(find("a")->size, 32u);
}

TEST_F(CDefinitionsTest, PackedAndAligned) {
  collect(
      "struct p { char c; long l; } __attribute__((packed));"
      "struct q { char c; } __attribute__((aligned(16)));");
  EXPECT_EQ(layout("p"), "c@0 l@8 /9,1");
  EXPECT_EQ(layout("q"), "c@0 /16,16");
}

TEST_F(CDefinitionsTest, EnumsTypedefsAndPointers) {
  collect(
      "enum color { RED, GREEN = 5, BLUE };"
      "enum minus { NEGATIVE = -1 };"
      "typedef struct { int x; } point_t;"
      "typedef unsigned long word;"
      "struct list { struct list *next; struct unknown *other; point_t at; word w; char *s;"
      "  int m[2][3]; };");
  EXPECT_EQ(first(), "");
  TypeStore::Constant constant;
  ASSERT_TRUE(compilation.types.find_constant("BLUE", &constant));
  EXPECT_EQ(constant.value, 6);
  ASSERT_NE(constant.of, nullptr);
  EXPECT_EQ(constant.of->name, "color");
  EXPECT_FALSE(constant.of->is_signed);
  EXPECT_TRUE(compilation.types.find_enum("minus")->is_signed);
  EXPECT_EQ(to_string(compilation.types.find_named("point_t")), "struct point_t");
  EXPECT_EQ(layout("list"), "next@0 other@64 at@128 w@192 s@256 m@320 /64,8");
  const auto &members = find("list")->members;
  EXPECT_EQ(members[0].type->element->struct_def, find("list"));
  EXPECT_EQ(to_string(members[4].type), "int8 *");
  EXPECT_EQ(to_string(members[5].type), "int32[2][3]");
}

TEST_F(CDefinitionsTest, DefinesAsSizesAndValues) {
  auto *program = collect(
      "#define LEN (4 * 2)\n#define TWICE(x) ((x) + (x))\n#define MORE TWICE(LEN)\n"
      "struct a { char c[LEN]; };\nenum e { A = MORE };\n"
      "begin { print(TWICE(MORE) - A); }");
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(first(), "");
  EXPECT_EQ(find("a")->size, 8u);
  EXPECT_EQ(printed(program), 16);
}

TEST_F(CDefinitionsTest, DefinesOfThemselvesEnd) {
  auto *program = collect("#define A (B + 1)\n#define B (A + 1)\nbegin { print(A); }");
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(first(), "");
  EXPECT_EQ(printed(program), std::nullopt);
}

TEST_F(CDefinitionsTest, DefinesThatExplode) {
  std::string text = "#define D0 (1 + 1)\n";
  for (int i = 1; i < 40; ++i) {
    text += fmt::format("#define D{0} (D{1} + D{1})\n", i, i - 1);
  }
  collect(text + "begin { print(D39); }");
  EXPECT_EQ(first(), "define-too-deep");
  compilation.diagnostics = {};
  std::string nested = "1";
  for (int i = 0; i < 40; ++i) nested = "T(" + nested + ")";
  collect("#define T(x) (x + x)\nbegin { print(" + nested + "); }");
  EXPECT_EQ(first(), "define-too-deep");
}

TEST_F(CDefinitionsTest, DefinesAsTypes) {
  collect("struct s { int x; };\n#define T struct s\n#define U uint16\nbegin { }");
  EXPECT_EQ(to_string(compilation.types.find_named("T")), "struct s");
  EXPECT_EQ(to_string(compilation.types.find_named("U")), "uint16");
}

TEST_F(CDefinitionsTest, Errors) {
  auto error = [&](const std::string &text) {
    compilation.diagnostics = {};
    collect(text + "\nbegin { }");
    return first();
  };
  EXPECT_EQ(error("struct a1 { nosuch_t x; };"), "unknown-type");
  EXPECT_EQ(error("struct a2 { int x; }; struct a2 { int y; };"), "c-redefinition");
  EXPECT_EQ(error("struct a3 { struct nosuch x; };"), "c-incomplete-type");
  EXPECT_EQ(error("struct a4 { struct a4 x; };"), "c-incomplete-type");
  EXPECT_EQ(error("struct a5 { int x; int x; };"), "c-duplicate-member");
  EXPECT_EQ(error("struct a6 { int x : 33; };"), "c-bad-bitfield");
  EXPECT_EQ(error("struct a7 { char x[nosuch]; };"), "bad-array-size");
  EXPECT_EQ(error("enum a8 { X8 = nosuch };"), "c-bad-enumerator");
  EXPECT_EQ(error("struct a9 { void x; };"), "c-incomplete-type");
  EXPECT_EQ(error("struct b1 { long a[16000000]; long b[16000000]; long c[16000000]; };"),
            "c-too-large");
  EXPECT_EQ(error("#define F(x) x\nbegin { print(F(1, 2)); }"), "define-argument-count");
  EXPECT_EQ(error("#define G if (\nbegin { print(G); }"), "define-not-expression");
}

}  // namespace
}  // namespace awl::frontend
