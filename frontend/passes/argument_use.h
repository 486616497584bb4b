// What a clause asks of the arguments of its probes. Only what is asked for is looked up, kept, and
// lets attach points of different types share a program.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "frontend/ast/ast.h"

namespace awl::frontend {

// What a clause does with `args` or `entry`: nothing, some fields of it, or something with all of
// it. And whether it looks at what a function returns.
struct ArgumentUse {
  bool is_used = false;
  bool is_whole = false;
  std::set<std::string> fields;
  std::optional<Span> first;
  std::optional<Span> retval;
};

struct ClauseUse {
  ArgumentUse args, entry;
};

// `name_of_all` is `args` or `entry`.
ArgumentUse find_use(ast::Clause &clause, std::string_view name_of_all);

// `arg0`…: an argument by its number, of which there are so many.
constexpr uint32_t kWordCount = 6;
std::optional<uint32_t> word_number(const std::string &field);
bool uses_only_words(const ArgumentUse &use);

// `entry.NAME` at a kernel function's exit: the kernel keeps the arguments of the entry there, and
// they are what `args` reads.
void take_entry_names_from_args(ast::Clause &clause);

}  // namespace awl::frontend
