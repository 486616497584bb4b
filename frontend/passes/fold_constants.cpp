#include "frontend/passes/fold_constants.h"

#include <optional>

#include "frontend/ast/visit.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kConstantOverflow, Error, "constant-overflow",
               "The result of this operation on literals does not fit into 64 bits");
AWL_DIAGNOSTIC(kConstantDivisionByZero, Error, "constant-division-by-zero", "Division by zero");
AWL_DIAGNOSTIC(kConstantShift, Error, "constant-shift",
               "Shift by {} bits: only 0 to 63 are possible", int64_t);
AWL_DIAGNOSTIC(kEmptyRest, Warning, "empty-rest", "literal string will always be empty");

namespace {

// Wide enough for the exact result of any operation on two 64-bit literals but a product of two
// uint64, which is checked.
using Wide = __int128;

class Folder {
 public:
  explicit Folder(Compilation &compilation)
      : diagnostics_(compilation.diagnostics), nodes_(compilation.context) {}

  void visit(ast::Node &node) {
    ast::for_each_child(
        node,
        [this](ast::Expr *&expr) {
          visit(*expr);
          if (ast::Expr *folded = fold(*expr)) expr = folded;
        },
        [this](ast::Stmt *&stmt) { visit(*stmt); });
  }

 private:
  ast::Expr *fold(ast::Expr &expr) {
    if (auto *unary = ast::as<ast::Unary>(&expr)) return fold_unary(*unary);
    if (auto *binary = ast::as<ast::Binary>(&expr)) return fold_binary(*binary);
    if (auto *ternary = ast::as<ast::Ternary>(&expr)) {
      std::optional<bool> condition = truth(*ternary->condition);
      if (!condition) return nullptr;
      // The type is one that holds both: what is not chosen counts, unless both are literals.
      bool is_open = ternary->then && !is_literal(*ternary->then);
      if (is_open || !is_literal(*ternary->otherwise)) return nullptr;
      if (!*condition) return ternary->otherwise;
      return ternary->then ? ternary->then : ternary->condition;
    }
    return nullptr;
  }

  static bool is_literal(const ast::Expr &expr) {
    return expr.kind == ast::NodeKind::kIntegerLiteral ||
           expr.kind == ast::NodeKind::kBoolLiteral || expr.kind == ast::NodeKind::kStringLiteral;
  }

  ast::Expr *fold_unary(ast::Unary &unary) {
    if (unary.op == ast::UnaryOp::kNot) {
      std::optional<bool> value = truth(*unary.operand);
      return value ? make_bool(unary.span, !*value) : nullptr;
    }
    auto *literal = ast::as<ast::IntegerLiteral>(unary.operand);
    if (!literal) return nullptr;
    if (unary.op == ast::UnaryOp::kNegate) return make_integer(unary.span, -value_of(*literal));
    if (unary.op == ast::UnaryOp::kComplement) {
      return nodes_.make<ast::IntegerLiteral>(unary.span, ~literal->value);
    }
    return nullptr;
  }

  ast::Expr *fold_binary(ast::Binary &binary) {
    if (binary.op == ast::BinaryOp::kLogicalAnd || binary.op == ast::BinaryOp::kLogicalOr) {
      std::optional<bool> left = truth(*binary.left), right = truth(*binary.right);
      if (!left || !right) return nullptr;
      bool is_and = binary.op == ast::BinaryOp::kLogicalAnd;
      return make_bool(binary.span, is_and ? *left && *right : *left || *right);
    }
    auto *left = ast::as<ast::IntegerLiteral>(binary.left);
    auto *right = ast::as<ast::IntegerLiteral>(binary.right);
    if (left && right) return fold_integers(binary, *left, *right);
    auto *left_text = ast::as<ast::StringLiteral>(binary.left);
    auto *right_text = ast::as<ast::StringLiteral>(binary.right);
    if (left_text && right_text) {
      if (binary.op == ast::BinaryOp::kAdd) {
        auto *joined =
            nodes_.make<ast::StringLiteral>(binary.span, left_text->value + right_text->value);
        joined->is_joined = true;
        return joined;
      }
      int order = left_text->value.compare(right_text->value);
      return fold_comparison(binary, Wide{order}, Wide{0});
    }
    if (left_text && right && binary.op == ast::BinaryOp::kAdd && !right->is_negative) {
      size_t skipped = std::min<uint64_t>(right->value, left_text->value.size());
      if (skipped == left_text->value.size()) {
        diagnostics_.emit(binary.span, kEmptyRest)
            .hint("a text and a number is the text without so many of its first characters");
      }
      auto *rest = nodes_.make<ast::StringLiteral>(binary.span, left_text->value.substr(skipped));
      rest->is_joined = true;
      return rest;
    }
    return nullptr;
  }

  ast::Expr *fold_comparison(const ast::Binary &binary, Wide left, Wide right) {
    switch (binary.op) {
      case ast::BinaryOp::kEq:
        return make_bool(binary.span, left == right);
      case ast::BinaryOp::kNe:
        return make_bool(binary.span, left != right);
      case ast::BinaryOp::kLt:
        return make_bool(binary.span, left < right);
      case ast::BinaryOp::kLe:
        return make_bool(binary.span, left <= right);
      case ast::BinaryOp::kGt:
        return make_bool(binary.span, left > right);
      case ast::BinaryOp::kGe:
        return make_bool(binary.span, left >= right);
      default:
        return nullptr;
    }
  }

  ast::Expr *fold_integers(const ast::Binary &binary, const ast::IntegerLiteral &left,
                           const ast::IntegerLiteral &right) {
    Wide a = value_of(left), b = value_of(right);
    switch (binary.op) {
      case ast::BinaryOp::kAdd:
        return make_integer(binary.span, a + b);
      case ast::BinaryOp::kSub:
        return make_integer(binary.span, a - b);
      case ast::BinaryOp::kMul: {
        Wide product = 0;
        if (__builtin_mul_overflow(a, b, &product)) return overflow(binary.span);
        return make_integer(binary.span, product);
      }
      case ast::BinaryOp::kDiv:
      case ast::BinaryOp::kMod:
        if (b == 0) {
          diagnostics_.emit(binary.span, kConstantDivisionByZero);
          return nodes_.make<ast::IntegerLiteral>(binary.span, 0);
        }
        return make_integer(binary.span, binary.op == ast::BinaryOp::kDiv ? a / b : a % b);
      case ast::BinaryOp::kAnd:
        return make_integer(binary.span, a & b);
      case ast::BinaryOp::kOr:
        return make_integer(binary.span, a | b);
      case ast::BinaryOp::kXor:
        return make_integer(binary.span, a ^ b);
      case ast::BinaryOp::kShl:
      case ast::BinaryOp::kShr:
        if (b < 0 || b > 63) {
          diagnostics_.emit(binary.span, kConstantShift, static_cast<int64_t>(b));
          return nodes_.make<ast::IntegerLiteral>(binary.span, 0);
        }
        return make_integer(binary.span,
                            binary.op == ast::BinaryOp::kShl ? a * (Wide{1} << b) : a >> b);
      default:
        return fold_comparison(binary, a, b);
    }
  }

  static Wide value_of(const ast::IntegerLiteral &literal) {
    if (literal.is_negative) return static_cast<int64_t>(literal.value);
    return literal.value;
  }

  // Whether a literal counts as true; null for all else.
  static std::optional<bool> truth(const ast::Expr &expr) {
    if (auto *integer = ast::as<ast::IntegerLiteral>(&expr)) return integer->value != 0;
    if (auto *boolean = ast::as<ast::BoolLiteral>(&expr)) return boolean->value;
    return std::nullopt;
  }

  ast::Expr *make_bool(Span span, bool value) { return nodes_.make<ast::BoolLiteral>(span, value); }

  ast::Expr *make_integer(Span span, Wide value) {
    if (value < INT64_MIN || value > Wide{UINT64_MAX}) return overflow(span);
    auto *literal = nodes_.make<ast::IntegerLiteral>(span, static_cast<uint64_t>(value));
    literal->is_negative = value < 0;
    return literal;
  }

  // Said once: what is around it sees a harmless number.
  ast::Expr *overflow(Span span) {
    diagnostics_.emit(span, kConstantOverflow);
    return nodes_.make<ast::IntegerLiteral>(span, 0);
  }

  Diagnostics &diagnostics_;
  ast::Context &nodes_;
};

}  // namespace

void fold_constants(Compilation &compilation) {
  Folder folder(compilation);
  for (ProgramInfo &program : compilation.checked.programs) folder.visit(*program.clause);
}

}  // namespace awl::frontend
