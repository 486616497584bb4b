#include "runtime/attach/x86_instruction.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace awl::runtime {
namespace {

constexpr size_t kMaxLength = 15;

// What follows an opcode, one letter for each. In the tables a row is 16 opcodes.
//   .  nothing                         m  ModRM
//   b  8 bits                          B  ModRM, 8 bits
//   w  16 bits                         z  16 or 32 bits     Z  ModRM, 16 or 32 bits
//   d  32 bits                         v  16, 32 or 64 bits
//   e  16 bits and 8 bits (enter)      o  an address (8 bytes, 4 with the prefix 67)
//   r  ModRM that always names registers
//   t, T  ModRM, and for the first two of its operations an immediate (test): 8, or 16 or 32 bits
//   x  ModRM; with the prefix 66 or F2 two times 8 bits (extrq, insertq)
//   -  no instruction, or one that is handled before
// Prefixes, escapes (0F), VEX (C4, C5), EVEX (62) and XOP (8F) are handled before.
using Map = std::string_view;

constexpr Map kOneByte =
    "mmmmbz--mmmmbz--"  // 00
    "mmmmbz--mmmmbz--"  // 10
    "mmmmbz--mmmmbz--"  // 20
    "mmmmbz--mmmmbz--"  // 30
    "----------------"  // 40: REX
    "................"  // 50
    "---m----zZbB...."  // 60
    "bbbbbbbbbbbbbbbb"  // 70
    "BZ-Bmmmmmmmmmmmm"  // 80
    "..........-....."  // 90
    "oooo....bz......"  // a0
    "bbbbbbbbvvvvvvvv"  // b0
    "BBw.--BZe.w..b-."  // c0
    "mmmm---.mmmmmmmm"  // d0
    "bbbbbbbbdd-b...."  // e0
    "-.--..tT......mm"  // f0
    ;

constexpr Map kTwoBytes =  // 0F
    "mmmm-.....-.-m.B"     // 00
    "mmmmmmmmmmmmmmmm"     // 10
    "rrrr----mmmmmmmm"     // 20
    "......-.--------"     // 30
    "mmmmmmmmmmmmmmmm"     // 40
    "mmmmmmmmmmmmmmmm"     // 50
    "mmmmmmmmmmmmmmmm"     // 60
    "BBBBmmm.xm--mmmm"     // 70
    "dddddddddddddddd"     // 80
    "mmmmmmmmmmmmmmmm"     // 90
    "...mBmmm...mBmmm"     // a0
    "mmmmmmmmmmBmmmmm"     // b0
    "mmBmBBBm........"     // c0
    "mmmmmmmmmmmmmmmm"     // d0
    "mmmmmmmmmmmmmmmm"     // e0
    "mmmmmmmmmmmmmmmm"     // f0
    ;
static_assert(kOneByte.size() == 256 && kTwoBytes.size() == 256);

class Decoder {
 public:
  explicit Decoder(std::span<const uint8_t> code)
      : code_(code.subspan(0, std::min(code.size(), kMaxLength))) {}

  std::optional<uint32_t> length() {
    uint8_t opcode = read_prefixes();
    if (opcode == 0xc4 || opcode == 0xc5) {
      read_vex(opcode);
    } else if (opcode == 0x62) {
      read_evex();
    } else if (opcode == 0x8f && is_xop()) {
      read_xop();
    } else if (opcode == 0x0f) {
      read_escaped();
    } else {
      follow(kOneByte[opcode]);
    }
    if (!is_good_) return std::nullopt;
    return static_cast<uint32_t>(at_);
  }

 private:
  uint8_t next() {
    if (at_ < code_.size()) return code_[at_++];
    is_good_ = false;
    return 0;
  }

  void skip(size_t bytes) {
    is_good_ = is_good_ && code_.size() - at_ >= bytes;
    if (is_good_) at_ += bytes;
  }

  // The opcode behind all prefixes. REX counts only where it stands right before it.
  uint8_t read_prefixes() {
    constexpr std::array<uint8_t, 11> kLegacy = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                                 0x66, 0x67, 0xf0, 0xf2, 0xf3};
    for (;;) {
      const uint8_t byte = next();
      if (std::find(kLegacy.begin(), kLegacy.end(), byte) != kLegacy.end()) {
        rex_w_ = false;
        has_66_ |= byte == 0x66;
        has_67_ |= byte == 0x67;
        has_f2_ |= byte == 0xf2;
      } else if (byte >> 4 == 4) {
        rex_w_ = (byte & 8) != 0;
      } else {
        return byte;
      }
      if (!is_good_) return byte;
    }
  }

  void read_escaped() {
    const uint8_t opcode = next();
    if (opcode == 0x38 || opcode == 0x3a) {
      next();
      follow(opcode == 0x38 ? 'm' : 'B');
    } else {
      follow(kTwoBytes[opcode]);
    }
  }

  // Maps of the vector encodings. They have the immediates of the maps behind 0F, 0F 38 and 0F 3A.
  void follow_vector(uint32_t map, uint8_t opcode, bool is_evex) {
    constexpr uint32_t kEscaped = 1, kEscaped38 = 2, kEscaped3a = 3, kHalf5 = 5, kHalf6 = 6;
    if (map == kEscaped && opcode == 0x77 && !is_evex) return;  // vzeroupper, vzeroall
    if (map == kEscaped) {
      follow(kTwoBytes[opcode] == 'B' ? 'B' : 'm');
    } else if (map == kEscaped38 || (is_evex && (map == kHalf5 || map == kHalf6))) {
      follow('m');
    } else if (map == kEscaped3a) {
      follow('B');
    } else {
      is_good_ = false;
    }
  }

  void read_vex(uint8_t first) {
    const uint8_t payload = next();
    const uint32_t map = first == 0xc4 ? payload & 0x1f : 1;
    if (first == 0xc4) next();
    follow_vector(map, next(), false);
  }

  void read_evex() {
    const uint32_t map = next() & 7;
    skip(2);
    follow_vector(map, next(), true);
  }

  // 8F is pop as well, whose ModRM has no such value there.
  bool is_xop() const { return at_ < code_.size() && (code_[at_] & 0x1f) >= 8; }

  void read_xop() {
    const uint32_t map = next() & 0x1f;
    skip(2);  // the rest of the prefix, and the opcode
    if (map == 8) {
      follow('B');
    } else if (map == 9) {
      follow('m');
    } else if (map == 10) {
      has_66_ = false;
      follow('Z');
    } else {
      is_good_ = false;
    }
  }

  uint32_t word_size() const { return has_66_ && !rex_w_ ? 2 : 4; }

  void follow(char what) {
    switch (what) {
      case '.':
        return;
      case 'm':
        read_modrm();
        return;
      case 'r':
      case 'b':
        return skip(1);
      case 'B':
        read_modrm();
        return skip(1);
      case 'w':
        return skip(2);
      case 'e':
        return skip(3);
      case 'd':
        return skip(4);
      case 'z':
        return skip(word_size());
      case 'Z':
        read_modrm();
        return skip(word_size());
      case 'v':
        return skip(rex_w_ ? 8 : word_size());
      case 'o':
        return skip(has_67_ ? 4 : 8);
      case 't':
      case 'T':
        if ((read_modrm() >> 3 & 7) < 2) skip(what == 't' ? 1 : word_size());
        return;
      case 'x':
        read_modrm();
        return skip(has_66_ || has_f2_ ? 2 : 0);
      default:
        is_good_ = false;
    }
  }

  // With SIB and displacement. They are the same with 32-bit addresses.
  uint8_t read_modrm() {
    const uint8_t modrm = next();
    const uint32_t mode = modrm >> 6, base = modrm & 7;
    if (mode == 3) return modrm;
    const bool has_sib = base == 4;
    const uint32_t sib_base = has_sib ? next() & 7 : 0;
    if (mode == 1) {
      skip(1);
    } else if (mode == 2 || base == 5 || (has_sib && sib_base == 5)) {
      skip(4);
    }
    return modrm;
  }

  std::span<const uint8_t> code_;
  size_t at_ = 0;
  bool is_good_ = true;
  bool rex_w_ = false, has_66_ = false, has_67_ = false, has_f2_ = false;
};

}  // namespace

std::optional<uint32_t> x86_instruction_length(std::span<const uint8_t> code) {
  return Decoder(code).length();
}

std::optional<InstructionBounds> find_x86_instruction(std::span<const uint8_t> code,
                                                      uint64_t offset) {
  InstructionBounds bounds;
  while (bounds.before < code.size()) {
    const std::optional<uint32_t> length = x86_instruction_length(code.subspan(bounds.before));
    if (!length) return std::nullopt;
    bounds.after = bounds.before + *length;
    if (offset < bounds.after) return bounds;
    bounds.before = bounds.after;
  }
  return std::nullopt;
}

}  // namespace awl::runtime
