#include <gtest/gtest.h>

#include <set>

#include "frontend/ast/visit.h"
#include "frontend/frontend.h"

namespace awl::frontend {
namespace {

using namespace ast;

constexpr const char *kScript = R"(
#include <a.h>
#define A 1
struct s { int x; unsigned f : 3; struct { int y; } in; };
enum e { B = 2 };
typedef int t;
config = { a=1 }
import "x.bt";
let @m = hash(10);
macro m(x, $y, @z) { $y = x; x }
begin /pid == 1/ {
  $x = (1, "s", true, -2, 3s); $r = (a=1, b=$x.0); @m[$1] += $#; @n++; let $q : uint8[4] = $x ? 1 : 2;
  $w = ((struct s *)arg0)->in.y + $p[3] + sizeof($x) + offsetof(struct s, x) + !~*&$x;
  if $x { break } else { continue; }
  while 1 { return 2; } unroll(2) { print(typeof(uint8)) } for $i : 0..3 { } for $k : @m { _ = 3; { 1 } }
  $z = { print(1); 2 };
}
)";

struct AstTest : testing::Test {
  AstTest() : program(parse(compilation, "a.bt", kScript)) {
    for (const Diagnostic &diagnostic : compilation.diagnostics.all())
      ADD_FAILURE() << diagnostic.message;
  }
  Compilation compilation;
  Program *program;
};

TEST_F(AstTest, WalkReachesEveryNodeOnce) {
  ASSERT_TRUE(program);
  std::set<Node *> seen;
  std::set<NodeKind> kinds;
  walk(*program, [&](Node &node) {
    EXPECT_TRUE(seen.insert(&node).second);
    kinds.insert(node.kind);
  });
  // What walk passes over: types as written, and the definitions inside definitions. Map is made
  // by the pass that resolves calls and by `for`.
  for (int kind = 0; kind <= static_cast<int>(NodeKind::kProgram); ++kind) {
    if (static_cast<NodeKind>(kind) == NodeKind::kTypeSpec) continue;
    EXPECT_TRUE(kinds.contains(static_cast<NodeKind>(kind))) << "kind " << kind;
  }
  EXPECT_LT(seen.size(), compilation.context.node_count());
}

TEST_F(AstTest, ChildrenCanBeReplaced) {
  ASSERT_TRUE(program);
  int replaced = 0;
  walk(*program, [&](Node &node) {
    for_each_child(
        node,
        [&](Expr *&child) {
          if (child->kind != NodeKind::kIntegerLiteral) return;
          child = compilation.context.make<BoolLiteral>(child->span, true);
          ++replaced;
        },
        [](Stmt *&) {});
  });
  EXPECT_GT(replaced, 10);
  EXPECT_EQ(dump(*program).find("IntegerLiteral"), std::string::npos);
}

TEST_F(AstTest, SpansLieInTheScriptAndInTheirParents) {
  ASSERT_TRUE(program);
  std::string_view text = compilation.sources.source(0).text();
  walk(*program, [&](Node &node) {
    EXPECT_LE(node.span.begin, node.span.end);
    EXPECT_LE(node.span.end, text.size());
    auto check = [&](Node &child) {
      EXPECT_GE(child.span.begin, node.span.begin) << compilation.sources.text(child.span);
      EXPECT_LE(child.span.end, node.span.end) << compilation.sources.text(child.span);
    };
    for_each_child(
        node, [&](Expr *&child) { check(*child); }, [&](Stmt *&child) { check(*child); });
  });
}

TEST_F(AstTest, DumpShowsEveryKind) {
  ASSERT_TRUE(program);
  std::string text = dump(*program);
  for (const char *line : {"CDefinition include a.h",
                           "CDefinition define A = \"1\"",
                           "CDefinition struct s",
                           "Member f: unsigned",
                           "Enumerator B",
                           "CDefinition typedef t = int",
                           "ConfigEntry a = \"1\"",
                           "Import \"x.bt\"",
                           "MapDeclaration @m hash",
                           "Macro m(x, $y, @z)",
                           "AttachPoint begin",
                           "Predicate",
                           "IntegerLiteral -2",
                           "IntegerLiteral 3000000000 ns",
                           "Record a b",
                           "TupleAccess 0",
                           "Assign +=",
                           "IncDec suffix ++",
                           "Let (uint8[4])",
                           "Cast (struct s*)",
                           "FieldAccess in",
                           "Offsetof (struct s) x",
                           "Typeof (uint8)",
                           "BlockExpr",
                           "Discard"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " in\n" << text;
  }
}

}  // namespace
}  // namespace awl::frontend
