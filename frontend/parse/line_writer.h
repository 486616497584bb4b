// Lines of a script under construction: indentation, breaking of long lines, and what stands
// between tokens (comments, blank lines, conditional lines), which goes where it stood.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace awl::frontend {

class LineWriter {
 public:
  // `text` is the script as written.
  explicit LineWriter(std::string_view text) : text_(text) {}

  // What stands at text[begin, end): comments before it first, then `spelling`.
  void token(size_t begin, size_t end, std::string_view spelling);
  // Likewise, with all lines of it as they are.
  void verbatim(size_t begin, size_t end);
  // Leaves out what stands there, but for the comments before it.
  void skip(size_t begin, size_t end);
  // Text that was not in the script, directly behind the last token.
  void add(std::string_view text) { line_ += text; }
  // Behind what is on the line, or on the line that has just ended.
  void append_to_last(std::string_view text);

  void space() { has_space_ = true; }
  void no_space() { has_space_ = false; }
  // A space at which a line that is too long may be broken.
  void breakable_space() { has_space_ = may_break_ = true; }
  void end_line();
  void indent() { ++level_; }
  void unindent() { --level_; }

  // Everything, with the comments at the end of the script.
  std::string finish();

 private:
  static constexpr size_t kMaxColumns = 100;

  void comments_before(size_t begin);
  size_t comment(size_t at, size_t end, size_t newlines);
  void comment_on_line(std::string_view comment, bool ends_line);
  void comment_alone(std::string_view comment, size_t newlines);
  void raw_line(std::string_view line);
  void blank_line_before(size_t newlines);
  void flush();
  void write(std::string_view text, bool is_continuation);
  bool is_at_start() const { return out_.empty() || out_.ends_with("{\n"); }

  std::string_view text_;
  std::string out_;
  std::string line_;            // not yet written, without its indentation
  std::vector<size_t> breaks_;  // places in line_ behind which it may be broken
  size_t last_end_ = 0;         // of the last token in the text
  size_t level_ = 0;
  bool has_space_ = false, may_break_ = false;
  bool must_end_ = false;         // a comment that goes to the end of the line
  bool is_continuation_ = false;  // the statement began on an earlier line
};

}  // namespace awl::frontend
