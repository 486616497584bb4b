// Conditional lines: `#if`, `#ifdef`, `#ifndef`, `#elif`, `#else`, `#endif`.
//
// A compiler from the language to BPF needs no C preprocessor: `#define` and `#include` lines are
// definitions of the grammar, and what conditional lines exclude is overwritten with spaces here,
// before the lexer runs, so that offsets stay what they were. The kernel's types are taken from
// BTF, hence BPFTRACE_HAVE_BTF is defined.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "frontend/diagnostics/diagnostic.h"

namespace awl::frontend {

// What headers answer (Compilation::ask_headers); may be null.
using AskHeaders =
    std::function<std::optional<bool>(const std::string &lines, const std::string &condition)>;

// The text with conditional lines and what they exclude blanked; as long as `text`. A condition
// about a name that the text does not define is a question to the headers included before it.
// `name` is the text's own, beside which its headers are.
std::string preprocess(std::string_view text, SourceId source, Diagnostics &diagnostics,
                       const AskHeaders &ask_headers = nullptr, const std::string &name = "");

}  // namespace awl::frontend
