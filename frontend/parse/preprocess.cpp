#include "frontend/parse/preprocess.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "frontend/headers/include_lines.h"
#include "frontend/parse/condition.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kUnknownDirective, Error, "unknown-directive", "unknown directive #{}", std::string);
AWL_DIAGNOSTIC(
    kHeadersNotAsked, Warning, "headers-not-asked",
    "the headers before this line cannot be read: what they may define counts as undefined");
AWL_DIAGNOSTIC(kBadCondition, Error, "bad-directive-condition",
               "cannot evaluate the condition of #{}", std::string);
AWL_DIAGNOSTIC(kUnmatchedConditional, Error, "unmatched-conditional", "#{} without #if",
               std::string);
AWL_DIAGNOSTIC(kElseAfterElse, Error, "else-after-else", "#{} after #else", std::string);
AWL_DIAGNOSTIC(kUnterminatedConditional, Error, "unterminated-conditional", "#if without #endif");
AWL_DIAGNOSTIC(kErrorDirective, Error, "error-directive", "#error {}", std::string);

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view take_name(std::string_view *text) {
  size_t length = 0;
  while (length < text->size() && is_name((*text)[length])) ++length;
  std::string_view name = text->substr(0, length);
  text->remove_prefix(length);
  return name;
}

class Preprocessor {
 public:
  Preprocessor(std::string_view text, SourceId source, Diagnostics &diagnostics,
               const AskHeaders &ask_headers, const std::string &name)
      : text_(text),
        result_(text),
        source_(source),
        diagnostics_(diagnostics),
        ask_headers_(ask_headers),
        name_(name) {
    macros_["BPFTRACE_HAVE_BTF"].body = "1";
  }

  std::string run() {
    for (size_t begin = 0; begin < text_.size();) {
      size_t end = line_end(begin);
      size_t first = begin;
      while (first < end && is_blank(text_[first])) ++first;
      bool is_directive =
          !in_comment_ && first < end && text_[first] == '#' && text_.substr(first, 2) != "#!";
      if (is_directive) {
        while (end < text_.size() && is_continued(begin, end)) end = line_end(end + 1);
        directive(first, end);
      } else {
        if (!is_active()) blank(begin, end);
        if (is_active() || in_comment_) scan_line(begin, end);
      }
      begin = end + 1;
    }
    for (const Conditional &open : conditionals_) {
      diagnostics_.emit(open.span, kUnterminatedConditional);
    }
    return std::move(result_);
  }

 private:
  struct Conditional {
    Span span;
    bool is_outer_active;
    bool is_active;
    bool was_taken;  // a branch was active already
    bool has_else = false;
  };

  bool is_active() const { return conditionals_.empty() || conditionals_.back().is_active; }

  size_t line_end(size_t begin) const {
    size_t end = text_.find('\n', begin);
    return end == std::string_view::npos ? text_.size() : end;
  }

  // Whether the line [begin, end) ends in a backslash.
  bool is_continued(size_t begin, size_t end) const {
    if (end > begin && text_[end - 1] == '\r') --end;
    return end > begin && text_[end - 1] == '\\';
  }

  void blank(size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (result_[i] != '\n') result_[i] = ' ';
    }
  }

  // Follows comments and braces through a line of the script. Outside braces a `/*` may be part of
  // a path with a wildcard.
  void scan_line(size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      char next = i + 1 < end ? text_[i + 1] : '\0';
      if (in_comment_) {
        if (text_[i] == '*' && next == '/') {
          in_comment_ = false;
          ++i;
        }
      } else if (text_[i] == '"') {
        for (++i; i < end && text_[i] != '"'; ++i) {
          if (text_[i] == '\\') ++i;
        }
      } else if (text_[i] == '/' && next == '/') {
        return;
      } else if (text_[i] == '/' && next == '*') {
        if (braces_ == 0 && i > begin && is_path(text_[i - 1])) continue;
        in_comment_ = true;
        ++i;
      } else if (text_[i] == '{') {
        ++braces_;
      } else if (text_[i] == '}' && braces_ > 0) {
        --braces_;
      }
    }
  }

  static bool is_path(char c) {
    return is_name(c) || c == '.' || c == '-' || c == '/' || c == ':' || c == '*';
  }

  // The directive whose '#' is at `begin`.
  void directive(size_t begin, size_t end) {
    std::string body(text_.substr(begin + 1, end - begin - 1));
    for (size_t i = 0; i + 1 < body.size(); ++i) {
      if (body[i] == '\\' && (body[i + 1] == '\n' || body[i + 1] == '\r')) body[i] = ' ';
    }
    std::replace(body.begin(), body.end(), '\n', ' ');
    std::string_view rest = trim(body);
    std::string name(take_name(&rest));
    rest = trim(rest.substr(0, std::min(rest.find("//"), rest.find("/*"))));
    span_ = {source_, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
    while (span_.end > span_.begin && is_blank(text_[span_.end - 1])) --span_.end;

    const bool is_line_of_c = name == "define" || name == "undef" || name == "include";
    // Inside a clause, an #undef changes nothing; the others are misplaced, as the lexer says.
    bool is_kept = is_active() && is_line_of_c && (name != "undef" || braces_ == 0);
    if (!is_kept) blank(begin, end);
    if (name == "if" || name == "ifdef" || name == "ifndef") {
      open(name, rest);
    } else if (name == "elif" || name == "else" || name == "endif") {
      next_branch(name, rest);
    } else if (is_active()) {
      plain(name, rest);
      if (is_line_of_c) keep_for_headers(name, body, rest);
    }
  }

  // What a C compiler has seen before a condition.
  void keep_for_headers(const std::string &name, const std::string &body, std::string_view rest) {
    const bool is_quoted = name == "include" && rest.size() > 2 && rest.front() == '"';
    const std::string beside =
        is_quoted ? header_beside(std::string(rest.substr(1, rest.size() - 2)), name_) : "";
    seen_lines_ += beside.empty() ? "#" + body + "\n" : "#include \"" + beside + "\"\n";
    has_include_ = has_include_ || name == "include";
  }

  void plain(const std::string &name, std::string_view rest) {
    if (name == "define") {
      std::string macro(take_name(&rest));
      if (macro.empty()) return;  // the builder says so
      macros_[macro] = read_macro(rest);
    } else if (name == "undef") {
      macros_.erase(std::string(take_name(&rest)));
    } else if (name == "error") {
      diagnostics_.emit(span_, kErrorDirective, std::string(rest));
    } else if (name != "include" && name != "pragma" && name != "line" && name != "warning" &&
               !name.empty()) {
      diagnostics_.emit(span_, kUnknownDirective, name)
          .hint(
              "known are #define, #include, #undef, #error, #if, #ifdef, #ifndef, #elif, #else "
              "and #endif; comments begin with //");
    }
  }

  // What follows the name in a #define.
  static PreprocessorMacro read_macro(std::string_view rest) {
    PreprocessorMacro macro;
    if (rest.starts_with("(")) {
      macro.is_function_like = true;
      rest.remove_prefix(1);
      while (!rest.empty() && rest[0] != ')') {
        const std::string_view name = take_name(&rest);
        if (!name.empty()) macro.parameters.emplace_back(name);
        if (name.empty()) rest.remove_prefix(1);
      }
      if (!rest.empty()) rest.remove_prefix(1);
    }
    macro.body = trim(rest);
    return macro;
  }

  // What the headers say to a condition that the text alone does not decide.
  std::optional<bool> answer_from_headers(const std::string &directive,
                                          std::string_view condition) const {
    if (!has_include_ || !ask_headers_) return std::nullopt;
    std::string_view rest = condition;
    bool is_open = false;
    while (!rest.empty()) {
      const std::string_view name = take_name(&rest);
      if (name.empty()) rest.remove_prefix(1);
      const bool is_number = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0]));
      is_open = is_open || (!name.empty() && !is_number && name != "defined" &&
                            macros_.find(name) == macros_.end());
    }
    if (!is_open) return std::nullopt;
    const std::string line = directive == "elif" ? "if" : directive;
    std::optional<bool> answer =
        ask_headers_(seen_lines_, "#" + line + " " + std::string(condition));
    if (!answer)
      diagnostics_.emit(span_, kHeadersNotAsked).hint("clang and the headers answer that");
    return answer;
  }

  bool evaluate(const std::string &directive, std::string_view condition) {
    if (std::optional<bool> answer = answer_from_headers(directive, condition)) return *answer;
    if (directive == "ifdef" || directive == "ifndef") {
      std::string_view name = take_name(&condition);
      if (name.empty()) diagnostics_.emit(span_, kBadCondition, directive);
      bool is_defined = macros_.find(name) != macros_.end();
      return is_defined == (directive == "ifdef");
    }
    std::optional<int64_t> value = evaluate_condition(condition, macros_);
    if (!value) diagnostics_.emit(span_, kBadCondition, directive);
    return value && *value != 0;
  }

  void open(const std::string &name, std::string_view condition) {
    bool is_outer_active = is_active();
    bool is_true = is_outer_active && evaluate(name, condition);
    conditionals_.push_back({span_, is_outer_active, is_true, is_true});
  }

  void next_branch(const std::string &name, std::string_view condition) {
    if (conditionals_.empty()) {
      diagnostics_.emit(span_, kUnmatchedConditional, name);
      return;
    }
    if (name == "endif") {
      conditionals_.pop_back();
      return;
    }
    Conditional &top = conditionals_.back();
    if (top.has_else) diagnostics_.emit(span_, kElseAfterElse, name);
    bool is_candidate = top.is_outer_active && !top.was_taken && !top.has_else;
    if (name == "else") top.has_else = true;
    top.is_active = is_candidate && (name == "else" || evaluate(name, condition));
    top.was_taken = top.was_taken || top.is_active;
  }

  std::string_view text_;
  std::string result_;
  SourceId source_;
  Diagnostics &diagnostics_;
  const AskHeaders &ask_headers_;
  const std::string &name_;
  PreprocessorMacros macros_;
  std::string seen_lines_;  // #define, #undef and #include so far
  bool has_include_ = false;
  std::vector<Conditional> conditionals_;
  Span span_;  // of the directive at hand
  bool in_comment_ = false;
  int braces_ = 0;
};

}  // namespace

std::string preprocess(std::string_view text, SourceId source, Diagnostics &diagnostics,
                       const AskHeaders &ask_headers, const std::string &name) {
  return Preprocessor(text, source, diagnostics, ask_headers, name).run();
}

}  // namespace awl::frontend
