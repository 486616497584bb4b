#include "runtime/attach/user_patches.h"

namespace awl::runtime {
namespace {

// One function per entry of object::kUsdtFields.
struct Field {
  const char *name;
  int64_t (*value)(const UsdtArgument &);
};

constexpr int64_t kAllBits = -1;

constexpr Field kFields[] = {
    {"base", [](const UsdtArgument &a) -> int64_t { return a.base.value_or(0); }},
    {"base_mask", [](const UsdtArgument &a) { return a.base ? kAllBits : 0; }},
    {"index", [](const UsdtArgument &a) -> int64_t { return a.index.value_or(0); }},
    {"index_mask", [](const UsdtArgument &a) { return a.index ? kAllBits : 0; }},
    {"scale", [](const UsdtArgument &a) -> int64_t { return a.scale; }},
    {"low", [](const UsdtArgument &a) -> int64_t { return a.offset & 0xffffffff; }},
    {"high", [](const UsdtArgument &a) -> int64_t { return a.offset >> 32; }},
    {"memory", [](const UsdtArgument &a) -> int64_t { return a.is_memory; }},
    {"size", [](const UsdtArgument &a) -> int64_t { return a.size; }},
    {"first_bit", [](const UsdtArgument &a) -> int64_t { return a.first_bit; }},
    {"shift", [](const UsdtArgument &a) -> int64_t { return 64 - 8 * a.size; }},
    {"signed", [](const UsdtArgument &a) -> int64_t { return a.is_signed; }},
};
static_assert(std::size(kFields) == std::size(object::kUsdtFields));

}  // namespace

std::optional<uint64_t> UserPatches::symbol_address(const Target &target, const std::string &name) {
  const std::string &path = target.symbols_path.empty() ? target.path : target.symbols_path;
  std::shared_ptr<const ElfSymbols> &symbols = files_[path];
  if (symbols == nullptr) {
    auto opened = ElfSymbols::open(context_.binary_root + path);
    if (!opened) return std::nullopt;
    symbols = *opened;
  }
  const ElfSymbol *symbol = symbols->find(name);
  if (symbol == nullptr) return std::nullopt;
  return symbol->address;
}

const std::vector<UsdtArgument> &UserPatches::arguments_of(const Target &target) {
  if (last_ != &target) {
    last_ = &target;
    const auto distance_to = [&](const std::string &name) -> std::optional<int64_t> {
      const std::optional<uint64_t> address = symbol_address(target, name);
      if (!address) return std::nullopt;
      return static_cast<int64_t>(*address - target.address);
    };
    arguments_ = parse_usdt_arguments(target.arguments, kUsdtMachine, distance_to);
  }
  return arguments_;
}

Result<int32_t> UserPatches::find(const Target &target, const object::Relocation &relocation) {
  const bool is_symbol = relocation.kind == object::Relocation::Kind::kUserSymbol;
  return is_symbol ? find_symbol(target, relocation) : find_argument(target, relocation);
}

Result<int32_t> UserPatches::find_symbol(const Target &target,
                                         const object::Relocation &relocation) {
  const std::optional<uint64_t> address = symbol_address(target, relocation.field);
  if (!address) {
    return Error{"there is no symbol " + relocation.field + " in the binary of " + target.name};
  }
  const uint64_t distance = *address - target.address;
  switch (relocation.argument) {
    case object::kDistanceLow:
      return static_cast<int32_t>(distance);
    case object::kDistanceHigh:
      return static_cast<int32_t>(distance >> 32);
    case object::kAddressLow:
      return static_cast<int32_t>(*address);
    default:
      return static_cast<int32_t>(*address >> 32);
  }
}

Result<int32_t> UserPatches::find_argument(const Target &target,
                                           const object::Relocation &relocation) {
  const std::vector<UsdtArgument> &arguments = arguments_of(target);
  const std::string name = "arg" + std::to_string(relocation.argument);
  if (relocation.argument >= arguments.size()) {
    return Error{"there is no " + name + " in " + target.name + ": it has " +
                 (arguments.empty()       ? "no arguments"
                  : arguments.size() == 1 ? "one argument"
                                          : std::to_string(arguments.size()) + " arguments")};
  }
  const UsdtArgument &argument = arguments[relocation.argument];
  if (!argument.problem.empty()) {
    return Error{name + " of " + target.name + " cannot be read: " + argument.problem};
  }
  for (const Field &field : kFields) {
    if (relocation.field == field.name) return static_cast<int32_t>(field.value(argument));
  }
  return Error{"the object asks for " + relocation.field + " of an argument"};
}

}  // namespace awl::runtime
