#include "frontend/passes/evaluate_constant.h"

namespace awl::frontend {
namespace {

// Deeper trees than this are no constants anybody wrote.
constexpr int kMaxDepth = 200;

std::optional<int64_t> evaluate(TypeStore &types, const ast::Expr &expr, int depth);

std::optional<int64_t> evaluate_unary(TypeStore &types, const ast::Unary &unary, int depth) {
  std::optional<int64_t> value = evaluate(types, *unary.operand, depth);
  if (!value) return value;
  switch (unary.op) {
    case ast::UnaryOp::kNegate:
      return static_cast<int64_t>(-static_cast<uint64_t>(*value));
    case ast::UnaryOp::kNot:
      return *value == 0;
    case ast::UnaryOp::kComplement:
      return ~*value;
    default:
      return std::nullopt;
  }
}

std::optional<int64_t> evaluate_binary(TypeStore &types, const ast::Binary &binary, int depth) {
  std::optional<int64_t> left = evaluate(types, *binary.left, depth);
  std::optional<int64_t> right = evaluate(types, *binary.right, depth);
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

std::optional<int64_t> evaluate(TypeStore &types, const ast::Expr &expr, int depth) {
  if (depth > kMaxDepth) return std::nullopt;
  switch (expr.kind) {
    case ast::NodeKind::kIntegerLiteral:
      return static_cast<int64_t>(static_cast<const ast::IntegerLiteral &>(expr).value);
    case ast::NodeKind::kBoolLiteral:
      return static_cast<const ast::BoolLiteral &>(expr).value;
    case ast::NodeKind::kIdentifier: {
      TypeStore::Constant constant;
      const std::string &name = static_cast<const ast::Identifier &>(expr).name;
      return types.find_constant(name, &constant) ? std::optional(constant.value) : std::nullopt;
    }
    case ast::NodeKind::kUnary:
      return evaluate_unary(types, static_cast<const ast::Unary &>(expr), depth + 1);
    case ast::NodeKind::kBinary:
      return evaluate_binary(types, static_cast<const ast::Binary &>(expr), depth + 1);
    case ast::NodeKind::kTernary: {
      auto &ternary = static_cast<const ast::Ternary &>(expr);
      std::optional<int64_t> condition = evaluate(types, *ternary.condition, depth + 1);
      if (!condition) return condition;
      if (*condition && !ternary.then) return condition;
      return evaluate(types, *condition ? *ternary.then : *ternary.otherwise, depth + 1);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<int64_t> evaluate_constant(TypeStore &types, const ast::Expr &expr) {
  return evaluate(types, expr, 0);
}

}  // namespace awl::frontend
