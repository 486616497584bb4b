#include "runtime/unwind/eh_frame.h"

#include <dwarf.h>

#include <algorithm>
#include <map>
#include <optional>

#include "runtime/unwind/frame_bytes.h"
#include "runtime/unwind/frame_rows.h"

namespace awl::runtime {
namespace {

using object::UnwindRow;
using object::UnwindRule;

constexpr uint64_t kMaxSectionSize = 256u << 20;
// A common entry is run once per function that names it, so a file of a few megabytes could ask for
// billions of steps. Compilers write about ten bytes, and linkers one such entry per kind.
constexpr size_t kMaxCommonInstructions = 1024;  // bytes
constexpr size_t kMaxCommonEntries = 1u << 18;
// An instruction has a byte at least; the other half is for the common entries: that of a function
// is far shorter than the function's own entry with its header.
constexpr uint64_t kMaxStepsPerByte = 2;

CommonFrame read_common(FrameBytes in) {
  CommonFrame entry;
  const uint8_t version = in.number<uint8_t>();
  const std::string_view augmentation = in.text();
  entry.code_alignment = in.uleb();
  entry.data_alignment = in.sleb();
  const uint64_t return_register = version == 1 ? in.number<uint8_t>() : in.uleb();
  if ((version != 1 && version != 3) || return_register != kReturnAddress) return entry;
  if (augmentation.starts_with('z')) {
    entry.has_augmentation = true;
    FrameBytes data(in.take(in.uleb()), 0);
    for (char letter : augmentation.substr(1)) {
      if (letter == 'R') {
        entry.encoding = data.number<uint8_t>();
      } else if (letter == 'L') {
        data.number<uint8_t>();
      } else if (letter == 'P') {
        if (!data.pointer(data.number<uint8_t>() & kFormMask)) return entry;
      } else if (letter == 'S') {
        entry.is_signal = true;
      }
    }
    if (data.failed()) return entry;
  } else if (!augmentation.empty()) {
    return entry;
  }
  entry.instructions = in.rest();
  entry.is_usable = !in.failed() && entry.instructions.size() <= kMaxCommonInstructions;
  return entry;
}

}  // namespace

std::vector<uint64_t> read_eh_frame(std::string_view section, uint64_t address) {
  std::map<uint64_t, CommonFrame> common;  // by offset
  std::vector<UnwindRow> rows;
  uint64_t steps_left = section.size() * kMaxStepsPerByte;
  uint64_t offset = 0;
  while (offset + 4 <= section.size() && rows.size() < object::kMaxUnwindRows && steps_left > 0) {
    FrameBytes in(section.substr(offset), address + offset);
    uint64_t length = in.number<uint32_t>();
    if (length == 0) break;
    if (length == UINT32_MAX) length = in.number<uint64_t>();
    const uint64_t id_offset = in.address() - address;
    const std::string_view body = in.take(length);
    if (in.failed() || body.size() < 4) break;
    offset = id_offset + length;
    FrameBytes entry(body, address + id_offset);
    const uint32_t id = entry.number<uint32_t>();
    if (id == 0) {
      if (common.size() < kMaxCommonEntries) common[id_offset - 4] = read_common(entry);
      continue;
    }
    // The distance back to the common entry, from the place of this number.
    const auto found = common.find(id_offset - id);
    if (found == common.end() || !found->second.is_usable) continue;
    const CommonFrame &shared = found->second;
    const std::optional<uint64_t> start = entry.pointer(shared.encoding);
    const std::optional<uint64_t> size = entry.pointer(shared.encoding & kFormMask);
    if (!start || !size || *size == 0 || *start + *size < *start) continue;
    if (shared.has_augmentation) entry.take(entry.uleb());
    if (entry.failed()) continue;
    const size_t used = entry.address() - (address + id_offset);
    add_frame_rows(shared, *start, *start + *size, body.substr(used), steps_left, rows);
  }
  // Where a function begins right behind another one, its row wins over the other's end.
  std::stable_sort(rows.begin(), rows.end(), [](const UnwindRow &a, const UnwindRow &b) {
    if (a.address != b.address) return a.address < b.address;
    return a.rule == UnwindRule::kUnknown && b.rule != UnwindRule::kUnknown;
  });
  std::vector<uint64_t> packed;
  packed.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + 1 < rows.size() && rows[i + 1].address == rows[i].address) continue;
    const uint64_t row = pack(rows[i]);
    const bool is_same = !packed.empty() && packed.back() >> 32 == row >> 32;
    if (!is_same) packed.push_back(row);
  }
  return packed;
}

Result<std::vector<uint64_t>> read_unwind_rows(const ElfFile &file) {
  const Elf64_Shdr *section = file.find_section(".eh_frame");
  if (section == nullptr || section->sh_type == SHT_NOBITS) {
    return Error{"it has no .eh_frame", ENOENT};
  }
  std::vector<uint64_t> rows =
      read_eh_frame(file.section_text(*section, kMaxSectionSize), section->sh_addr);
  if (rows.empty()) return Error{"its .eh_frame tells nothing", ENOEXEC};
  return rows;
}

}  // namespace awl::runtime
