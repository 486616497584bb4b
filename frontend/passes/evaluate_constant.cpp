#include "frontend/passes/evaluate_constant.h"

namespace awl::frontend {
namespace {

// Deeper trees than this are no constants anybody wrote.
constexpr int kMaxDepth = 200;

struct Facts {
  TypeStore &types;
  const ParameterValue &parameter;
};

std::optional<int64_t> evaluate(const Facts &facts, const ast::Expr &expr, int depth);

// Casts between integers that the type check has seen.
std::optional<int64_t> evaluate_cast(const Facts &facts, const ast::Cast &cast, int depth) {
  if (!cast.type || !cast.type->is_integral()) return std::nullopt;
  std::optional<int64_t> value = evaluate(facts, *cast.operand, depth);
  if (!value) return value;
  if (cast.type->kind == TypeKind::kBool) return *value != 0;
  uint32_t unused = 64 - cast.type->size * 8;
  uint64_t shifted = static_cast<uint64_t>(*value) << unused;
  if (cast.type->is_signed) return static_cast<int64_t>(shifted) >> unused;
  return static_cast<int64_t>(shifted >> unused);
}

std::optional<int64_t> evaluate_unary(const Facts &facts, const ast::Unary &unary, int depth) {
  std::optional<int64_t> value = evaluate(facts, *unary.operand, depth);
  if (!value) return value;
  switch (unary.op) {
    case ast::UnaryOp::kNegate:
      return static_cast<int64_t>(-static_cast<uint64_t>(*value));
    case ast::UnaryOp::kNot:
      return *value == 0;
    case ast::UnaryOp::kComplement:
      return ~*value;
    case ast::UnaryOp::kComptime:
      return value;
    default:
      return std::nullopt;
  }
}

std::optional<int64_t> evaluate_binary(const Facts &facts, const ast::Binary &binary, int depth) {
  auto *left_text = ast::as<ast::StringLiteral>(binary.left);
  auto *right_text = ast::as<ast::StringLiteral>(binary.right);
  bool is_equality = binary.op == ast::BinaryOp::kEq || binary.op == ast::BinaryOp::kNe;
  if (left_text && right_text && is_equality) {
    return (left_text->value == right_text->value) == (binary.op == ast::BinaryOp::kEq);
  }
  std::optional<int64_t> left = evaluate(facts, *binary.left, depth);
  std::optional<int64_t> right = evaluate(facts, *binary.right, depth);
  if (!left || !right) return std::nullopt;
  int64_t a = *left, b = *right;
  uint64_t ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  bool is_undefined = b == 0 || (a == INT64_MIN && b == -1);
  switch (binary.op) {
    case ast::BinaryOp::kAdd:
      return static_cast<int64_t>(ua + ub);
    case ast::BinaryOp::kSub:
      return static_cast<int64_t>(ua - ub);
    case ast::BinaryOp::kMul:
      return static_cast<int64_t>(ua * ub);
    case ast::BinaryOp::kDiv:
      return is_undefined ? std::nullopt : std::optional(a / b);
    case ast::BinaryOp::kMod:
      return is_undefined ? std::nullopt : std::optional(a % b);
    case ast::BinaryOp::kAnd:
      return a & b;
    case ast::BinaryOp::kOr:
      return a | b;
    case ast::BinaryOp::kXor:
      return a ^ b;
    case ast::BinaryOp::kShl:
      return ub < 64 ? static_cast<int64_t>(ua << ub) : 0;
    case ast::BinaryOp::kShr:
      return ub < 64 ? a >> b : 0;
    case ast::BinaryOp::kEq:
      return a == b;
    case ast::BinaryOp::kNe:
      return a != b;
    case ast::BinaryOp::kLt:
      return a < b;
    case ast::BinaryOp::kLe:
      return a <= b;
    case ast::BinaryOp::kGt:
      return a > b;
    case ast::BinaryOp::kGe:
      return a >= b;
    case ast::BinaryOp::kLogicalAnd:
      return a && b;
    case ast::BinaryOp::kLogicalOr:
      return a || b;
  }
  return std::nullopt;
}

std::optional<int64_t> evaluate(const Facts &facts, const ast::Expr &expr, int depth) {
  if (depth > kMaxDepth) return std::nullopt;
  switch (expr.kind) {
    case ast::NodeKind::kIntegerLiteral:
      return static_cast<int64_t>(static_cast<const ast::IntegerLiteral &>(expr).value);
    case ast::NodeKind::kPositionalParameter:
      if (!facts.parameter) return std::nullopt;
      return facts.parameter(static_cast<const ast::PositionalParameter &>(expr));
    case ast::NodeKind::kBoolLiteral:
      return static_cast<const ast::BoolLiteral &>(expr).value;
    case ast::NodeKind::kIdentifier: {
      TypeStore::Constant constant;
      const std::string &name = static_cast<const ast::Identifier &>(expr).name;
      return facts.types.find_constant(name, &constant) ? std::optional(constant.value)
                                                        : std::nullopt;
    }
    // What the type check has set: nothing is known before.
    case ast::NodeKind::kSizeof: {
      auto &size = static_cast<const ast::Sizeof &>(expr);
      return size.type ? std::optional<int64_t>(size.value) : std::nullopt;
    }
    case ast::NodeKind::kOffsetof: {
      auto &offset = static_cast<const ast::Offsetof &>(expr);
      return offset.type ? std::optional<int64_t>(offset.value) : std::nullopt;
    }
    case ast::NodeKind::kCall:
      return static_cast<const ast::Call &>(expr).answer;
    case ast::NodeKind::kCast:
      return evaluate_cast(facts, static_cast<const ast::Cast &>(expr), depth + 1);
    case ast::NodeKind::kUnary:
      return evaluate_unary(facts, static_cast<const ast::Unary &>(expr), depth + 1);
    case ast::NodeKind::kBinary:
      return evaluate_binary(facts, static_cast<const ast::Binary &>(expr), depth + 1);
    case ast::NodeKind::kTernary: {
      auto &ternary = static_cast<const ast::Ternary &>(expr);
      std::optional<int64_t> condition = evaluate(facts, *ternary.condition, depth + 1);
      if (!condition) return condition;
      if (*condition && !ternary.then) return condition;
      return evaluate(facts, *condition ? *ternary.then : *ternary.otherwise, depth + 1);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<int64_t> evaluate_constant(TypeStore &types, const ast::Expr &expr,
                                         const ParameterValue &parameter) {
  return evaluate({types, parameter}, expr, 0);
}

}  // namespace awl::frontend
