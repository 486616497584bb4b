#include "runtime/unwind/frame_rows.h"

#include <dwarf.h>

#include <algorithm>
#include <optional>

#include "runtime/unwind/frame_bytes.h"

namespace awl::runtime {
namespace {

using object::UnwindRow;
using object::UnwindRule;

constexpr size_t kMaxStates = 64;       // of DW_CFA_remember_state
constexpr uint64_t kRbp = 6, kRsp = 7;  // DWARF's numbers on x86-64
constexpr int64_t kWord = 8;

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
    FrameBytes number(bytes.substr(1, bytes.size() - 2), 0);  // DW_OP_breg6 N, DW_OP_deref
    state->offset = number.sleb();
    if (number.is_empty() && !number.failed()) state->rule = UnwindRule::kRealigned;
  }
}

// Runs the instructions of one entry and adds a row where the rules change.
class Rows {
 public:
  Rows(const CommonFrame &common, uint64_t start, uint64_t end, uint64_t &steps_left,
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
    FrameBytes in(instructions, 0);
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

  bool execute_next(FrameBytes &in) {
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
  bool execute_other(uint8_t code, FrameBytes &in) {
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
  bool execute_cfa(uint8_t code, FrameBytes &in) {
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

  bool execute_register(uint8_t code, FrameBytes &in) {
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

  const CommonFrame &common_;
  uint64_t at_;
  const uint64_t end_;
  uint64_t &steps_left_;  // of the whole file
  std::vector<UnwindRow> &out_;
  State state_, initial_;
  std::vector<State> states_;
};

}  // namespace

void add_frame_rows(const CommonFrame &common, uint64_t start, uint64_t end,
                    std::string_view instructions, uint64_t &steps_left,
                    std::vector<UnwindRow> &rows) {
  Rows(common, start, end, steps_left, rows).run(instructions);
}

}  // namespace awl::runtime
