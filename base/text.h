// Text of files that the kernel writes, taken apart word by word.
#pragma once

#include <charconv>
#include <string_view>

namespace awl {

// Takes the text up to a separator, and that, off the front.
inline std::string_view take_until(std::string_view &text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return head;
}

// Without blanks around.
inline std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// False: the text is more than a number, or none.
template <class T>
bool parse_digits(std::string_view text, int base, T *out) {
  const char *end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, *out, base);
  return result.ec == std::errc() && result.ptr == end;
}

}  // namespace awl
