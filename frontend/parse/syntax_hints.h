// What somebody probably meant who writes another language's words or forms: the hints of syntax
// errors.
#pragma once

#include <string>

#include "AwlParser.h"
#include "frontend/parse/token_list.h"

namespace awl::frontend {

inline constexpr const char *kClauseHint = "statements stand inside a clause: begin { ... }";

// For an error at the next token of the list; empty: nothing is known to help.
std::string syntax_hint(TokenList &tokens, antlr4::Parser &parser);

}  // namespace awl::frontend
