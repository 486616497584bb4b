#include "frontend/parse/line_writer.h"

#include <algorithm>
#include <cctype>

namespace awl::frontend {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\f\v";

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$'; }

// Whether two tokens would read as another one when nothing stood between them.
bool would_join(char left, char right) {
  if (is_word(left) && is_word(right)) return true;
  return left == right && std::string_view("+-&").find(left) != std::string_view::npos;
}

std::string_view without_blanks_behind(std::string_view text) {
  size_t last = text.find_last_not_of(kBlanks);
  return last == std::string_view::npos ? "" : text.substr(0, last + 1);
}

}  // namespace

void LineWriter::token(size_t begin, size_t end, std::string_view spelling) {
  comments_before(begin);
  if (must_end_) {
    flush();
    is_continuation_ = true;
  }
  if (!line_.empty()) {
    if (has_space_) line_ += ' ';
    if (may_break_) breaks_.push_back(line_.size());
    if (!has_space_ && !spelling.empty() && would_join(line_.back(), spelling.front()))
      line_ += ' ';
  }
  has_space_ = may_break_ = false;
  line_ += spelling;
  last_end_ = end;
}

void LineWriter::verbatim(size_t begin, size_t end) {
  comments_before(begin);
  out_ += text_.substr(begin, end - begin);
  out_ += '\n';
  last_end_ = end;
}

void LineWriter::skip(size_t begin, size_t end) {
  comments_before(begin);
  last_end_ = end;
}

void LineWriter::append_to_last(std::string_view text) {
  if (line_.empty() && out_.ends_with('\n')) {
    out_.pop_back();
    out_ += text;
    out_ += '\n';
  } else {
    line_ += text;
  }
}

void LineWriter::end_line() {
  flush();
  is_continuation_ = has_space_ = may_break_ = false;
}

std::string LineWriter::finish() {
  end_line();
  comments_before(text_.size());
  end_line();
  return std::move(out_);
}

// Goes through what stands between the last token and the next.
void LineWriter::comments_before(size_t begin) {
  size_t newlines = 0;
  for (size_t at = last_end_; at < begin;) {
    if (kBlanks.find(text_[at]) != std::string_view::npos) {
      newlines += text_[at++] == '\n';
    } else {
      at = comment(at, begin, newlines);
      newlines = 0;
    }
  }
  if (line_.empty() && begin < text_.size()) blank_line_before(newlines);
}

// Writes the comment or conditional line that begins at `at`; gives its end.
size_t LineWriter::comment(size_t at, size_t end, size_t newlines) {
  bool is_block = text_.substr(at, 2) == "/*";
  bool is_line = text_.substr(at, 2) == "//";
  size_t stop = is_block ? text_.find("*/", at + 2) : text_.find('\n', at);
  stop = std::min(stop == std::string_view::npos ? end : stop + (is_block ? 2 : 0), end);
  std::string_view comment = without_blanks_behind(text_.substr(at, stop - at));
  bool is_first = out_.empty() && line_.empty();
  if (!is_block && !is_line) {
    size_t line_begin = text_.find_last_of('\n', at);
    line_begin = line_begin == std::string_view::npos ? 0 : line_begin + 1;
    size_t raw_begin = std::max(line_begin, last_end_);
    blank_line_before(newlines);
    raw_line(without_blanks_behind(text_.substr(raw_begin, stop - raw_begin)));
  } else if (newlines == 0 && !is_first) {
    comment_on_line(comment, is_line);
  } else {
    comment_alone(comment, newlines);
  }
  return stop;
}

void LineWriter::comment_on_line(std::string_view comment, bool ends_line) {
  append_to_last(" " + std::string(comment));
  if (line_.empty()) return;
  must_end_ = ends_line;
  has_space_ = true;
}

void LineWriter::comment_alone(std::string_view comment, size_t newlines) {
  if (!line_.empty()) {
    flush();
    is_continuation_ = true;
  }
  blank_line_before(newlines);
  write(comment, is_continuation_);
}

// What is no comment and no token: conditional lines, and what they exclude.
void LineWriter::raw_line(std::string_view line) {
  if (!line_.empty()) {
    flush();
    is_continuation_ = true;
  }
  out_ += line;
  out_ += '\n';
}

void LineWriter::blank_line_before(size_t newlines) {
  if (newlines > 1 && line_.empty() && !is_at_start() && !out_.ends_with("\n\n")) out_ += '\n';
}

// Writes the line, broken where it can be when it is too long.
void LineWriter::flush() {
  must_end_ = false;
  if (line_.empty()) return;
  size_t begin = 0;
  while (begin < line_.size()) {
    size_t room = kMaxColumns - std::min(kMaxColumns / 2, 2 * level_ + (is_continuation_ ? 4 : 0));
    size_t end = line_.size();
    if (end - begin > room) {
      for (size_t place : breaks_) {
        bool fits = place - begin <= room + 1;  // the space at the end goes
        if (place > begin && (fits || end == line_.size())) end = place;
        if (!fits) break;
      }
    }
    write(without_blanks_behind(std::string_view(line_).substr(begin, end - begin)),
          is_continuation_);
    is_continuation_ = true;
    begin = end;
  }
  line_.clear();
  breaks_.clear();
}

void LineWriter::write(std::string_view text, bool is_continuation) {
  out_.append(2 * level_ + (is_continuation ? 4 : 0), ' ');
  out_ += text;
  out_ += '\n';
}

}  // namespace awl::frontend
