// How types go together: what a slot becomes that two values are put into, and what literals are.
//
// A Shape is a type with one thing more: whether the value is a non-negative literal, which has no
// sign of its own (`$a = 1; $a = (uint64)2` makes $a a uint64, not an int64).
#pragma once

#include <optional>
#include <vector>

#include "frontend/ast/ast.h"
#include "frontend/types/type.h"

namespace awl::frontend {

struct Shape {
  TypeRef type = nullptr;
  bool is_flexible = false;   // an integer literal without a sign, or an aggregation of one
  std::vector<Shape> fields;  // of tuples and records that hold something flexible; else empty
};

// The smallest signed type that holds the literal, or uint64 above INT64_MAX.
TypeRef literal_type(TypeStore &types, const ast::IntegerLiteral &literal);
// Whether the literal's value can be held by an integer type.
bool literal_fits(const ast::IntegerLiteral &literal, TypeRef type);

// The shape of an expression whose type is known.
Shape shape_of(TypeStore &types, const ast::Expr &expr);

// The smallest integer type that holds both: of mixed signs a wider signed one, int64 where
// there is none.
TypeRef unify_integers(TypeStore &types, const Shape &a, const Shape &b);

// The type for a slot that holds values of both; null when they do not go together.
std::optional<Shape> unify(TypeStore &types, const Shape &a, const Shape &b);

// Whether going from one integer type to another may change the value's sign or lose bits.
bool may_lose_value(TypeRef from, TypeRef to);

// The types an explicit cast can go between.
bool is_castable(TypeStore &types, TypeRef from, TypeRef to);

// Character arrays as C has them are strings to the language.
TypeRef value_type(TypeStore &types, TypeRef type);

}  // namespace awl::frontend
