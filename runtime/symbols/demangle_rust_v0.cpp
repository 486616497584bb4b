#include <fmt/format.h>

#include <vector>

#include "runtime/symbols/demangle_rust.h"
#include "runtime/symbols/utf8.h"

namespace awl::runtime {
namespace {

constexpr int kMaxDepth = 100;
constexpr size_t kMaxLength = 16384;  // of what comes out: back references can multiply
constexpr int kMaxSteps = 65536;

struct Identifier {
  std::string_view text;
  uint64_t disambiguator = 0;
  bool is_punycode = false;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

const char *basic_type(char c) {
  // Letter by letter, as RFC 2603 numbers them; null: none.
  constexpr const char *kTypes[] = {"i8",   "bool",  "char",  "f64",   "str", "f32", nullptr,
                                    "u8",   "isize", "usize", nullptr, "i32", "u32", "i128",
                                    "u128", "_",     nullptr, nullptr, "i16", "u16", "()",
                                    "...",  nullptr, "i64",   "u64",   "!"};
  return c >= 'a' && c <= 'z' ? kTypes[c - 'a'] : nullptr;
}

// Recursive descent over the symbol; prints as it goes. `failed_` stops everything.
class V0Demangler {
 public:
  // `symbol` without "_R".
  explicit V0Demangler(std::string_view symbol) : in_(symbol) {}

  std::string demangle() {
    path(true);
    // What follows is the crate that instantiated it, and a suffix of the compiler's.
    const bool has_crate = !failed_ && at_ < in_.size() && in_[at_] != '.' && in_[at_] != '$';
    if (has_crate) {
      is_silent_ = true;
      path(false);
    }
    const bool is_whole = at_ == in_.size() || in_[at_] == '.' || in_[at_] == '$';
    return failed_ || !is_whole ? "" : out_;
  }

 private:
  struct Deeper {
    explicit Deeper(V0Demangler &demangler) : d(demangler) {
      if (++d.depth_ > kMaxDepth || ++d.steps_ > kMaxSteps) d.failed_ = true;
    }
    ~Deeper() { --d.depth_; }
    V0Demangler &d;
  };

  char peek() const { return at_ < in_.size() ? in_[at_] : '\0'; }
  bool eat(char c) {
    if (failed_ || peek() != c) return false;
    ++at_;
    return true;
  }
  char next() {
    if (at_ < in_.size()) return in_[at_++];
    failed_ = true;
    return '\0';
  }
  void print(std::string_view text) {
    if (is_silent_ || failed_) return;
    if (out_.size() + text.size() > kMaxLength)
      failed_ = true;
    else
      out_ += text;
  }

  // "_" is 0, "0_" is 1, and so on.
  uint64_t base62() {
    if (eat('_')) return 0;
    uint64_t value = 0;
    while (!failed_ && !eat('_')) {
      const char c = next();
      uint64_t digit = 0;
      if (is_digit(c))
        digit = static_cast<uint64_t>(c - '0');
      else if (c >= 'a' && c <= 'z')
        digit = static_cast<uint64_t>(c - 'a') + 10;
      else if (c >= 'A' && c <= 'Z')
        digit = static_cast<uint64_t>(c - 'A') + 36;
      else
        failed_ = true;
      if (value > (UINT64_MAX - 1 - digit) / 62)
        failed_ = true;
      else
        value = value * 62 + digit;
    }
    return value + 1;
  }
  uint64_t optional_base62(char tag) { return eat(tag) ? base62() + 1 : 0; }

  Identifier identifier(bool with_disambiguator = true) {
    Identifier result;
    if (with_disambiguator) result.disambiguator = optional_base62('s');
    result.is_punycode = eat('u');
    if (!is_digit(peek())) failed_ = true;
    size_t length = 0;
    if (!eat('0')) {
      while (!failed_ && is_digit(peek())) {
        length = length * 10 + static_cast<size_t>(next() - '0');
        if (length > in_.size()) failed_ = true;
      }
    }
    eat('_');
    if (failed_ || length > in_.size() - at_) {
      failed_ = true;
      return result;
    }
    result.text = in_.substr(at_, length);
    at_ += length;
    return result;
  }
  void print(const Identifier &name) {
    if (!name.is_punycode) return print(name.text);
    print("punycode{");
    print(name.text);
    print("}");
  }

  // Continues at an earlier place, which must lie before the reference itself.
  template <class F>
  void back_reference(F then) {
    const size_t start = at_ - 1;
    const uint64_t target = base62();
    if (failed_ || target >= start) {
      failed_ = true;
      return;
    }
    if (is_silent_) return;
    const size_t here = at_;
    at_ = static_cast<size_t>(target);
    then();
    at_ = here;
  }

  void silently(const auto &then) {
    const bool was_silent = is_silent_;
    is_silent_ = true;
    then();
    is_silent_ = was_silent;
  }

  // In a value, "::" stands before generic arguments.
  void path(bool is_value) {
    Deeper deeper(*this);
    if (failed_) return;
    switch (next()) {
      case 'C':
        return print(identifier());
      case 'M':
        silently([&] { impl_path(); });
        print("<");
        type();
        return print(">");
      case 'X':
        silently([&] { impl_path(); });
        [[fallthrough]];
      case 'Y':
        print("<");
        type();
        print(" as ");
        path(false);
        return print(">");
      case 'N':
        return nested(is_value);
      case 'I':
        path(is_value);
        if (is_value) print("::");
        print("<");
        list([&] { generic_argument(); });
        return print(">");
      case 'B':
        return back_reference([&] { path(is_value); });
      default:
        failed_ = true;
    }
  }
  void impl_path() {
    optional_base62('s');
    path(false);
  }
  void nested(bool is_value) {
    const char space = next();
    path(is_value);
    const Identifier name = identifier();
    if (failed_) return;
    if (space >= 'A' && space <= 'Z') {
      // What the compiler made: a closure, a shim.
      print(space == 'C' ? "::{closure" : space == 'S' ? "::{shim" : "::{special");
      if (!name.text.empty()) {
        print(":");
        print(name);
      }
      return print(fmt::format("#{}}}", name.disambiguator));
    }
    if (name.text.empty()) return;
    print("::");
    print(name);
  }

  // Up to "E"; gives the number of elements.
  template <class F>
  size_t list(F element) {
    size_t count = 0;
    while (!failed_ && !eat('E')) {
      if (count++ > 0) print(", ");
      element();
    }
    return count;
  }

  void generic_argument() {
    if (eat('L')) return lifetime(base62());
    if (eat('K')) return constant();
    type();
  }
  // Counted from the innermost binder out; 0 is erased.
  void lifetime(uint64_t index) {
    if (index == 0) return print("'_");
    if (index > bound_lifetimes_) {
      failed_ = true;
      return;
    }
    const uint64_t depth = bound_lifetimes_ - index;
    if (depth < 26) return print(fmt::format("'{}", static_cast<char>('a' + depth)));
    print(fmt::format("'_{}", depth));
  }
  template <class F>
  void in_binder(F then) {
    const uint64_t outer = bound_lifetimes_, count = optional_base62('G');
    if (count > kMaxLength) failed_ = true;
    if (failed_) return;
    if (count > 0) {
      print("for<");
      for (uint64_t i = 0; i < count; ++i) {
        if (i > 0) print(", ");
        ++bound_lifetimes_;
        lifetime(1);
      }
      print("> ");
    }
    then();
    bound_lifetimes_ = outer;
  }

  void type() {
    Deeper deeper(*this);
    if (failed_) return;
    const char tag = next();
    if (const char *name = basic_type(tag)) return print(name);
    switch (tag) {
      case 'A':
      case 'S':
        print("[");
        type();
        if (tag == 'A') {
          print("; ");
          constant();
        }
        return print("]");
      case 'T': {
        print("(");
        const size_t count = list([&] { type(); });
        return print(count == 1 ? ",)" : ")");
      }
      case 'R':
      case 'Q':
        print("&");
        if (eat('L')) {
          if (const uint64_t index = base62(); index != 0) {
            lifetime(index);
            print(" ");
          }
        }
        if (tag == 'Q') print("mut ");
        return type();
      case 'P':
      case 'O':
        print(tag == 'P' ? "*const " : "*mut ");
        return type();
      case 'F':
        return in_binder([&] { function_type(); });
      case 'D':
        return dynamic_type();
      case 'B':
        return back_reference([&] { type(); });
      default:
        --at_;
        path(false);
    }
  }
  void function_type() {
    if (eat('U')) print("unsafe ");
    if (eat('K')) {
      print("extern \"");
      if (eat('C')) {
        print("C");
      } else {
        std::string name(identifier(false).text);
        for (char &c : name) c = c == '_' ? '-' : c;
        print(name);
      }
      print("\" ");
    }
    print("fn(");
    list([&] { type(); });
    print(")");
    if (eat('u')) return;  // returns ()
    print(" -> ");
    type();
  }
  void dynamic_type() {
    print("dyn ");
    in_binder([&] {
      bool is_first = true;
      while (!failed_ && !eat('E')) {
        if (!is_first) print(" + ");
        is_first = false;
        dynamic_trait();
      }
    });
    if (!eat('L')) failed_ = true;
    if (failed_) return;
    if (const uint64_t index = base62(); index != 0) {
      print(" + ");
      lifetime(index);
    }
  }
  // A trait with its associated types within the brackets of its generic arguments.
  void dynamic_trait() {
    bool is_open = open_path();
    while (eat('p')) {
      print(is_open ? ", " : "<");
      is_open = true;
      print(identifier(false));
      print(" = ");
      type();
    }
    if (is_open) print(">");
  }
  // A path whose closing bracket is left out; true: there is one to be closed.
  bool open_path() {
    Deeper deeper(*this);
    if (failed_) return false;
    if (eat('B')) {
      bool is_open = false;
      back_reference([&] { is_open = open_path(); });
      return is_open;
    }
    if (!eat('I')) {
      path(false);
      return false;
    }
    path(false);
    print("<");
    list([&] { generic_argument(); });
    return true;
  }

  void constant() {
    Deeper deeper(*this);
    if (failed_) return;
    if (eat('B')) return back_reference([&] { constant(); });
    if (eat('p')) return print("_");
    const char tag = next();
    const char *name = basic_type(tag);
    if (!name) {
      failed_ = true;
      return;
    }
    const bool is_negative = eat('n');
    const size_t start = at_;
    while (!failed_ && peek() != '_') next();
    const std::string_view digits = in_.substr(start, at_ - start);
    eat('_');
    uint64_t value = 0;
    bool fits = digits.size() <= 16;
    for (char c : digits) {
      const int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (digit < 0) failed_ = true;
      value = value << 4 | static_cast<uint64_t>(digit);
    }
    if (tag == 'b') return print(value != 0 ? "true" : "false");
    if (tag == 'c') {
      std::string text = "'";
      if (!append_utf8(static_cast<uint32_t>(value), text))
        text += fmt::format("\\u{{{:x}}}", value);
      return print(text + "'");
    }
    if (is_negative) print("-");
    print(fits ? fmt::format("{}", value) : "0x" + std::string(digits));
  }

  std::string_view in_;
  size_t at_ = 0;
  std::string out_;
  bool failed_ = false;
  bool is_silent_ = false;
  int depth_ = 0, steps_ = 0;
  uint64_t bound_lifetimes_ = 0;
};

}  // namespace

std::string demangle_rust_v0(std::string_view symbol) {
  if (!symbol.starts_with("_R")) return "";
  symbol.remove_prefix(2);
  // A path begins with a capital letter; a digit would be the version of another mangling.
  if (symbol.empty() || symbol[0] < 'A' || symbol[0] > 'Z') return "";
  return V0Demangler(symbol).demangle();
}

}  // namespace awl::runtime
