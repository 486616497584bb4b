// Characters by their number.
#pragma once

#include <cstdint>
#include <string>

namespace awl::runtime {

// False: not a character (above 0x10ffff, a surrogate, or a control character).
inline bool append_utf8(uint32_t character, std::string &out) {
  const bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
  if (character < 0x20 || character == 0x7f || character > 0x10ffff || is_surrogate) return false;
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80 | (character >> shift & 0x3f));
  };
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else if (character < 0x800) {
    out += static_cast<char>(0xc0 | character >> 6);
    tail(0);
  } else if (character < 0x10000) {
    out += static_cast<char>(0xe0 | character >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | character >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
  return true;
}

}  // namespace awl::runtime
