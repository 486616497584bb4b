// C headers: from `#include` lines to types and constants.
//
// clang compiles one unit that holds the lines, for this machine and with debug information about
// every type that they define; its DWARF is read as that of a user binary is. (BTF will not do:
// clang writes BTF for the types that a BPF program uses, and there is no program here.) Macros
// come back as text, each expanded by clang itself and kept in a section of the same object: so
// clang runs once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/dwarf/dwarf_file.h"
#include "base/result.h"
#include "frontend/source/source.h"

namespace awl::frontend {

// A line of the C part of a script, as far as headers can see it.
struct HeaderLine {
  std::string text;  // `#define …` or `#include …`
  std::string name;  // of an #include: what stands in brackets or quotes; else empty
  Span span;
  bool may_be_missing = false;  // a header of the kernel, whose types may be in BTF as well
};

// A name in the script that a header may define as a macro.
struct MacroUse {
  std::string name;
  std::optional<size_t> arguments;  // it is called with so many
  bool operator<(const MacroUse &other) const {
    return std::tie(name, arguments) < std::tie(other.name, other.arguments);
  }
};

struct HeaderRequest {
  std::vector<HeaderLine> lines;
  std::vector<MacroUse> macros;
};

struct HeaderOptions {
  std::vector<std::string> include_paths;  // -I
  bool has_btf = false;                    // BPFTRACE_HAVE_BTF is defined
  // Is told the compiler's command and what it reads. Null: not wanted.
  std::function<void(const std::string &text)> on_compile;
};

struct HeaderFailure {
  std::string message;
  std::optional<size_t> line;  // which of the request's lines led there
  std::string hint;            // empty: none
};

struct HeaderMacro {
  std::string definition;  // `NAME text` or `NAME(awl_0, awl_1) text`, as after `#define`
};

struct HeaderProduct {
  std::shared_ptr<const DwarfFile> types;  // null after a failure
  std::vector<HeaderMacro> macros;
  std::vector<size_t> missing;  // lines that may be missing, and are
  // The kernel's own headers are not installed: what <linux/…> names was taken from those for
  // programs, which have less.
  bool has_user_headers_only = false;
  std::vector<HeaderFailure> failures;
};

HeaderProduct read_headers(const HeaderRequest &request, const HeaderOptions &options);

// Whether a condition (`#if X > 3`, `#ifdef Y`) holds after the lines, as clang sees it. Nothing:
// clang is not there, or cannot tell.
std::optional<bool> evaluate_with_headers(const std::vector<HeaderLine> &lines,
                                          const std::string &condition,
                                          const HeaderOptions &options);

}  // namespace awl::frontend
