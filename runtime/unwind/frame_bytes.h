// Numbers of .eh_frame, read one after the other.
#pragma once

#include <dwarf.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace awl::runtime {

inline constexpr uint8_t kFormMask = 0x0f;  // of DW_EH_PE_…

// Reads numbers off the front; `failed` once something was missing, and then all is 0.
class FrameBytes {
 public:
  FrameBytes(std::string_view bytes, uint64_t address) : bytes_(bytes), address_(address) {}

  bool failed() const { return failed_; }
  bool is_empty() const { return failed_ || bytes_.empty(); }
  uint64_t address() const { return address_; }
  std::string_view rest() const { return bytes_; }

  std::string_view take(uint64_t size) {
    if (size > bytes_.size()) {
      failed_ = true;
      bytes_ = {};
      return {};
    }
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    address_ += size;
    return part;
  }
  template <class T>
  T number() {
    T value{};
    const std::string_view part = take(sizeof value);
    if (part.size() == sizeof value) std::memcpy(&value, part.data(), sizeof value);
    return value;
  }
  uint64_t uleb() { return leb(false); }
  int64_t sleb() { return static_cast<int64_t>(leb(true)); }
  std::string_view text() {
    const size_t end = bytes_.find('\0');
    const std::string_view part = take(end == bytes_.npos ? bytes_.size() + 1 : end);
    take(1);
    return part;
  }

  // An address as DW_EH_PE_… says; nothing: a form that is not used for code.
  std::optional<uint64_t> pointer(uint8_t encoding) {
    constexpr uint8_t kRelativeMask = 0x70;
    const uint64_t here = address_;
    int64_t value = 0;
    switch (encoding & kFormMask) {
      case DW_EH_PE_absptr:
      case DW_EH_PE_udata8:
      case DW_EH_PE_sdata8:
        value = number<int64_t>();
        break;
      case DW_EH_PE_udata2:
        value = number<uint16_t>();
        break;
      case DW_EH_PE_udata4:
        value = number<uint32_t>();
        break;
      case DW_EH_PE_sdata2:
        value = number<int16_t>();
        break;
      case DW_EH_PE_sdata4:
        value = number<int32_t>();
        break;
      default:
        return std::nullopt;
    }
    if (failed_) return std::nullopt;
    const uint8_t relative = encoding & kRelativeMask;
    if (relative == DW_EH_PE_absptr) return static_cast<uint64_t>(value);
    if (relative == DW_EH_PE_pcrel) return here + static_cast<uint64_t>(value);
    return std::nullopt;
  }

 private:
  uint64_t leb(bool is_signed) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      const uint8_t byte = number<uint8_t>();
      if (failed_) return 0;
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) != 0) continue;
      const bool is_negative = is_signed && (byte & 0x40) != 0 && shift + 7 < 64;
      return is_negative ? value | ~uint64_t{0} << (shift + 7) : value;
    }
    failed_ = true;
    return 0;
  }

  std::string_view bytes_;
  uint64_t address_;  // of the next byte
  bool failed_ = false;
};

}  // namespace awl::runtime
