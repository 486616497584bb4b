#include "frontend/types/type_names.h"

#include <string_view>
#include <utility>

namespace awl::frontend {
namespace {

struct NamedInteger {
  const char *name;
  uint32_t bytes;
  bool is_signed;
};

// Integer types of one word that are known without any type information. The kernel's and C's
// own names for them are here too, as scripts use them on kernels without BTF.
constexpr NamedInteger kNamedIntegers[] = {
    {"int8", 1, true},
    {"int16", 2, true},
    {"int32", 4, true},
    {"int64", 8, true},
    {"uint8", 1, false},
    {"uint16", 2, false},
    {"uint32", 4, false},
    {"uint64", 8, false},
    {"int8_t", 1, true},
    {"int16_t", 2, true},
    {"int32_t", 4, true},
    {"int64_t", 8, true},
    {"uint8_t", 1, false},
    {"uint16_t", 2, false},
    {"uint32_t", 4, false},
    {"uint64_t", 8, false},
    {"s8", 1, true},
    {"s16", 2, true},
    {"s32", 4, true},
    {"s64", 8, true},
    {"u8", 1, false},
    {"u16", 2, false},
    {"u32", 4, false},
    {"u64", 8, false},
    {"__s8", 1, true},
    {"__s16", 2, true},
    {"__s32", 4, true},
    {"__s64", 8, true},
    {"__u8", 1, false},
    {"__u16", 2, false},
    {"__u32", 4, false},
    {"__u64", 8, false},
    {"size_t", 8, false},
    {"ssize_t", 8, true},
    {"intptr_t", 8, true},
    {"uintptr_t", 8, false},
    {"pid_t", 4, true},
    {"uid_t", 4, false},
    {"gid_t", 4, false},
    {"dev_t", 4, false},
    {"loff_t", 8, true},
    {"off_t", 8, true},
    {"mode_t", 4, false},
    {"umode_t", 2, false},
    {"sector_t", 8, false},
    {"gfp_t", 4, false},
    {"__be16", 2, false},
    {"__be32", 4, false},
    {"__be64", 8, false},
    {"__le16", 2, false},
    {"__le32", 4, false},
    {"__le64", 8, false},
    {"__kernel_size_t", 8, false},
};

// The language's own names of types that are not integers.
constexpr std::pair<const char *, TypeKind> kNamedKinds[] = {
    {"void", TypeKind::kVoid},
    {"bool", TypeKind::kBool},
    {"_Bool", TypeKind::kBool},
    {"ksym_t", TypeKind::kKernelSymbol},
    {"usym_t", TypeKind::kUserSymbol},
    {"inet", TypeKind::kInet},
    {"mac_address", TypeKind::kMacAddress},
    {"macaddr_t", TypeKind::kMacAddress},
    {"username", TypeKind::kUsername},
    {"username_t", TypeKind::kUsername},
    {"cgroup_path_t", TypeKind::kCgroupPath},
};

}  // namespace

std::optional<IntegerName> named_integer(const std::string &name) {
  for (const NamedInteger &known : kNamedIntegers) {
    if (name == known.name) return IntegerName{known.bytes, known.is_signed};
  }
  return std::nullopt;
}

std::optional<TypeKind> named_kind(const std::string &name) {
  for (const auto &[known, kind] : kNamedKinds) {
    if (name == known) return kind;
  }
  return std::nullopt;
}

std::optional<IntegerName> parse_c_integer(const std::string &name) {
  int longs = 0, shorts = 0, chars = 0, ints = 0, signeds = 0, unsigneds = 0, other = 0;
  size_t begin = 0;
  while (begin < name.size()) {
    size_t end = name.find(' ', begin);
    if (end == std::string::npos) end = name.size();
    std::string_view word(name.data() + begin, end - begin);
    begin = end + 1;
    if (word == "long")
      ++longs;
    else if (word == "short")
      ++shorts;
    else if (word == "char")
      ++chars;
    else if (word == "int")
      ++ints;
    else if (word == "signed")
      ++signeds;
    else if (word == "unsigned")
      ++unsigneds;
    else if (!word.empty() && word != "const" && word != "volatile")
      ++other;
  }
  int sizes = longs + shorts + chars;
  bool is_integer = sizes + ints + signeds + unsigneds > 0;
  if (other || !is_integer || longs > 2 || signeds + unsigneds > 1 || ints + chars > 1 ||
      shorts > 1 || (longs && shorts) || (chars && sizes > 1)) {
    return std::nullopt;
  }
  uint32_t bytes = chars ? 1 : shorts ? 2 : longs ? 8 : 4;
  return IntegerName{bytes, unsigneds == 0};
}

std::string without_qualifiers(const std::string &name) {
  std::string result;
  size_t begin = 0;
  while (begin < name.size()) {
    size_t end = name.find(' ', begin);
    if (end == std::string::npos) end = name.size();
    std::string word = name.substr(begin, end - begin);
    begin = end + 1;
    if (word.empty() || word == "const" || word == "volatile") continue;
    if (!result.empty()) result += ' ';
    result += word;
  }
  return result;
}

const char *stack_mode_name(StackMode mode) {
  switch (mode) {
    case StackMode::kBpftrace:
      return "bpftrace";
    case StackMode::kPerf:
      return "perf";
    case StackMode::kRaw:
      return "raw";
    case StackMode::kBuildId:
      return "build_id";
  }
  return "";
}

}  // namespace awl::frontend
