#include "base/dwarf/debug_sections.h"

#include <endian.h>
#include <gelf.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

namespace awl {
namespace {

// Debug information becomes a third or a tenth of its size, what repeats itself a thirtieth; zlib
// itself could promise a thousand times.
constexpr uint64_t kMaxRatio = 64;
constexpr uint64_t kAlwaysTaken = 1u << 20;  // bytes
constexpr uint64_t kMaxAll = 4ull << 30;     // bytes of all sections of a file

constexpr std::string_view kOldMagic = "ZLIB";

std::string_view raw_content(Elf_Scn *section) {
  const Elf_Data *data = elf_rawdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return {};
  return {static_cast<const char *>(data->d_buf), data->d_size};
}

bool is_old_style(std::string_view name, Elf_Scn *section) {
  return name.starts_with(".zdebug") && raw_content(section).starts_with(kOldMagic);
}

// 0: not compressed. UINT64_MAX: the section is damaged.
uint64_t claimed_size(std::string_view name, const GElf_Shdr &header, Elf_Scn *section) {
  if ((header.sh_flags & SHF_COMPRESSED) != 0) {
    GElf_Chdr compression;
    return gelf_getchdr(section, &compression) != nullptr ? compression.ch_size : UINT64_MAX;
  }
  if (!is_old_style(name, section)) return 0;
  const std::string_view content = raw_content(section);
  uint64_t size = 0;
  if (content.size() < kOldMagic.size() + sizeof size) return UINT64_MAX;
  std::memcpy(&size, content.data() + kOldMagic.size(), sizeof size);
  return be64toh(size);
}

Error malformed(std::string_view name, const std::string &what) {
  return {"section " + std::string(name) + " " + what, ENOEXEC};
}

Status check_claim(std::string_view name, const GElf_Shdr &header, uint64_t claimed) {
  if (claimed == UINT64_MAX) return malformed(name, "has no head that says how it is compressed");
  const uint64_t there = header.sh_size;
  if (claimed > kAlwaysTaken && claimed / kMaxRatio > there) {
    return malformed(name, "has " + std::to_string(there) + " bytes and claims to become " +
                               std::to_string(claimed));
  }
  return ok();
}

// Calls `visit` for each section that has content, until that fails.
Status visit_sections(
    Elf *elf,
    const std::function<Status(std::string_view name, const GElf_Shdr &, Elf_Scn *)> &visit) {
  size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return ok();
  for (Elf_Scn *section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS) continue;
    const char *name = elf_strptr(elf, names, header.sh_name);
    if (name == nullptr) continue;
    if (Status status = visit(name, header, section); !status) return status;
  }
  return ok();
}

Status uncompress(std::string_view name, const GElf_Shdr &header, Elf_Scn *section) {
  const uint64_t claimed = claimed_size(name, header, section);
  if (claimed == 0) return ok();
  if (Status status = check_claim(name, header, claimed); !status) return status;
  const bool is_new_style = (header.sh_flags & SHF_COMPRESSED) != 0;
  const int done = is_new_style ? elf_compress(section, 0, 0) : elf_compress_gnu(section, 0, 0);
  return done >= 0 ? ok() : Status(malformed(name, "cannot be uncompressed"));
}

// ".debug_info" is also named ".zdebug_info".
bool is_named(std::string_view name, std::string_view wanted) {
  return name == wanted || (name.starts_with(".z") && name.substr(2) == wanted.substr(1));
}

}  // namespace

Status check_compressed_sections(Elf *elf) {
  uint64_t all = 0;
  return visit_sections(
      elf, [&](std::string_view name, const GElf_Shdr &header, Elf_Scn *section) -> Status {
        const uint64_t claimed = claimed_size(name, header, section);
        if (Status status = check_claim(name, header, claimed); !status) return status;
        if (claimed > kMaxAll - all) return malformed(name, "is too large uncompressed");
        all += claimed;
        return ok();
      });
}

Result<std::string_view> find_debug_section(Elf *elf, std::string_view wanted) {
  std::string_view content;
  Status status = visit_sections(
      elf, [&](std::string_view name, const GElf_Shdr &header, Elf_Scn *section) -> Status {
        if (!content.empty() || !is_named(name, wanted)) return ok();
        if (Status done = uncompress(name, header, section); !done) return done;
        content = raw_content(section);
        if (content.empty() && header.sh_size != 0) return malformed(name, "is cut off");
        return ok();
      });
  if (!status) return status.error();
  return content;
}

}  // namespace awl
