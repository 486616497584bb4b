// The lexer's input: a stretch of bytes, no decoding.
//
// ANTLR's own stream decodes UTF-8 and throws on what is not; here a character is a byte, so any
// input is fine and token positions are byte offsets. Bytes outside ASCII are all shown as 0x7F:
// the grammar does not tell them apart, and the lexer's tables are cached for ASCII alone.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "antlr4-runtime.h"

namespace awl::frontend {

class ByteStream : public antlr4::CharStream {
 public:
  // Reads text[begin, end); positions are offsets in `text`, which must outlive the stream.
  ByteStream(std::string_view text, size_t begin, size_t end)
      : text_(text.substr(0, end)), at_(begin) {}

  void consume() override { ++at_; }
  size_t LA(ssize_t i) override {
    size_t at = i > 0 ? at_ + i - 1 : at_ + i;
    if (at >= text_.size()) return antlr4::IntStream::EOF;
    auto byte = static_cast<unsigned char>(text_[at]);
    return byte < 0x80 ? byte : 0x7f;
  }
  ssize_t mark() override { return -1; }
  void release(ssize_t) override {}
  size_t index() override { return at_; }
  void seek(size_t index) override { at_ = std::min(index, text_.size()); }
  size_t size() override { return text_.size(); }
  std::string getSourceName() const override { return ""; }
  std::string getText(const antlr4::misc::Interval &interval) override {
    if (interval.b < interval.a || interval.a < 0) return "";
    return std::string(text_.substr(interval.a, interval.b - interval.a + 1));
  }
  std::string toString() const override { return std::string(text_); }

 private:
  std::string_view text_;
  size_t at_;
};

}  // namespace awl::frontend
