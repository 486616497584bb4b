// The abstract syntax tree: what the script says, in few kinds of nodes.
//
// Nodes are owned by an ast::Context and refer to each other by plain pointers. The builder makes
// them from the parse tree; passes desugar and annotate them (types, resolved variables) in
// place; code generation reads them. Child pointers are never null unless said so here.
// Traversal is written once, in visit.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frontend/source/source.h"
#include "frontend/types/type.h"

namespace awl::frontend::ast {

enum class NodeKind {
  // expressions
  kIntegerLiteral,
  kBoolLiteral,
  kStringLiteral,
  kIdentifier,
  kPositionalParameter,
  kPositionalCount,
  kVariable,
  kMap,
  kMapAccess,
  kUnary,
  kIncDec,
  kBinary,
  kTernary,
  kFieldAccess,
  kTupleAccess,
  kIndex,
  kCast,
  kTuple,
  kRecord,
  kCall,
  kSizeof,
  kOffsetof,
  kTypeof,
  kBlockExpr,
  // statements
  kExprStmt,
  kAssign,
  kLet,
  kIf,
  kWhile,
  kUnroll,
  kForMap,
  kForRange,
  kBreak,
  kContinue,
  kReturn,
  kDiscard,
  kBlock,
  // top level
  kAttachPoint,
  kClause,
  kMacro,
  kMapDeclaration,
  kConfigEntry,
  kImport,
  kCDefinition,
  kTypeSpec,
  kProgram,
};

struct Node {
  const NodeKind kind;
  Span span;
  Node(NodeKind kind, Span span) : kind(kind), span(span) {}
  virtual ~Node() = default;
};

struct Expr : Node {
  TypeRef type = nullptr;  // set by check_types
  using Node::Node;
};
struct Stmt : Node {
  using Node::Node;
};

// ---- types as written --------------------------------------------------------------------------
// "struct task_struct *", "uint8[16]", "typeof(@x)".
struct TypeSpec : Node {
  static constexpr NodeKind kKind = NodeKind::kTypeSpec;
  enum class Base { kNamed, kStruct, kUnion, kEnum, kTypeof };
  struct Modifier {
    bool is_pointer = true;  // else an array
    Expr *count = nullptr;   // array size; null for `[]`
  };
  Base base = Base::kNamed;
  std::string name;                 // kNamed: "uint64", "unsigned long"; else the tag
  Expr *typeof_expr = nullptr;      // kTypeof of an expression, else null
  TypeSpec *typeof_type = nullptr;  // kTypeof of a type, else null
  std::vector<Modifier> modifiers;  // applied left to right
  TypeRef type = nullptr;           // set by check_types
  TypeSpec(Span s) : Node(kKind, s) {}
};

// ---- expressions -------------------------------------------------------------------------------
struct IntegerLiteral : Expr {
  static constexpr NodeKind kKind = NodeKind::kIntegerLiteral;
  uint64_t value;
  bool is_negative = false;  // folded unary minus: `value` is then the two's complement
  bool is_duration = false;  // written with ns, us, ms, s, m, h, d
  IntegerLiteral(Span s, uint64_t v) : Expr(kKind, s), value(v) {}
};
struct BoolLiteral : Expr {
  static constexpr NodeKind kKind = NodeKind::kBoolLiteral;
  bool value;
  BoolLiteral(Span s, bool v) : Expr(kKind, s), value(v) {}
};
struct StringLiteral : Expr {
  static constexpr NodeKind kKind = NodeKind::kStringLiteral;
  std::string value;       // escapes already decoded
  bool is_joined = false;  // of several: offsets in the text are none in the source
  StringLiteral(Span s, std::string v) : Expr(kKind, s), value(std::move(v)) {}
};
// A bare name: builtin (`pid`), enumerator, `#define` constant, macro parameter or call, stack
// mode.
struct Identifier : Expr {
  static constexpr NodeKind kKind = NodeKind::kIdentifier;
  std::string name;
  std::optional<int64_t> constant;  // set by check_types for enumerators and constants
  Identifier(Span s, std::string n) : Expr(kKind, s), name(std::move(n)) {}
};
struct PositionalParameter : Expr {
  static constexpr NodeKind kKind = NodeKind::kPositionalParameter;
  uint32_t index;  // from 1
  // Of an object, printed as it is: text, or the digits of a number. `type` is a string.
  bool is_printed = false;
  PositionalParameter(Span s, uint32_t i) : Expr(kKind, s), index(i) {}
};
struct PositionalCount : Expr {
  static constexpr NodeKind kKind = NodeKind::kPositionalCount;
  PositionalCount(Span s) : Expr(kKind, s) {}
};
// A scratch variable; its declaration (one per scope that introduces it) is set by
// resolve_variables.
struct VariableDecl {
  std::string name;  // with the $
  uint32_t id = 0;   // unique in its clause
  TypeRef type = nullptr;
  Span span;
};
struct Variable : Expr {
  static constexpr NodeKind kKind = NodeKind::kVariable;
  std::string name;  // with the $
  VariableDecl *decl = nullptr;
  Variable(Span s, std::string n) : Expr(kKind, s), name(std::move(n)) {}
};
// A map as a whole: argument of print, clear, len, …
struct Map : Expr {
  static constexpr NodeKind kKind = NodeKind::kMap;
  std::string name;  // with the @
  Map(Span s, std::string n) : Expr(kKind, s), name(std::move(n)) {}
};
// An element of a map: `@x[key]`; of a map without key: `@x`, with `key` null.
// The builder makes every `@x` in an expression a MapAccess without key; the pass that resolves
// calls turns those that name the whole map into Map.
struct MapAccess : Expr {
  static constexpr NodeKind kKind = NodeKind::kMapAccess;
  std::string name;
  Expr *key;  // several keys are one Tuple
  MapAccess(Span s, std::string n, Expr *k) : Expr(kKind, s), name(std::move(n)), key(k) {}
};
// kComptime: `comptime a`, which the type check replaces by its value.
enum class UnaryOp { kNegate, kNot, kComplement, kDereference, kAddressOf, kComptime };
struct Unary : Expr {
  static constexpr NodeKind kKind = NodeKind::kUnary;
  UnaryOp op;
  Expr *operand;
  Unary(Span s, UnaryOp o, Expr *e) : Expr(kKind, s), op(o), operand(e) {}
};
struct IncDec : Expr {
  static constexpr NodeKind kKind = NodeKind::kIncDec;
  bool is_increment, is_prefix;
  Expr *target;  // Variable or MapAccess
  IncDec(Span s, bool inc, bool prefix, Expr *t)
      : Expr(kKind, s), is_increment(inc), is_prefix(prefix), target(t) {}
};
enum class BinaryOp {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kAnd,
  kOr,
  kXor,
  kShl,
  kShr,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kLogicalAnd,
  kLogicalOr,
};
struct Binary : Expr {
  static constexpr NodeKind kKind = NodeKind::kBinary;
  BinaryOp op;
  Expr *left, *right;
  Span op_span;
  Binary(Span s, BinaryOp o, Expr *l, Expr *r)
      : Expr(kKind, s), op(o), left(l), right(r), op_span(s) {}
};
struct Ternary : Expr {
  static constexpr NodeKind kKind = NodeKind::kTernary;
  Expr *condition;
  Expr *then;  // null for `a ?: b`
  Expr *otherwise;
  Ternary(Span s, Expr *c, Expr *t, Expr *o)
      : Expr(kKind, s), condition(c), then(t), otherwise(o) {}
};
// `a.b` and `a->b`.
struct FieldAccess : Expr {
  static constexpr NodeKind kKind = NodeKind::kFieldAccess;
  Expr *object;
  std::string field;
  Span field_span;
  FieldAccess(Span s, Expr *o, std::string f, Span fs)
      : Expr(kKind, s), object(o), field(std::move(f)), field_span(fs) {}
};
struct TupleAccess : Expr {  // `t.0`
  static constexpr NodeKind kKind = NodeKind::kTupleAccess;
  Expr *object;
  uint32_t index;
  TupleAccess(Span s, Expr *o, uint32_t i) : Expr(kKind, s), object(o), index(i) {}
};
struct Index : Expr {  // `a[i]`
  static constexpr NodeKind kKind = NodeKind::kIndex;
  Expr *object, *index;
  Index(Span s, Expr *o, Expr *i) : Expr(kKind, s), object(o), index(i) {}
};
struct Cast : Expr {
  static constexpr NodeKind kKind = NodeKind::kCast;
  TypeSpec *target;
  Expr *operand;
  bool is_implicit = false;  // inserted by check_types; `target` is then null, `type` counts
  Cast(Span s, TypeSpec *t, Expr *e) : Expr(kKind, s), target(t), operand(e) {}
};
struct Tuple : Expr {
  static constexpr NodeKind kKind = NodeKind::kTuple;
  std::vector<Expr *> elements;
  Tuple(Span s, std::vector<Expr *> e) : Expr(kKind, s), elements(std::move(e)) {}
};
struct Record : Expr {  // `(color="green", size=2)`
  static constexpr NodeKind kKind = NodeKind::kRecord;
  std::vector<std::string> names;
  std::vector<Expr *> elements;
  Record(Span s) : Expr(kKind, s) {}
};
struct Call : Expr {
  static constexpr NodeKind kKind = NodeKind::kCall;
  std::string name;
  std::vector<Expr *> arguments;
  Span name_span;
  bool is_result_used = true;  // false for `delete(@x);` as a statement
  // What a question about types, such as is_str(), is answered with as far as types are known.
  std::optional<int64_t> answer;
  Call(Span s, std::string n, std::vector<Expr *> a, Span ns)
      : Expr(kKind, s), name(std::move(n)), arguments(std::move(a)), name_span(ns) {}
};
struct Sizeof : Expr {
  static constexpr NodeKind kKind = NodeKind::kSizeof;
  TypeSpec *type_spec = nullptr;  // exactly one of the two is set
  Expr *operand = nullptr;
  uint64_t value = 0;  // set by check_types
  Sizeof(Span s) : Expr(kKind, s) {}
};
struct Offsetof : Expr {
  static constexpr NodeKind kKind = NodeKind::kOffsetof;
  TypeSpec *type_spec = nullptr;  // exactly one of the two is set
  Expr *operand = nullptr;
  std::vector<std::string> path;
  uint64_t value = 0;  // set by check_types: the build machine's
  Offsetof(Span s) : Expr(kKind, s) {}
};
struct Typeof : Expr {  // a type as an argument: `m!(typeof(uint8))`
  static constexpr NodeKind kKind = NodeKind::kTypeof;
  TypeSpec *type_spec;
  Typeof(Span s, TypeSpec *t) : Expr(kKind, s), type_spec(t) {}
};
struct BlockExpr : Expr {  // `{ $b = 1; $b }`
  static constexpr NodeKind kKind = NodeKind::kBlockExpr;
  std::vector<Stmt *> statements;
  Expr *result;  // null: no value
  BlockExpr(Span s, std::vector<Stmt *> b, Expr *r)
      : Expr(kKind, s), statements(std::move(b)), result(r) {}
};

// ---- statements --------------------------------------------------------------------------------
struct ExprStmt : Stmt {
  static constexpr NodeKind kKind = NodeKind::kExprStmt;
  Expr *expr;
  ExprStmt(Span s, Expr *e) : Stmt(kKind, s), expr(e) {}
};
struct Assign : Stmt {
  static constexpr NodeKind kKind = NodeKind::kAssign;
  Expr *target;  // Variable or MapAccess
  Expr *value;   // compound assignment is desugared by the builder: `a += b` is `a = a + b`
  std::optional<BinaryOp> compound;  // which, for messages
  Assign(Span s, Expr *t, Expr *v) : Stmt(kKind, s), target(t), value(v) {}
};
struct Let : Stmt {
  static constexpr NodeKind kKind = NodeKind::kLet;
  Variable *variable;
  TypeSpec *type_spec = nullptr;  // may be null
  Expr *value = nullptr;          // may be null
  Let(Span s, Variable *v) : Stmt(kKind, s), variable(v) {}
};
struct Block : Stmt {
  static constexpr NodeKind kKind = NodeKind::kBlock;
  std::vector<Stmt *> statements;
  Block(Span s) : Stmt(kKind, s) {}
};
struct If : Stmt {
  static constexpr NodeKind kKind = NodeKind::kIf;
  Expr *condition;
  Block *then;
  Stmt *otherwise = nullptr;  // Block, If or null
  If(Span s, Expr *c, Block *t) : Stmt(kKind, s), condition(c), then(t) {}
};
struct While : Stmt {
  static constexpr NodeKind kKind = NodeKind::kWhile;
  Expr *condition;
  Block *body;
  While(Span s, Expr *c, Block *b) : Stmt(kKind, s), condition(c), body(b) {}
};
struct Unroll : Stmt {
  static constexpr NodeKind kKind = NodeKind::kUnroll;
  Expr *count;
  Block *body;
  Unroll(Span s, Expr *c, Block *b) : Stmt(kKind, s), count(c), body(b) {}
};
struct ForMap : Stmt {
  static constexpr NodeKind kKind = NodeKind::kForMap;
  Variable *variable;
  Map *map;
  Block *body;
  ForMap(Span s, Variable *v, Map *m, Block *b) : Stmt(kKind, s), variable(v), map(m), body(b) {}
};
struct ForRange : Stmt {
  static constexpr NodeKind kKind = NodeKind::kForRange;
  Variable *variable;
  Expr *begin, *end;
  Block *body;
  ForRange(Span s, Variable *v, Expr *b, Expr *e, Block *body)
      : Stmt(kKind, s), variable(v), begin(b), end(e), body(body) {}
};
struct Break : Stmt {
  static constexpr NodeKind kKind = NodeKind::kBreak;
  Break(Span s) : Stmt(kKind, s) {}
};
struct Continue : Stmt {
  static constexpr NodeKind kKind = NodeKind::kContinue;
  Continue(Span s) : Stmt(kKind, s) {}
};
struct Return : Stmt {
  static constexpr NodeKind kKind = NodeKind::kReturn;
  Expr *value = nullptr;  // may be null
  Return(Span s) : Stmt(kKind, s) {}
};
struct Discard : Stmt {  // `_ = expr`
  static constexpr NodeKind kKind = NodeKind::kDiscard;
  Expr *value;
  Discard(Span s, Expr *v) : Stmt(kKind, s), value(v) {}
};

// ---- top level ---------------------------------------------------------------------------------
// `uprobe:/bin/bash:readline+4`: the provider and the rest split at colons, quotes removed,
// `$1` left in place as text (it is a parameter of the object).
struct AttachPoint : Node {
  static constexpr NodeKind kKind = NodeKind::kAttachPoint;
  std::string alias;     // `alias=` prefix, mostly empty
  std::string provider;  // as written: "uprobe", "u"
  std::vector<std::string> parts;
  std::vector<Span> part_spans;
  std::string text;  // as written, without the alias
  AttachPoint(Span s) : Node(kKind, s) {}
};
struct Clause : Node {
  static constexpr NodeKind kKind = NodeKind::kClause;
  std::vector<AttachPoint *> attach_points;
  Expr *predicate = nullptr;  // may be null
  Block *body = nullptr;
  std::vector<std::unique_ptr<VariableDecl>> variables;  // filled by resolve_variables
  Clause(Span s) : Node(kKind, s) {}
};
struct MacroParameter {
  enum class Kind { kExpression, kVariable, kMap };
  Kind kind;
  std::string name;  // with $ or @
  Span span;
};
struct Macro : Node {
  static constexpr NodeKind kKind = NodeKind::kMacro;
  std::string name;
  Span name_span;
  std::vector<MacroParameter> parameters;
  BlockExpr *body = nullptr;
  Macro(Span s) : Node(kKind, s) {}
};
struct MapDeclaration : Node {  // `let @a = lruhash(100);`
  static constexpr NodeKind kKind = NodeKind::kMapDeclaration;
  std::string name;
  std::string map_type;
  Span type_span;
  Expr *max_entries = nullptr;
  MapDeclaration(Span s) : Node(kKind, s) {}
};
struct ConfigEntry : Node {
  static constexpr NodeKind kKind = NodeKind::kConfigEntry;
  std::string name;
  std::string value;  // text of the literal or word
  Span value_span;
  ConfigEntry(Span s) : Node(kKind, s) {}
};
struct Import : Node {
  static constexpr NodeKind kKind = NodeKind::kImport;
  std::string path;
  Import(Span s) : Node(kKind, s) {}
};
// A C definition at the top of the script: struct, union, enum, typedef, #define, #undef, #include.
// A declarator's type is a TypeSpec; nested struct definitions are CDefinitions of their own.
struct CDefinition : Node {
  static constexpr NodeKind kKind = NodeKind::kCDefinition;
  enum class Kind { kStruct, kUnion, kEnum, kTypedef, kDefine, kUndef, kInclude };
  struct Member {
    std::string name;                           // empty: anonymous struct or union
    TypeSpec *type = nullptr;                   // null when `nested` is the type itself
    CDefinition *nested = nullptr;              // a struct, union or enum defined in place
    std::vector<TypeSpec::Modifier> modifiers;  // pointer and array parts around `nested`
    Expr *bit_size = nullptr;                   // bitfield width, else null
    Span span;
  };
  struct Enumerator {
    std::string name;
    Expr *value = nullptr;  // null: one more than the last
    Span span;
  };
  Kind definition = Kind::kStruct;
  std::string name;  // tag, typedef or macro name, or the include's path
  bool is_system_include = false;
  bool is_packed = false;
  uint32_t aligned = 0;  // __attribute__((aligned(n))); 0: none
  std::vector<Member> members;
  std::vector<Enumerator> enumerators;
  TypeSpec *type = nullptr;             // kTypedef
  CDefinition *nested = nullptr;        // kTypedef of a struct defined in place
  std::vector<std::string> parameters;  // kDefine, function-like
  bool is_function_like = false;
  bool is_import = false;  // kInclude: of an `import`
  Expr *value = nullptr;   // kDefine whose body is an expression; else null
  std::string text;        // kDefine: the body as written
  CDefinition(Span s) : Node(kKind, s) {}
};
struct Program : Node {
  static constexpr NodeKind kKind = NodeKind::kProgram;
  std::vector<CDefinition *> c_definitions;
  std::vector<ConfigEntry *> config;
  std::vector<Import *> imports;
  std::vector<MapDeclaration *> map_declarations;
  std::optional<Span> config_span;  // the word `config`
  std::vector<Macro *> macros;
  std::vector<Clause *> clauses;
  Program(Span s) : Node(kKind, s) {}
};

// Owns the nodes of one compilation.
class Context {
 public:
  template <class T, class... Args>
  T *make(Args &&...args) {
    auto node = std::make_unique<T>(std::forward<Args>(args)...);
    T *raw = node.get();
    nodes_.push_back(std::move(node));
    return raw;
  }
  size_t node_count() const { return nodes_.size(); }

 private:
  std::vector<std::unique_ptr<Node>> nodes_;
};

// The node as a T when it is one, else null. Null stays null.
template <class T>
T *as(Node *node) {
  return node != nullptr && node->kind == T::kKind ? static_cast<T *>(node) : nullptr;
}
template <class T>
const T *as(const Node *node) {
  return node != nullptr && node->kind == T::kKind ? static_cast<const T *>(node) : nullptr;
}

}  // namespace awl::frontend::ast
