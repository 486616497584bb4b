// Marks the tokens whose meaning depends on what follows, so that the parser need not look ahead.
//
//  - OPEN_CAST: a '(' that begins a cast. `(struct s *)`, `(unsigned long)`, `(int8[])` before an
//    operand are casts, and so is a bare name, unless it is a builtin with a value: `(pid)-1` is a
//    subtraction, `(size_t)-1` a cast. `(x)+1` and `(x) { … }` never are.
//  - OPEN_TYPE: the '(' of sizeof, typeof, typeinfo or offsetof when what it holds has the form of
//    a type: `sizeof(x[1])` is of a type, `sizeof((x)[1])` of an expression.
//  - OPEN_STATEMENT: a '{' where a statement begins.
#pragma once

#include <set>
#include <string>

#include "frontend/parse/token_list.h"

namespace awl::frontend {

// Names that are values and no types: `(x) * 2` is then a product.
using ValueNames = std::set<std::string, std::less<>>;

void mark_tokens(TokenList &list, const ValueNames &values = {});

}  // namespace awl::frontend
