#include "base/usdt_notes.h"

#include <cstring>
#include <optional>
#include <string_view>

namespace awl {
namespace {

constexpr uint64_t kMaxNotes = 64u << 20;  // bytes of the section
constexpr uint32_t kNoteType = 3;
constexpr std::string_view kNoteName("stapsdt\0", 8);

struct NoteHeader {
  uint32_t name_size, description_size, type;
};

// What a note's description begins with; three strings follow.
struct NoteAddresses {
  uint64_t place, base, semaphore;
};

size_t aligned(size_t size) { return (size + 3) & ~size_t{3}; }

// Takes the string at the front; false when none ends there.
bool take_string(std::string_view &rest, std::string &out) {
  const size_t end = rest.find('\0');
  if (end == std::string_view::npos) return false;
  out = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return true;
}

class NoteReader {
 public:
  explicit NoteReader(const ElfFile &file) : file_(file) {
    const Elf64_Shdr *base = file.find_section(".stapsdt.base");
    if (base != nullptr) base_ = base->sh_addr;
  }

  std::vector<UsdtPlace> read() {
    std::vector<UsdtPlace> places;
    const Elf64_Shdr *section = file_.find_section(".note.stapsdt");
    if (section == nullptr) return places;
    const std::string text = file_.section_text(*section, kMaxNotes);
    for (std::string_view rest = text; rest.size() >= sizeof(NoteHeader);) {
      NoteHeader header{};
      std::memcpy(&header, rest.data(), sizeof header);
      rest.remove_prefix(sizeof header);
      const size_t name_size = aligned(header.name_size);
      if (name_size > rest.size() || header.description_size > rest.size() - name_size) break;
      const std::string_view name = rest.substr(0, header.name_size);
      const std::string_view description = rest.substr(name_size, header.description_size);
      rest.remove_prefix(std::min(name_size + aligned(header.description_size), rest.size()));
      if (header.type != kNoteType || name != kNoteName) continue;
      if (std::optional<UsdtPlace> place = read_place(description)) {
        places.push_back(std::move(*place));
      }
    }
    return places;
  }

 private:
  std::optional<UsdtPlace> read_place(std::string_view description) const {
    NoteAddresses addresses{};
    if (description.size() < sizeof addresses) return std::nullopt;
    std::memcpy(&addresses, description.data(), sizeof addresses);
    description.remove_prefix(sizeof addresses);
    UsdtPlace place;
    if (!take_string(description, place.provider) || !take_string(description, place.name) ||
        !take_string(description, place.arguments)) {
      return std::nullopt;
    }
    // Notes are not relocated when the file is prelinked: the base tells how far it has moved.
    const uint64_t moved = base_ && addresses.base != 0 ? *base_ - addresses.base : 0;
    place.address = addresses.place + moved;
    const auto offset = segment_offset(file_.segments(), place.address, false);
    if (!offset) return std::nullopt;
    place.file_offset = *offset;
    if (addresses.semaphore != 0) {
      place.semaphore =
          segment_offset(file_.segments(), addresses.semaphore + moved, true).value_or(0);
    }
    return place;
  }

  const ElfFile &file_;
  std::optional<uint64_t> base_;
};

}  // namespace

std::vector<UsdtPlace> read_usdt_places(const ElfFile &file) { return NoteReader(file).read(); }

Result<std::vector<UsdtPlace>> read_usdt_places(const std::string &path) {
  Result<ElfFile> file = ElfFile::open(path);
  if (!file) return file.error();
  return read_usdt_places(*file);
}

}  // namespace awl
