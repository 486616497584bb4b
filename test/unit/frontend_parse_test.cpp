// What the parser makes of right scripts; wrong ones are in frontend_parse_errors_test.cpp.
#include <gtest/gtest.h>

#include "frontend/ast/visit.h"
#include "frontend/diagnostics/renderer.h"
#include "frontend/frontend.h"

namespace awl::frontend {
namespace {

using namespace ast;

struct ParseTest : testing::Test {
  Program *parsed(const std::string &text) {
    compilation = std::make_unique<Compilation>();
    Program *program = parse(*compilation, "test", text);
    for (const Diagnostic &diagnostic : compilation->diagnostics.all()) {
      ADD_FAILURE() << render(diagnostic, compilation->sources);
    }
    return program;
  }

  // The value of `$x = …` with all operators as prefixes: "1 + 2" is "(+ 1 2)".
  std::string value(const std::string &text) {
    Program *program = parsed("begin { $x = " + text + " }");
    if (!program) return "error";
    auto *assign = as<Assign>(program->clauses.at(0)->body->statements.at(0));
    return assign ? tree(*assign->value) : "no assignment";
  }

  // The dump in one line.
  static std::string tree(Node &node) {
    Context context;
    Program program({});
    auto *clause = context.make<Clause>(Span{});
    clause->predicate = static_cast<Expr *>(&node);
    program.clauses.push_back(clause);
    std::string text = dump(program);
    std::string result;
    text = text.substr(text.find("Predicate\n") + 10);
    size_t depth = 0;
    for (size_t at = 0; at < text.size();) {
      size_t end = text.find('\n', at);
      size_t first = text.find_first_not_of(' ', at);
      size_t indent = (first - at) / 2;
      if (!result.empty() && indent > depth) result += "(";
      if (!result.empty() && indent <= depth) result += std::string(depth - indent, ')') + " ";
      result += text.substr(first, end - first);
      depth = indent;
      at = end + 1;
    }
    return result + std::string(depth > 3 ? depth - 3 : 0, ')');
  }

  std::unique_ptr<Compilation> compilation;
};

TEST_F(ParseTest, Numbers) {
  struct {
    const char *text;
    uint64_t value;
  } cases[] = {
      {"0", 0},
      {"17", 17},
      {"017", 15},
      {"0x1F", 31},
      {"0XfFull", 255},
      {"1e6", 1000000},
      {"0e9", 0},
      {"12E2", 1200},
      {"1_000_123", 1000123},
      {"5UL", 5},
      {"5u", 5},
      {"18446744073709551615", UINT64_MAX},
      {"1ns", 1},
      {"2us", 2000},
      {"1_000us", 1000000},
      {"3ms", 3000000},
      {"1s", 1000000000},
      {"1m", 60000000000},
      {"1h", 3600000000000},
      {"1d", 86400000000000},
      {"1e3ms", 1000000000},
  };
  for (auto &test : cases) {
    Program *program = parsed(std::string("begin { $x = ") + test.text + " }");
    ASSERT_TRUE(program);
    auto *literal = as<IntegerLiteral>(as<Assign>(program->clauses[0]->body->statements[0])->value);
    ASSERT_TRUE(literal) << test.text;
    EXPECT_EQ(literal->value, test.value) << test.text;
    EXPECT_EQ(literal->is_duration, strchr("smhd", test.text[strlen(test.text) - 1]) != nullptr);
  }
  EXPECT_EQ(value("-9223372036854775808"), "IntegerLiteral -9223372036854775808");
  EXPECT_EQ(value("- -1"), "Unary -(IntegerLiteral -1)");
}

TEST_F(ParseTest, Strings) {
  Program *program = parsed(R"(begin { $x = "a\n\t\r\\\"\101\0\x41\x4g\377" })");
  ASSERT_TRUE(program);
  auto *literal = as<StringLiteral>(as<Assign>(program->clauses[0]->body->statements[0])->value);
  ASSERT_TRUE(literal);
  EXPECT_EQ(literal->value, std::string("a\n\t\r\\\"A\0A\x04g\xff", 12));
}

TEST_F(ParseTest, OperatorsBindAsInC) {
  EXPECT_EQ(value("1 + 2 * 3"),
            "Binary +(IntegerLiteral 1 Binary *(IntegerLiteral 2 IntegerLiteral 3))");
  EXPECT_EQ(value("1 - 2 - 3"),
            "Binary -(Binary -(IntegerLiteral 1 IntegerLiteral 2) IntegerLiteral 3)");
  EXPECT_EQ(value("$a == $b & 1"), "Binary &(Binary ==(Variable $a Variable $b) IntegerLiteral 1)");
  EXPECT_EQ(value("$a || $b && $c"), "Binary ||(Variable $a Binary &&(Variable $b Variable $c))");
  EXPECT_EQ(value("$a | $b ^ $c"), "Binary |(Variable $a Binary ^(Variable $b Variable $c))");
  EXPECT_EQ(value("1 << 2 + 3"),
            "Binary <<(IntegerLiteral 1 Binary +(IntegerLiteral 2 IntegerLiteral 3))");
  EXPECT_EQ(value("$a < 1 == $b"), "Binary ==(Binary <(Variable $a IntegerLiteral 1) Variable $b)");
  EXPECT_EQ(value("!$a.b"), "Unary !(FieldAccess b(Variable $a))");
  EXPECT_EQ(value("$a ? $b : $c ? $d : $e"),
            "Ternary(Variable $a Variable $b Ternary(Variable $c Variable $d Variable $e))");
  EXPECT_EQ(value("$a ?: 1"), "Ternary ?:(Variable $a IntegerLiteral 1)");
  EXPECT_EQ(value("(uint8)$a + 1"), "Binary +(Cast (uint8)(Variable $a) IntegerLiteral 1)");
}

TEST_F(ParseTest, EveryPairOfOperatorsBindsAsInC) {
  const std::vector<std::vector<std::string>> loosest_first = {
      {"||"},       {"&&"},     {"|"},          {"^"}, {"&"}, {"==", "!="}, {"<", "<=", ">", ">="},
      {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}};
  struct Operator {
    std::string text;
    size_t level;
  };
  std::vector<Operator> operators;
  for (size_t level = 0; level < loosest_first.size(); ++level)
    for (const std::string &text : loosest_first[level]) operators.push_back({text, level});
  for (const Operator &one : operators) {
    for (const Operator &two : operators) {
      const std::string first = "Binary " + one.text + "(", second = "Binary " + two.text + "(";
      const std::string expected =
          two.level > one.level ? first + "Variable $a " + second + "Variable $b Variable $c))"
                                : second + first + "Variable $a Variable $b) Variable $c)";
      EXPECT_EQ(value("$a " + one.text + " $b " + two.text + " $c"), expected);
    }
  }
}

TEST_F(ParseTest, CastsAreToldFromParentheses) {
  EXPECT_EQ(value("(myident)"), "Identifier myident");
  EXPECT_EQ(value("(myident)*$a"), "Cast (myident)(Unary *(Variable $a))");
  EXPECT_EQ(value("(pid)*tid"), "Binary *(Identifier pid Identifier tid)");
  EXPECT_EQ(value("(myident)*arg0"), "Cast (myident)(Unary *(Identifier arg0))");
  EXPECT_EQ(value("(myident)-1"), "Cast (myident)(IntegerLiteral -1)");
  EXPECT_EQ(value("(nsecs)-1"), "Binary -(Identifier nsecs IntegerLiteral 1)");
  EXPECT_EQ(value("(myident)+1"), "Binary +(Identifier myident IntegerLiteral 1)");
  EXPECT_EQ(value("(struct s *)arg0"), "Cast (struct s*)(Identifier arg0)");
  EXPECT_EQ(value("(const unsigned char *)$a"), "Cast (unsigned char*)(Variable $a)");
  EXPECT_EQ(value("(int8[])\"x\""), "Cast (int8[])(StringLiteral \"x\")");
  EXPECT_EQ(value("(x.y)*z"), "Binary *(FieldAccess y(Identifier x) Identifier z)");
  EXPECT_EQ(value("f (x)"), "Call f(Identifier x)");
  EXPECT_EQ(value("-(x)"), "Unary -(Identifier x)");
  EXPECT_EQ(value("(typeof($a))1").substr(0, 18), "Cast (typeof(...))");
}

TEST_F(ParseTest, TypesAreToldFromExpressions) {
  EXPECT_EQ(value("sizeof(uint32*[10])"), "Sizeof (uint32*[10])(IntegerLiteral 10)");
  EXPECT_EQ(value("sizeof(x[1])"), "Sizeof (x[1])(IntegerLiteral 1)");
  EXPECT_EQ(value("sizeof((x)[1])"), "Sizeof(Index(Identifier x IntegerLiteral 1))");
  EXPECT_EQ(value("sizeof((x[1]))"), "Sizeof(Index(Identifier x IntegerLiteral 1))");
  EXPECT_EQ(value("sizeof(x())"), "Sizeof(Call x)");
  EXPECT_EQ(value("sizeof(x)"), "Sizeof (x)");
  EXPECT_EQ(value("sizeof(1 + 2)"), "Sizeof(Binary +(IntegerLiteral 1 IntegerLiteral 2))");
  EXPECT_EQ(value("offsetof(struct s, a.b)"), "Offsetof (struct s) a.b");
  EXPECT_EQ(value("offsetof($a, b)"), "Offsetof b(Variable $a)");
  EXPECT_EQ(value("typeof(struct s)"), "Typeof (struct s)");
  EXPECT_EQ(value("typeinfo(uint8)"), "Call typeinfo(Typeof (uint8))");
}

TEST_F(ParseTest, TuplesAndRecords) {
  EXPECT_EQ(value("()"), "Tuple");
  EXPECT_EQ(value("(1,)"), "Tuple(IntegerLiteral 1)");
  EXPECT_EQ(value("(1)"), "IntegerLiteral 1");
  EXPECT_EQ(value("(1, (2, 3))"),
            "Tuple(IntegerLiteral 1 Tuple(IntegerLiteral 2 IntegerLiteral 3))");
  EXPECT_EQ(value("(a=1)"), "Record a(IntegerLiteral 1)");
  EXPECT_EQ(value("(a=1, b=2,)"), "Record a b(IntegerLiteral 1 IntegerLiteral 2)");
  EXPECT_EQ(value("$t.1.0"), "TupleAccess 0(TupleAccess 1(Variable $t))");
  EXPECT_EQ(value("args.let.for->config"),
            "FieldAccess config(FieldAccess for(FieldAccess let(Identifier args)))");
}

TEST_F(ParseTest, Maps) {
  EXPECT_EQ(value("@"), "MapAccess @");
  EXPECT_EQ(value("@x[1]"), "MapAccess @x(IntegerLiteral 1)");
  EXPECT_EQ(value("@x[1, 2]"), "MapAccess @x(Tuple(IntegerLiteral 1 IntegerLiteral 2))");
  EXPECT_EQ(value("@x[1][2]"), "Index(MapAccess @x(IntegerLiteral 1) IntegerLiteral 2)");
}

TEST_F(ParseTest, CompoundAssignmentHasTwoTrees) {
  Program *program = parsed("begin { @x[pid] += 2 }");
  ASSERT_TRUE(program);
  auto *assign = as<Assign>(program->clauses[0]->body->statements[0]);
  ASSERT_TRUE(assign);
  EXPECT_EQ(assign->compound, BinaryOp::kAdd);
  auto *sum = as<Binary>(assign->value);
  ASSERT_TRUE(sum);
  EXPECT_NE(sum->left, assign->target);
  EXPECT_NE(as<MapAccess>(sum->left)->key, as<MapAccess>(assign->target)->key);
}

TEST_F(ParseTest, BlocksAreValuesOrStatements) {
  EXPECT_EQ(value("{ print(1); 2 }"),
            "BlockExpr(ExprStmt(Call print(IntegerLiteral 1)) IntegerLiteral 2)");
  EXPECT_EQ(value("{ { 1 } }"), "BlockExpr(BlockExpr(IntegerLiteral 1))");
  EXPECT_EQ(value("{ 1; }"), "BlockExpr(ExprStmt(IntegerLiteral 1))");
  Program *program = parsed("begin { if 1 { } { print(1) } ; { 2 } $x = 3 }");
  ASSERT_TRUE(program);
  std::vector<Stmt *> &list = program->clauses[0]->body->statements;
  ASSERT_EQ(list.size(), 4u);
  EXPECT_TRUE(as<If>(list[0]) && as<Block>(list[1]) && as<Block>(list[2]) && as<Assign>(list[3]));
}

TEST_F(ParseTest, CallsKnowWhetherTheirResultIsUsed) {
  Program *program = parsed("begin { delete(@x); $x = delete(@x); _ = delete(@x) }");
  ASSERT_TRUE(program);
  std::vector<Stmt *> &list = program->clauses[0]->body->statements;
  EXPECT_FALSE(as<Call>(as<ExprStmt>(list[0])->expr)->is_result_used);
  EXPECT_TRUE(as<Call>(as<Assign>(list[1])->value)->is_result_used);
  EXPECT_TRUE(as<Call>(as<Discard>(list[2])->value)->is_result_used);
}

TEST_F(ParseTest, AttachPoints) {
  struct {
    const char *text, *provider;
    std::vector<std::string> parts;
  } cases[] = {
      {"BEGIN", "BEGIN", {}},
      {"interval:1s", "interval", {"1s"}},
      {"kprobe:f+0x10", "kprobe", {"f+0x10"}},
      {"k:vmlinux:tcp_*", "k", {"vmlinux", "tcp_*"}},
      {"uprobe:./bin:func+4", "uprobe", {"./bin", "func+4"}},
      {"uprobe:/a/b@file.c:12:3", "uprobe", {"/a/b@file.c", "12", "3"}},
      {"uprobe:/lib/*:malloc", "uprobe", {"/lib/*", "malloc"}},
      {"uprobe:/x:cpp:\"A::b(int, char)\"", "uprobe", {"/x", "cpp", "A::b(int, char)"}},
      {"uprobe:\"/a b/c!/d\":f", "uprobe", {"/a b/c!/d", "f"}},
      {"usdt:/p:ns:n", "usdt", {"/p", "ns", "n"}},
      {"usdt::n", "usdt", {"", "n"}},
      {"uprobe:$1:f", "uprobe", {"$1", "f"}},
      {"tracepoint:xhci-hcd:x?[ab]", "tracepoint", {"xhci-hcd", "x?[ab]"}},
      {"interval: 1s", "interval", {"1s"}},
      {"interval:s:1/pid/", "interval", {"s", "1/pid/"}},  // as the peer reads it
  };
  for (auto &test : cases) {
    Program *program = parsed(std::string("name=") + test.text + " {}");
    ASSERT_TRUE(program) << test.text;
    AttachPoint *attach_point = program->clauses[0]->attach_points[0];
    EXPECT_EQ(attach_point->alias, "name");
    EXPECT_EQ(attach_point->provider, test.provider);
    EXPECT_EQ(attach_point->parts, test.parts) << test.text;
    ASSERT_EQ(attach_point->part_spans.size(), test.parts.size());
  }
}

TEST_F(ParseTest, PredicatesAndLists) {
  Program *program = parsed(
      "kprobe:f, kprobe:g,\n kretprobe:h / pid / 2 == 1 / // why\n { }\nbegin/1/{}\nend , "
      "begin,{}");
  ASSERT_TRUE(program);
  ASSERT_EQ(program->clauses.size(), 3u);
  EXPECT_EQ(program->clauses[0]->attach_points.size(), 3u);
  EXPECT_EQ(tree(*program->clauses[0]->predicate),
            "Binary ==(Binary /(Identifier pid IntegerLiteral 2) IntegerLiteral 1)");
  EXPECT_TRUE(program->clauses[1]->predicate);
  EXPECT_EQ(program->clauses[2]->attach_points.size(), 2u);
}

TEST_F(ParseTest, ConditionalLines) {
  struct {
    const char *condition;
    bool is_taken;
  } cases[] = {
      {"#ifdef BPFTRACE_HAVE_BTF", true},
      {"#ifndef BPFTRACE_HAVE_BTF", false},
      {"#ifdef FOO", false},
      {"#if 1", true},
      {"#if 0", false},
      {"#if FOO", false},
      {"#if defined(FOO) || !defined BAR", true},
      {"#if 2 * 3 == 6 && (1 ? 0x10 : 0) >= 16u", true},
      {"#if -1 < 0 && ~0 == -1 && 7 % 4 == 3 && 1 << 3 == 010", true},
      {"#define N 3\n#if N - 3", false},
      {"#define N 3\n#define M (N + 1)\n#if M == 4", true},
      {"#define N\n#undef N\n#ifdef N", false},
      {"#if 0\n#elif 1", true},
      {"#if 1\n#elif 1", false},
      {"#if 0\n#else", true},
      {"#if 0\n#if 1\n#else", false},
  };
  for (auto &test : cases) {
    std::string ends = "\n#endif";
    for (const char *at = test.condition; (at = strstr(at + 1, "\n#if"));) ends += "\n#endif";
    if (strncmp(test.condition, "#define", 7) == 0) ends = "\n#endif";
    Program *program =
        parsed(std::string(test.condition) + "\nbegin { print(1) }" + ends + "\nend { }");
    ASSERT_TRUE(program) << test.condition;
    EXPECT_EQ(program->clauses.size(), test.is_taken ? 2u : 1u) << test.condition;
  }
}

TEST_F(ParseTest, ConditionalLinesKeepPlaces) {
  Program *program = parsed("begin {\n#if 0\n  nonsense ( { \" \n#else\n  print(1);\n#endif\n}\n");
  ASSERT_TRUE(program);
  Stmt *statement = program->clauses[0]->body->statements.at(0);
  EXPECT_EQ(compilation->sources.text(statement->span), "print(1)");
}

TEST_F(ParseTest, DefinesKeepTheirText) {
  Program *program = parsed(
      "#define A \"x\"\n#define F(a, b) a + \\\n  b\n#define T struct foo {\n#define E\n#define C "
      "'a'\nbegin {}");
  ASSERT_TRUE(program);
  ASSERT_EQ(program->c_definitions.size(), 5u);
  EXPECT_TRUE(as<StringLiteral>(program->c_definitions[0]->value));
  EXPECT_TRUE(program->c_definitions[1]->is_function_like);
  EXPECT_EQ(program->c_definitions[1]->parameters, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(as<Binary>(program->c_definitions[1]->value));
  EXPECT_FALSE(program->c_definitions[2]->value);
  EXPECT_EQ(program->c_definitions[2]->text, "struct foo {");
  EXPECT_FALSE(program->c_definitions[3]->value);
  EXPECT_FALSE(program->c_definitions[4]->value);
}

TEST_F(ParseTest, CDefinitions) {
  Program *program = parsed(R"(
struct s { int x, *y[2][3]; unsigned int low : 3, : 2; unsigned int : 4; struct { int a; } in, *p;
  union { char c; }; const struct list_head *next; int (*fn)(int, void (*)(int)); enum e { A } k; };
typedef unsigned long ulong_t, *ulong_p;
typedef struct t { int a; } T, *TP;
struct forward;
begin { })");
  ASSERT_TRUE(program);
  std::string text = dump(*program);
  EXPECT_EQ(text.substr(0, text.find("  Clause")), R"(Program
  CDefinition struct s
    Member x: int
    Member y: int*[3][2]
    Member low: unsigned int
      IntegerLiteral 3
    Member: unsigned int
      IntegerLiteral 2
    Member: unsigned int
      IntegerLiteral 4
    Member in
      CDefinition struct
        Member a: int
    Member p: *
      CDefinition struct
        Member a: int
    Member
      CDefinition union
        Member c: char
    Member next: struct list_head*
    Member fn: void*
    Member k
      CDefinition enum e
        Enumerator A
  CDefinition typedef ulong_t = unsigned long
  CDefinition typedef ulong_p = unsigned long*
  CDefinition typedef T
    CDefinition struct t
      Member a: int
  CDefinition struct t
    Member a: int
  CDefinition typedef TP = struct t*
)");
}

TEST_F(ParseTest, SeparatorsThatMayBeLeftOut) {
  ASSERT_TRUE(parsed(
      "struct s { int a; } union u { int b; };; import \"x\" config = { a=1 } let @m = hash(1); "
      "macro m { 1 } begin { print(1) };"));
  ASSERT_TRUE(parsed("begin { if 1 { } print(1);; ; while 0 { } }"));
  ASSERT_TRUE(parsed(
      "#!/usr/bin/awl\n// comment\n/* another\n #if */ begin /* here */ { /* and */ } // end"));
}

TEST_F(ParseTest, TimeGrowsWithTheScript) {
  std::string statements;
  for (int i = 0; i < 5000; ++i) statements += "@x[pid, comm] = count(); ";
  Program *program = parsed("begin { " + statements + "}");
  ASSERT_TRUE(program);
  EXPECT_EQ(program->clauses[0]->body->statements.size(), 5000u);
}

}  // namespace
}  // namespace awl::frontend
