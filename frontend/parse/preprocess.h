// Conditional lines: `#if`, `#ifdef`, `#ifndef`, `#elif`, `#else`, `#endif`.
//
// A compiler from the language to BPF needs no C preprocessor: `#define` and `#include` lines are
// definitions of the grammar, and what conditional lines exclude is overwritten with spaces here,
// before the lexer runs, so that offsets stay what they were. The kernel's types are taken from
// BTF, hence BPFTRACE_HAVE_BTF is defined.
#pragma once

#include <string>
#include <string_view>

#include "frontend/diagnostics/diagnostic.h"

namespace awl::frontend {

// The text with conditional lines and what they exclude blanked; as long as `text`.
std::string preprocess(std::string_view text, SourceId source, Diagnostics &diagnostics);

}  // namespace awl::frontend
