#include "runtime/unwind/eh_frame.h"

#include <dwarf.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

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
constexpr size_t kMaxStates = 64;                            // of DW_CFA_remember_state
constexpr uint8_t kFormMask = 0x0f;                          // of DW_EH_PE_…
constexpr uint64_t kRbp = 6, kRsp = 7, kReturnAddress = 16;  // DWARF's numbers on x86-64
constexpr int64_t kWord = 8;

// Reads numbers off the front; `failed` once something was missing, and then all is 0.
class Bytes {
 public:
  Bytes(std::string_view bytes, uint64_t address) : bytes_(bytes), address_(address) {}

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

// Where the caller's frame is and what it keeps, as the instructions have said so far.
struct State {
  UnwindRule rule = UnwindRule::kUnknown;
  int64_t offset = 0;                // bytes
  std::optional<int64_t> saved_rbp;  // bytes from the CFA
  bool is_rbp_lost = false;          // said in a way that we do not follow
  bool is_return_usual = true;       // at CFA - 8
  bool is_outermost = false;
};

// The few expressions that compilers and the C library use.
void set_cfa_expression(std::string_view bytes, bool is_signal, State *state) {
  // rsp + 8 + ((rip & 15) >= N) * 8, of a linker's .plt; N is DW_OP_lit11, or lit10.
  constexpr std::string_view kPltStart("\x77\x08\x80\x00\x3f\x1a", 6);
  constexpr std::string_view kPltEnd = "\x2a\x33\x24\x22";
  state->rule = UnwindRule::kUnknown;
  if (is_signal) {
    state->rule = UnwindRule::kSignal;
  } else if (bytes.size() == 11 && bytes.starts_with(kPltStart) && bytes.ends_with(kPltEnd)) {
    state->rule = UnwindRule::kPlt;
    state->offset = bytes[6] - 0x30;
  } else if (bytes.size() >= 3 && bytes[0] == 0x76 && bytes.back() == 0x06) {
    Bytes number(bytes.substr(1, bytes.size() - 2), 0);  // DW_OP_breg6 N, DW_OP_deref
    state->offset = number.sleb();
    if (number.is_empty() && !number.failed()) state->rule = UnwindRule::kRealigned;
  }
}

struct CommonEntry {
  uint64_t code_alignment = 1;
  int64_t data_alignment = 1;
  uint8_t encoding = 0;
  bool has_augmentation = false, is_signal = false;
  std::string_view instructions;
  bool is_usable = false;
};

// Runs the instructions of one entry and adds a row where the rules change.
class Rows {
 public:
  Rows(const CommonEntry &common, uint64_t start, uint64_t end, uint64_t &steps_left,
       std::vector<UnwindRow> &out)
      : common_(common), at_(start), end_(end), steps_left_(steps_left), out_(out) {}

  void run(std::string_view instructions) {
    execute(common_.instructions);
    initial_ = state_;
    add();
    execute(instructions);
    add();
    // Behind the function nothing is known, until the next one's rows say other things.
    at_ = end_;
    state_ = {};
    add();
  }

 private:
  void add() {
    if (at_ > UINT32_MAX) return;
    UnwindRow row;
    row.address = static_cast<uint32_t>(at_);
    const bool is_special = state_.rule == UnwindRule::kSignal;
    if (state_.is_outermost) {
      row.rule = UnwindRule::kOutermost;
    } else if (is_special) {
      row.rule = state_.rule;
    } else if (state_.rule != UnwindRule::kUnknown && state_.is_return_usual && !is_rbp_unknown()) {
      set_offsets(row);
    }
    if (!out_.empty() && out_.back().address == row.address)
      out_.back() = row;
    else if (out_.size() < object::kMaxUnwindRows)
      out_.push_back(row);
    else
      out_.back() = {out_.back().address};  // its rule would be taken for all that follows
  }
  bool is_rbp_unknown() const {
    return state_.is_rbp_lost && state_.rule != UnwindRule::kRealigned;
  }
  void set_offsets(UnwindRow &row) {
    const bool is_plt = state_.rule == UnwindRule::kPlt;
    const int64_t offset = is_plt ? state_.offset : state_.offset / kWord;
    const int64_t rbp = state_.saved_rbp.value_or(0) / kWord;
    if ((!is_plt && state_.offset % kWord != 0) || offset != static_cast<int16_t>(offset)) return;
    if (rbp != static_cast<int8_t>(rbp) || state_.saved_rbp.value_or(0) % kWord != 0) return;
    row.rule = state_.rule;
    row.offset = static_cast<int16_t>(offset);
    row.frame_pointer = static_cast<int8_t>(rbp);
  }

  void advance(uint64_t delta) {
    add();
    at_ = std::min(at_ + std::min(delta * common_.code_alignment, end_ - at_), end_);
  }

  void set_cfa(uint64_t reg, int64_t offset) {
    state_.rule = reg == kRsp   ? UnwindRule::kStackPointer
                  : reg == kRbp ? UnwindRule::kFramePointer
                                : UnwindRule::kUnknown;
    state_.offset = offset;
  }
  void saved_at(uint64_t reg, int64_t offset) {
    if (reg == kRbp) {
      state_.saved_rbp = offset;
      state_.is_rbp_lost = false;
    }
    if (reg == kReturnAddress) {
      state_.is_return_usual = offset == -kWord;
      state_.is_outermost = false;
    }
  }
  // The numbers are the file's, so that any product may be too large. False: it is.
  template <class T>
  bool scale(T factor, int64_t &out) const {
    return !__builtin_mul_overflow(factor, common_.data_alignment, &out);
  }
  static bool fits(uint64_t value, int64_t &out) {
    out = static_cast<int64_t>(value);
    return value <= INT64_MAX;
  }
  template <class T>
  bool saved_at_scaled(uint64_t reg, T factor) {
    int64_t offset = 0;
    if (!scale(factor, offset)) return false;
    saved_at(reg, offset);
    return true;
  }
  // Kept in a way that we do not follow.
  void lost(uint64_t reg) {
    if (reg == kRbp) state_.is_rbp_lost = true;
    if (reg == kReturnAddress) state_.is_return_usual = false;
  }
  void restore(uint64_t reg) {
    if (reg == kRbp) {
      state_.saved_rbp = initial_.saved_rbp;
      state_.is_rbp_lost = initial_.is_rbp_lost;
    }
    if (reg == kReturnAddress) {
      state_.is_return_usual = initial_.is_return_usual;
      state_.is_outermost = initial_.is_outermost;
    }
  }

  void execute(std::string_view instructions) {
    Bytes in(instructions, 0);
    while (!in.is_empty()) {
      if (steps_left_ == 0) {
        unknown();
        break;
      }
      --steps_left_;
      if (!execute_next(in)) break;
    }
    if (in.failed()) state_ = {};
  }

  bool execute_next(Bytes &in) {
    const uint8_t code = in.number<uint8_t>();
    const uint64_t low = code & 0x3f;
    if (code >= DW_CFA_restore)
      restore(low);
    else if (code >= DW_CFA_offset)
      return saved_at_scaled(low, in.uleb()) || unknown();
    else if (code >= DW_CFA_advance_loc)
      advance(low);
    else
      return execute_other(code, in);
    return true;
  }

  // False: an instruction that is not known, so what follows cannot be read.
  bool execute_other(uint8_t code, Bytes &in) {
    switch (code) {
      case DW_CFA_nop:
        return true;
      case DW_CFA_advance_loc1:
        advance(in.number<uint8_t>());
        return true;
      case DW_CFA_advance_loc2:
        advance(in.number<uint16_t>());
        return true;
      case DW_CFA_advance_loc4:
        advance(in.number<uint32_t>());
        return true;
      case DW_CFA_remember_state:
        if (states_.size() < kMaxStates) states_.push_back(state_);
        return true;
      case DW_CFA_restore_state:
        if (states_.empty()) return false;
        state_ = states_.back();
        states_.pop_back();
        return true;
      case DW_CFA_GNU_args_size:
        in.uleb();
        return true;
      default:
        return execute_cfa(code, in) || execute_register(code, in) || unknown();
    }
  }
  bool unknown() {
    state_ = {};
    return false;
  }

  // False: another instruction, or an offset that no frame has.
  bool execute_cfa(uint8_t code, Bytes &in) {
    int64_t offset = 0;
    switch (code) {
      case DW_CFA_def_cfa:
      case DW_CFA_def_cfa_sf: {
        const uint64_t reg = in.uleb();
        const bool is_scaled = code == DW_CFA_def_cfa_sf;
        if (!(is_scaled ? scale(in.sleb(), offset) : fits(in.uleb(), offset))) return false;
        set_cfa(reg, offset);
        return true;
      }
      case DW_CFA_def_cfa_register:
        set_cfa(in.uleb(), state_.offset);
        return true;
      case DW_CFA_def_cfa_offset:
        return fits(in.uleb(), state_.offset);
      case DW_CFA_def_cfa_offset_sf:
        return scale(in.sleb(), state_.offset);
      case DW_CFA_def_cfa_expression:
        set_cfa_expression(in.take(in.uleb()), common_.is_signal, &state_);
        return true;
      default:
        return false;
    }
  }

  bool execute_register(uint8_t code, Bytes &in) {
    const uint64_t reg = in.uleb();
    switch (code) {
      case DW_CFA_offset_extended:
        return saved_at_scaled(reg, in.uleb());
      case DW_CFA_restore_extended:
        restore(reg);
        return true;
      case DW_CFA_undefined:
        if (reg == kReturnAddress)
          state_.is_outermost = true;
        else
          lost(reg);
        return true;
      case DW_CFA_same_value:
        if (reg == kRbp) state_.saved_rbp.reset();
        return true;
      case DW_CFA_register:
      case DW_CFA_val_offset:
        in.uleb();
        lost(reg);
        return true;
      case DW_CFA_expression:
      case DW_CFA_val_expression:
        in.take(in.uleb());
        lost(reg);
        return true;
      case DW_CFA_offset_extended_sf:
        return saved_at_scaled(reg, in.sleb());
      case DW_CFA_val_offset_sf:
        in.sleb();
        lost(reg);
        return true;
      default:
        return false;
    }
  }

  const CommonEntry &common_;
  uint64_t at_;
  const uint64_t end_;
  uint64_t &steps_left_;  // of the whole file
  std::vector<UnwindRow> &out_;
  State state_, initial_;
  std::vector<State> states_;
};

CommonEntry read_common(Bytes in) {
  CommonEntry entry;
  const uint8_t version = in.number<uint8_t>();
  const std::string_view augmentation = in.text();
  entry.code_alignment = in.uleb();
  entry.data_alignment = in.sleb();
  const uint64_t return_register = version == 1 ? in.number<uint8_t>() : in.uleb();
  if ((version != 1 && version != 3) || return_register != kReturnAddress) return entry;
  if (augmentation.starts_with('z')) {
    entry.has_augmentation = true;
    Bytes data(in.take(in.uleb()), 0);
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
  std::map<uint64_t, CommonEntry> common;  // by offset
  std::vector<UnwindRow> rows;
  uint64_t steps_left = section.size() * kMaxStepsPerByte;
  uint64_t offset = 0;
  while (offset + 4 <= section.size() && rows.size() < object::kMaxUnwindRows && steps_left > 0) {
    Bytes in(section.substr(offset), address + offset);
    uint64_t length = in.number<uint32_t>();
    if (length == 0) break;
    if (length == UINT32_MAX) length = in.number<uint64_t>();
    const uint64_t id_offset = in.address() - address;
    const std::string_view body = in.take(length);
    if (in.failed() || body.size() < 4) break;
    offset = id_offset + length;
    Bytes entry(body, address + id_offset);
    const uint32_t id = entry.number<uint32_t>();
    if (id == 0) {
      if (common.size() < kMaxCommonEntries) common[id_offset - 4] = read_common(entry);
      continue;
    }
    // The distance back to the common entry, from the place of this number.
    const auto found = common.find(id_offset - id);
    if (found == common.end() || !found->second.is_usable) continue;
    const CommonEntry &shared = found->second;
    const std::optional<uint64_t> start = entry.pointer(shared.encoding);
    const std::optional<uint64_t> size = entry.pointer(shared.encoding & kFormMask);
    if (!start || !size || *size == 0 || *start + *size < *start) continue;
    if (shared.has_augmentation) entry.take(entry.uleb());
    if (entry.failed()) continue;
    const size_t used = entry.address() - (address + id_offset);
    Rows(shared, *start, *start + *size, steps_left, rows).run(body.substr(used));
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
    return Error{file.path() + " has no .eh_frame", ENOENT};
  }
  std::vector<uint64_t> rows =
      read_eh_frame(file.section_text(*section, kMaxSectionSize), section->sh_addr);
  if (rows.empty()) return Error{"the .eh_frame of " + file.path() + " tells nothing", ENOEXEC};
  return rows;
}

}  // namespace awl::runtime
