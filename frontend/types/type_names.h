// Names of types that need no type information: the language's own, and C's and the kernel's for
// integers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "frontend/types/type.h"

namespace awl::frontend {

struct IntegerName {
  uint32_t bytes;
  bool is_signed;
};

// "uint8", "u8", "size_t".
std::optional<IntegerName> named_integer(const std::string &name);
// "long unsigned int", in any order and with qualifiers, as C allows it.
std::optional<IntegerName> parse_c_integer(const std::string &name);
// "bool", "ksym_t": types that are no integers.
std::optional<TypeKind> named_kind(const std::string &name);
// Without the qualifiers that do not change what a type is.
std::string without_qualifiers(const std::string &name);
// As scripts and objects write it: "bpftrace", "perf", "raw", "build_id".
const char *stack_mode_name(StackMode mode);

}  // namespace awl::frontend
