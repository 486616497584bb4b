// Where text comes from, and places in it.
//
// A Span is two byte offsets into a source held by a SourceManager; line and column are computed
// only when somebody looks. Spans are ours: no later stage sees the parser generator's tokens.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace awl::frontend {

using SourceId = uint32_t;

// A half-open range of bytes [begin, end) in one source.
struct Span {
  SourceId source = 0;
  uint32_t begin = 0;
  uint32_t end = 0;

  // The smallest span that covers both; both must be in the same source.
  Span to(Span other) const {
    return {source, begin < other.begin ? begin : other.begin, end > other.end ? end : other.end};
  }
};

// A place as a person reads it: line and column count from 1, in bytes.
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
};

// One script, import or command-line program.
class Source {
 public:
  Source(std::string name, std::string text);
  const std::string &name() const { return name_; }
  std::string_view text() const { return text_; }
  // Position of a byte offset; an offset past the end is the end.
  LineColumn position(uint32_t offset) const;
  // The text of a line (from 1) without its line end; empty when there is no such line.
  std::string_view line(uint32_t number) const;
  uint32_t line_count() const { return static_cast<uint32_t>(line_starts_.size()); }

 private:
  std::string name_;
  std::string text_;
  std::vector<uint32_t> line_starts_;
};

// Owns all sources of one compilation. Source 0 is the script itself.
class SourceManager {
 public:
  SourceId add(std::string name, std::string text);
  const Source &source(SourceId id) const { return sources_.at(id); }
  std::string_view text(Span span) const;
  size_t size() const { return sources_.size(); }

 private:
  std::deque<Source> sources_;
};

}  // namespace awl::frontend
