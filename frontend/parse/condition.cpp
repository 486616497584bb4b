#include "frontend/parse/condition.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <map>
#include <utility>

namespace awl::frontend {
namespace {

constexpr int kMaxDepth = 100;       // parentheses, unary operators and macros in macros
constexpr int kMaxOperands = 10000;  // macros can double what they are made of at each step

struct Operator {
  std::string_view text;
  int precedence;
};

// Longer ones first where one begins another.
constexpr Operator kOperators[] = {
    {"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<=", 7}, {">=", 7},
    {"<<", 8}, {">>", 8}, {"|", 3},  {"^", 4},  {"&", 5},  {"<", 7},
    {">", 7},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10},
};

// Arithmetic wraps; a division by zero gives nothing.
std::optional<int64_t> apply(std::string_view op, int64_t left, int64_t right) {
  auto a = static_cast<uint64_t>(left);
  auto b = static_cast<uint64_t>(right);
  if (op == "||") return left || right;
  if (op == "&&") return left && right;
  if (op == "|") return left | right;
  if (op == "^") return left ^ right;
  if (op == "&") return left & right;
  if (op == "==") return left == right;
  if (op == "!=") return left != right;
  if (op == "<") return left < right;
  if (op == ">") return left > right;
  if (op == "<=") return left <= right;
  if (op == ">=") return left >= right;
  if (op == "<<") return static_cast<int64_t>(a << (b & 63));
  if (op == ">>") return left >> (b & 63);
  if (op == "+") return static_cast<int64_t>(a + b);
  if (op == "-") return static_cast<int64_t>(a - b);
  if (op == "*") return static_cast<int64_t>(a * b);
  if (right == 0 || (right == -1 && left == INT64_MIN)) return std::nullopt;
  return op == "/" ? left / right : left % right;
}

class Evaluator {
 public:
  Evaluator(const PreprocessorMacros &macros, int *operands, int depth)
      : macros_(macros), operands_(operands), depth_(depth) {}

  std::optional<int64_t> run(std::string_view text) {
    rest_ = text;
    std::optional<int64_t> value = ternary();
    skip_space();
    return rest_.empty() ? value : std::nullopt;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0])))
      rest_.remove_prefix(1);
  }

  bool accept(std::string_view text) {
    skip_space();
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  std::string_view word() {
    size_t length = 0;
    auto is_word = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
    while (length < rest_.size() && is_word(rest_[length])) ++length;
    std::string_view result = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return result;
  }

  std::optional<int64_t> ternary() {
    std::optional<int64_t> condition = binary(1);
    if (!condition || !accept("?")) return condition;
    if (++depth_ > kMaxDepth) return std::nullopt;
    std::optional<int64_t> then = ternary();
    if (!then || !accept(":")) return std::nullopt;
    std::optional<int64_t> otherwise = ternary();
    if (!otherwise) return std::nullopt;
    return *condition ? then : otherwise;
  }

  std::optional<int64_t> binary(int precedence) {
    std::optional<int64_t> left = unary();
    while (left) {
      skip_space();
      auto op = std::find_if(std::begin(kOperators), std::end(kOperators),
                             [&](const Operator &o) { return rest_.starts_with(o.text); });
      if (op == std::end(kOperators) || op->precedence < precedence) return left;
      rest_.remove_prefix(op->text.size());
      std::optional<int64_t> right = binary(op->precedence + 1);
      if (!right) return std::nullopt;
      left = apply(op->text, *left, *right);
    }
    return left;
  }

  std::optional<int64_t> unary() {
    if (++depth_ > kMaxDepth || ++*operands_ > kMaxOperands) return std::nullopt;
    std::optional<int64_t> value = unary_at_depth();
    --depth_;
    return value;
  }

  std::optional<int64_t> unary_at_depth() {
    skip_space();
    if (rest_.empty()) return std::nullopt;
    if (accept("(")) {
      std::optional<int64_t> value = ternary();
      return value && accept(")") ? value : std::nullopt;
    }
    char sign = rest_[0];
    if (sign == '!' || sign == '-' || sign == '~' || sign == '+') {
      rest_.remove_prefix(1);
      std::optional<int64_t> value = unary();
      if (!value) return std::nullopt;
      if (sign == '!') return !*value;
      if (sign == '~') return ~*value;
      return sign == '-' ? static_cast<int64_t>(0 - static_cast<uint64_t>(*value)) : *value;
    }
    std::string_view name = word();
    if (name.empty()) return std::nullopt;
    if (std::isdigit(static_cast<unsigned char>(name[0]))) return number(name);
    if (name == "defined") return defined();
    auto macro = macros_.find(name);
    if (macro == macros_.end()) return 0;
    if (macro->second.is_function_like) return expand(macro->second);
    return Evaluator(macros_, operands_, depth_).run(macro->second.body);
  }

  // A call of a function-like macro: its body with the arguments' values in the place of the
  // parameters.
  std::optional<int64_t> expand(const PreprocessorMacro &macro) {
    if (!accept("(")) return std::nullopt;
    std::map<std::string_view, std::string> values;
    for (size_t i = 0; i < macro.parameters.size(); ++i) {
      const std::optional<int64_t> value = ternary();
      if (!value || !accept(i + 1 < macro.parameters.size() ? "," : ")")) return std::nullopt;
      values[macro.parameters[i]] = "(" + std::to_string(*value) + ")";
    }
    if (macro.parameters.empty() && !accept(")")) return std::nullopt;
    std::string text;
    std::string_view outer = std::exchange(rest_, macro.body);
    while (!rest_.empty()) {
      const std::string_view name = word();
      const auto value = values.find(name);
      text += value != values.end() ? value->second : std::string(name);
      if (name.empty()) text += rest_[0], rest_.remove_prefix(1);
    }
    rest_ = outer;
    return Evaluator(macros_, operands_, depth_).run(text);
  }

  std::optional<int64_t> defined() {
    bool has_parenthesis = accept("(");
    skip_space();
    std::string_view name = word();
    if (name.empty() || (has_parenthesis && !accept(")"))) return std::nullopt;
    return macros_.find(name) != macros_.end();
  }

  static std::optional<int64_t> number(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
      base = 16;
      text.remove_prefix(2);
    } else if (text.size() > 1 && text[0] == '0') {
      base = 8;
    }
    uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc()) return std::nullopt;
    for (; end != text.data() + text.size(); ++end) {
      if (std::string_view("uUlL").find(*end) == std::string_view::npos) return std::nullopt;
    }
    return static_cast<int64_t>(value);
  }

  const PreprocessorMacros &macros_;
  int *operands_;
  int depth_;
  std::string_view rest_;
};

}  // namespace

std::optional<int64_t> evaluate_condition(std::string_view text, const PreprocessorMacros &macros) {
  int operands = 0;
  return Evaluator(macros, &operands, 0).run(text);
}

}  // namespace awl::frontend
