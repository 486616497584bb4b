#include "base/dwarf/unit_package.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "base/dwarf/image_writer.h"

namespace awl {
namespace {

constexpr uint64_t kHeaderSize = 16, kWordSize = sizeof(uint32_t);  // of the index
constexpr uint64_t kMaxUnitStrings = 256u << 20;  // bytes; a file may name one string many times

uint32_t load_word(std::string_view bytes, uint64_t at) {
  uint32_t value = 0;
  if (at <= bytes.size() && sizeof value <= bytes.size() - at) {
    std::memcpy(&value, bytes.data() + at, sizeof value);
  }
  return value;
}

// Bytes before the offsets in a unit's part of .debug_str_offsets.
size_t offsets_header_size(bool is_dwarf5) { return is_dwarf5 ? 8 : 0; }

// Where in the strings this text stands with its end, as a string or as the end of one.
std::vector<uint32_t> places_of(const std::string &text, std::string_view strings) {
  std::vector<uint32_t> places;
  for (size_t at = strings.find(text); at != strings.npos; at = strings.find(text, at + 1)) {
    places.push_back(static_cast<uint32_t>(at));
  }
  return places;
}

// The strings that a unit names, without all the others of the package, and where each begins.
class UnitStrings {
 public:
  UnitStrings(std::string_view all, std::string_view offsets, bool is_dwarf5, uint64_t limit)
      : all_(all),
        offsets_(offsets),
        header_size_(offsets_header_size(is_dwarf5)),
        limit_(std::min(limit, kMaxUnitStrings)) {}

  // False: malformed, or too many.
  bool run() {
    if (offsets_.size() < header_size_) return false;
    // Offsets of 64 bits, which nobody packs.
    if (header_size_ != 0 && load_word(offsets_, 0) == UINT32_MAX) return false;
    for (size_t at = header_size_; at + kWordSize <= offsets_.size(); at += kWordSize) {
      uint32_t offset = load_word(offsets_, at);
      if (!move(&offset)) return false;
      std::memcpy(offsets_.data() + at, &offset, sizeof offset);
    }
    return true;
  }

  const std::string &offsets() const { return offsets_; }
  const std::string &strings() const { return strings_; }

 private:
  bool move(uint32_t *offset) {
    const auto [known, is_new] =
        moved_.try_emplace(*offset, static_cast<uint32_t>(strings_.size()));
    const uint32_t before = *offset;
    *offset = known->second;
    if (!is_new) return true;
    if (before >= all_.size()) return false;
    const size_t end = all_.find('\0', before);
    if (end == std::string_view::npos || end - before >= limit_ - strings_.size()) return false;
    strings_.append(all_.substr(before, end + 1 - before));
    return true;
  }

  std::string_view all_;
  std::string offsets_, strings_;
  const size_t header_size_;
  const uint64_t limit_;
  std::unordered_map<uint32_t, uint32_t> moved_;
};

}  // namespace

Result<UnitPackage> UnitPackage::parse(const PackageSections &sections) {
  UnitPackage package;
  package.sections_ = sections;
  if (!package.read_header()) return Error{"its index of units is malformed", ENOEXEC};
  return package;
}

// False: malformed, or of a version that is not known.
bool UnitPackage::read_header() {
  // The version has two bytes in DWARF 5, with padding behind, and four before.
  version_ = word(0);
  columns_ = word(4);
  units_ = word(8);
  slots_ = word(12);
  constexpr uint32_t kMaxColumns = 64;
  if ((version_ != 2 && version_ != 5) || columns_ > kMaxColumns || (slots_ & (slots_ - 1)) != 0) {
    return false;
  }
  rows_at_ = kHeaderSize + uint64_t{slots_} * sizeof(uint64_t);
  offsets_at_ = rows_at_ + uint64_t{slots_} * kWordSize;
  sizes_at_ = offsets_at_ + (uint64_t{units_} + 1) * columns_ * kWordSize;
  return sizes_at_ + uint64_t{units_} * columns_ * kWordSize <= sections_.index.size();
}

uint32_t UnitPackage::find_row(uint64_t id) const {
  const uint32_t mask = slots_ - 1;
  uint32_t slot = static_cast<uint32_t>(id) & mask;
  const uint32_t step = (static_cast<uint32_t>(id >> 32) & mask) | 1;
  for (uint32_t tries = 0; tries < slots_; ++tries, slot = (slot + step) & mask) {
    const uint32_t row = word(rows_at_ + uint64_t{slot} * kWordSize);
    if (row == 0) return 0;
    if (signature(slot) == id) return row <= units_ ? row : 0;
  }
  return 0;
}

uint32_t UnitPackage::word(uint64_t at) const { return load_word(sections_.index, at); }

uint64_t UnitPackage::signature(uint32_t slot) const {
  const uint64_t at = kHeaderSize + uint64_t{slot} * sizeof(uint64_t);
  return word(at) | uint64_t{word(at + kWordSize)} << 32;
}

std::string_view UnitPackage::section_of(uint32_t column) const {
  switch (column) {
    case kInfo:
      return sections_.info;
    case kAbbreviations:
      return sections_.abbreviations;
    case kLocations:
      return is_dwarf5() ? sections_.location_lists : sections_.locations;
    case kStringOffsets:
      return sections_.string_offsets;
    case kRangeLists:
      return is_dwarf5() ? sections_.range_lists : std::string_view();
    default:
      return {};
  }
}

// Row 0 of the offsets says which section each column is for.
UnitPackage::Parts UnitPackage::parts(uint32_t row) const {
  Parts parts;
  for (uint64_t i = 0; i < columns_; ++i) {
    const uint32_t column = word(offsets_at_ + i * kWordSize);
    const uint32_t offset = word(offsets_at_ + (uint64_t{row} * columns_ + i) * kWordSize);
    const uint32_t size = word(sizes_at_ + ((uint64_t{row} - 1) * columns_ + i) * kWordSize);
    const std::string_view section = section_of(column);
    if (section.empty()) continue;
    if (offset <= section.size() && size <= section.size() - offset) {
      parts.of[column] = section.substr(offset, size);
    } else {
      parts.fit = false;
    }
  }
  return parts;
}

std::set<uint64_t> UnitPackage::units_with(std::string_view name) const {
  std::set<uint64_t> found;
  const std::string text = std::string(name) + '\0';
  const std::vector<uint32_t> places = places_of(text, sections_.strings);
  // Parts do not overlap where nobody has tampered with them.
  uint64_t bytes_left = 2 * (sections_.info.size() + sections_.string_offsets.size());
  const auto names = [&](const Parts &unit) {
    const std::string_view info = unit.of[kInfo], offsets = unit.of[kStringOffsets];
    if (info.size() + offsets.size() > bytes_left) return true;
    bytes_left -= info.size() + offsets.size();
    // Compilers leave strings in place that are short, or named once.
    if (info.find(text) != std::string_view::npos) return true;
    for (size_t at = offsets_header_size(is_dwarf5()); at + kWordSize <= offsets.size();
         at += kWordSize) {
      if (std::binary_search(places.begin(), places.end(), load_word(offsets, at))) return true;
    }
    return false;
  };
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    const uint32_t row = word(rows_at_ + uint64_t{slot} * kWordSize);
    if (row != 0 && row <= units_ && names(parts(row))) found.insert(signature(slot));
  }
  return found;
}

Result<std::string> UnitPackage::cut_out(uint64_t id, const Elf64_Ehdr &header,
                                         std::string_view addresses, uint64_t limit) const {
  const uint32_t row = find_row(id);
  if (row == 0) return Error{"the unit is not there", ENOENT};
  const Parts unit = parts(row);
  if (!unit.fit || unit.of[kInfo].empty()) {
    return Error{"its index names parts that are not there", ENOEXEC};
  }
  uint64_t size = addresses.size() + ImageWriter::kMaxOverhead;
  for (const std::string_view part : unit.of) size += part.size();
  if (size > limit) return Error{"its units are too large", EFBIG};
  UnitStrings strings(sections_.strings, unit.of[kStringOffsets], is_dwarf5(), limit - size);
  if (!strings.run()) {
    return Error{"the strings of a unit are malformed, or too many", ENOEXEC};
  }
  ImageWriter image(header);
  const auto copy = [&](Column column, std::string_view name) {
    if (!unit.of[column].empty()) image.add(name, unit.of[column]);
  };
  // libdw takes these names as well as those that end in .dwo, but not both in one file.
  copy(kInfo, ".debug_info");
  copy(kAbbreviations, ".debug_abbrev");
  copy(kLocations, is_dwarf5() ? ".debug_loclists" : ".debug_loc");
  copy(kRangeLists, ".debug_rnglists");
  image.add(".debug_str_offsets", strings.offsets());
  image.add(".debug_str", strings.strings());
  image.add(".debug_addr", addresses);
  return image.finish();
}

}  // namespace awl
