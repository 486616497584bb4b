#include "base/usdt_arguments.h"

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <map>

namespace awl {
namespace {

struct Register {
  uint16_t offset = 0;
  uint8_t first_bit = 0;
};
using RegisterTable = std::map<std::string, Register, std::less<>>;

// arch/x86/include/uapi/asm/ptrace.h, with all names by which assemblers know the parts.
RegisterTable make_x86_registers() {
  RegisterTable table;
  const struct {
    const char *letters;
    uint16_t offset;
  } general[] = {{"ax", 80}, {"bx", 40}, {"cx", 88}, {"dx", 96}};
  for (const auto &[letters, offset] : general) {
    const std::string name = letters;
    table["r" + name] = table["e" + name] = table[name] = {offset, 0};
    table[name.substr(0, 1) + "l"] = {offset, 0};
    table[name.substr(0, 1) + "h"] = {offset, 8};
  }
  const struct {
    const char *name;
    uint16_t offset;
  } pointers[] = {{"si", 104}, {"di", 112}, {"bp", 32}, {"sp", 152}};
  for (const auto &[letters, offset] : pointers) {
    const std::string name = letters;
    table["r" + name] = table["e" + name] = table[name] = table[name + "l"] = {offset, 0};
  }
  for (int number = 8; number <= 15; ++number) {
    // r8 to r11 are at 72, 64, 56, 48; r12 to r15 at 24, 16, 8, 0.
    const int offset = number < 12 ? 72 - 8 * (number - 8) : 24 - 8 * (number - 12);
    const std::string name = "r" + std::to_string(number);
    for (const char *part : {"", "d", "w", "b", "l"}) {
      table[name + part] = {static_cast<uint16_t>(offset), 0};
    }
  }
  table["rip"] = table["eip"] = {128, 0};
  return table;
}

// arch/arm64/include/uapi/asm/ptrace.h
RegisterTable make_arm_registers() {
  RegisterTable table;
  for (int number = 0; number <= 30; ++number) {
    const Register place{static_cast<uint16_t>(8 * number), 0};
    table["x" + std::to_string(number)] = table["w" + std::to_string(number)] = place;
  }
  table["fp"] = table["x29"];
  table["lr"] = table["x30"];
  table["sp"] = table["wsp"] = {248, 0};
  table["pc"] = {256, 0};
  return table;
}

const RegisterTable &registers(UsdtMachine machine) {
  static const RegisterTable x86 = make_x86_registers(), arm = make_arm_registers();
  return machine == UsdtMachine::kX86_64 ? x86 : arm;
}

// Reads one argument from the front of a text.
class Reader {
 public:
  Reader(std::string_view text, UsdtMachine machine, const UsdtSymbolLookup &find_symbol)
      : text_(text), machine_(machine), find_symbol_(find_symbol) {}

  // Nothing but blanks is left.
  bool at_end() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ == text_.size();
  }

  UsdtArgument read() {
    const size_t begin = at_;
    UsdtArgument argument;
    if (!read_size(argument)) {
      fail(argument, "");
    } else if (machine_ == UsdtMachine::kX86_64 ? !read_x86(argument) : !read_arm(argument)) {
      fail(argument, "");
    } else if (at_ < text_.size() && text_[at_] != ' ') {
      fail(argument, "");
    }
    if (argument.problem.empty() || !is_lost_) return argument;
    // Go on behind the blank that ends it; one inside brackets does not.
    at_ = begin;
    for (bool is_inside = false; at_ < text_.size() && (is_inside || text_[at_] != ' '); ++at_) {
      if (text_[at_] == '[' || text_[at_] == '(') is_inside = true;
      if (text_[at_] == ']' || text_[at_] == ')') is_inside = false;
    }
    if (argument.problem == " ") {
      argument.problem =
          "the form \"" + std::string(text_.substr(begin, at_ - begin)) + "\" is not known";
    }
    is_lost_ = false;
    return argument;
  }

 private:
  // False, for `return fail(…)`. An empty text: the form is not known.
  bool fail(UsdtArgument &argument, const std::string &problem) {
    if (argument.problem.empty()) argument.problem = problem.empty() ? " " : problem;
    is_lost_ = true;
    return false;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  std::optional<int64_t> take_number() {
    const std::string rest(text_.substr(at_, 32));
    const bool has_digit = std::isdigit(static_cast<unsigned char>(rest[0])) ||
                           ((rest[0] == '-' || rest[0] == '+') && rest.size() > 1 &&
                            std::isdigit(static_cast<unsigned char>(rest[1])));
    if (!has_digit) return std::nullopt;
    char *end = nullptr;
    errno = 0;
    int64_t value = std::strtoll(rest.c_str(), &end, 0);
    if (errno == ERANGE) value = static_cast<int64_t>(std::strtoull(rest.c_str(), &end, 0));
    at_ += static_cast<size_t>(end - rest.c_str());
    return value;
  }

  std::string_view take_word() {
    const size_t begin = at_;
    while (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '_' || peek() == '.' ||
           peek() == '$' || peek() == '@') {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  bool read_size(UsdtArgument &argument) {
    const std::optional<int64_t> size = take_number();
    if (!size) return false;
    if (*size < -8 || *size > 8) return false;
    const int64_t bytes = *size < 0 ? -*size : *size;
    const bool is_float = take('f');
    if (!take('@')) return false;
    if (is_float) return fail(argument, "it is a floating point number");
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return false;
    argument.size = static_cast<uint8_t>(bytes);
    argument.is_signed = *size < 0;
    return true;
  }

  bool read_register(UsdtArgument &argument, std::optional<uint16_t> &out, bool may_be_part) {
    const std::string_view name = take_word();
    const RegisterTable &table = registers(machine_);
    const auto found = table.find(name);
    if (found == table.end()) {
      const bool is_vector = name.starts_with("xmm") || name.starts_with("ymm") ||
                             name.starts_with("st") ||
                             (machine_ == UsdtMachine::kAarch64 && name.size() > 1 &&
                              std::string_view("vdsqhb").find(name[0]) != std::string_view::npos);
      return fail(argument, std::string(name) + (is_vector ? " is a floating point register"
                                                           : " is not a known register"));
    }
    if (found->second.first_bit != 0 && !may_be_part) return false;
    out = found->second.offset;
    argument.first_bit = found->second.first_bit;
    return true;
  }

  // A symbol with an optional offset: "counter", "counter+4".
  bool read_symbol(UsdtArgument &argument) {
    std::string name(take_word());
    if (name.empty()) return false;
    name.resize(std::min(name.find('@'), name.size()));
    const std::optional<int64_t> address = find_symbol_ ? find_symbol_(name) : std::nullopt;
    if (!address) return fail(argument, "the binary has no symbol " + name);
    argument.offset = *address;
    argument.base = registers(machine_).at(machine_ == UsdtMachine::kX86_64 ? "rip" : "pc").offset;
    if (peek() == '+' || peek() == '-') {
      const std::optional<int64_t> more = take_number();
      if (!more) return false;
      if (__builtin_add_overflow(argument.offset, *more, &argument.offset)) return false;
    }
    return true;
  }

  // $5 | %rax | [offset|symbol](%base,%index,scale) | symbol
  bool read_x86(UsdtArgument &argument) {
    if (take('$')) {
      if (const std::optional<int64_t> value = take_number()) {
        argument.offset = *value;
        return true;
      }
      return read_symbol(argument);  // an address
    }
    if (take('%')) return read_register(argument, argument.base, true);
    argument.is_memory = true;
    if (const std::optional<int64_t> offset = take_number()) {
      argument.offset = *offset;
      // An address alone, or in front of a symbol: "4+counter(%rip)".
      if (take('+')) {
        if (!read_symbol(argument)) return false;
        if (__builtin_add_overflow(argument.offset, *offset, &argument.offset)) return false;
        return !take('(') || (take('%') && take_word() == "rip" && take(')'));
      }
      if (peek() != '(') return true;
    } else if (peek() != '(') {
      if (!read_symbol(argument)) return false;
      // Relative to the next instruction, which is what the symbol's address says already.
      return !take('(') || (take('%') && take_word() == "rip" && take(')'));
    }
    return take('(') && read_x86_memory(argument) && take(')');
  }

  bool read_x86_memory(UsdtArgument &argument) {
    if (take('%') && !read_register(argument, argument.base, false)) return false;
    if (!take(',')) return argument.base.has_value();
    if (!take('%') || !read_register(argument, argument.index, false)) return false;
    if (!take(',')) return true;
    return read_scale(argument);
  }

  bool read_scale(UsdtArgument &argument) {
    const std::optional<int64_t> scale = take_number();
    if (!scale || (*scale != 1 && *scale != 2 && *scale != 4 && *scale != 8)) return false;
    for (argument.scale = 0; (1 << argument.scale) < *scale; ++argument.scale) {
    }
    return true;
  }

  // 5 | x0 | [x0] | [x0, 16] | [x0, x1] | [x0, x1, lsl 3]
  bool read_arm(UsdtArgument &argument) {
    take('#');
    if (const std::optional<int64_t> value = take_number()) {
      argument.offset = *value;
      return true;
    }
    if (!take('[')) return read_register(argument, argument.base, false);
    argument.is_memory = true;
    if (!read_register(argument, argument.base, false)) return false;
    if (!take(',')) return take(']');
    skip_blanks();
    take('#');
    if (const std::optional<int64_t> offset = take_number()) {
      argument.offset = *offset;
      return take(']');
    }
    if (!read_register(argument, argument.index, false)) return false;
    if (!take(',')) return take(']');
    skip_blanks();
    if (take_word() != "lsl") return false;
    skip_blanks();
    take('#');
    const std::optional<int64_t> bits = take_number();
    if (!bits || *bits < 0 || *bits > 4) return false;
    argument.scale = static_cast<uint8_t>(*bits);
    return take(']');
  }

  void skip_blanks() {
    while (take(' ')) {
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  const UsdtMachine machine_;
  const UsdtSymbolLookup &find_symbol_;
  bool is_lost_ = false;
};

}  // namespace

std::vector<UsdtArgument> parse_usdt_arguments(std::string_view text, UsdtMachine machine,
                                               const UsdtSymbolLookup &find_symbol) {
  std::vector<UsdtArgument> arguments;
  Reader reader(text, machine, find_symbol);
  while (!reader.at_end() && arguments.size() < kMaxUsdtArguments) {
    arguments.push_back(reader.read());
  }
  return arguments;
}

}  // namespace awl
