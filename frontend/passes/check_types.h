// check_types: gives every expression its type, and says where types do not go together.
//
// Types of variables and maps follow from all their uses in all clauses: a slot (variable, map key
// or map value) starts with nothing and is widened by each value that is put into it, until
// nothing changes any more (infer); then one last walk reports errors and puts in the conversions
// (conform). Integers widen in size and sign, strings in size, tuples and records element by
// element.
//
// What code generation may rely on afterwards, for every program in CheckedProgram::programs.
// "Cast" below means an ast::Cast with is_implicit (target null, `type` counts) put in here where
// the script has none. Literals have no Cast around them but get the wanted type themselves:
// integers any that holds them, strings a larger one (NULs follow), tuples and records element by
// element.
//
// Types
//  - Expr::type is never null, but in Sizeof/Offsetof/Typeof operands, which are never evaluated
//    (Sizeof::value and Offsetof::value are set). Calls without a value have the type void.
//  - VariableDecl::type, MapInfo::key (null: scalar) and MapInfo::value are never null where used.
//  - char and int8 arrays from C definitions and BTF are strings of as many bytes (they may lack a
//    NUL in memory). Other arrays, structs and pointers stay as C has them.
//  - Pointers tell their address space; kNone is to be read as kernel memory. Pointers read
//    through a pointer have its address space, `&$x` and `&@x` are kBpf.
//
// Conversions
//  - Assign: value->type == target->type. A value that is an aggregation Call (`count()`…) is the
//    only one of an aggregation type; its target is then a MapAccess, and its type is
//    MapInfo::value.
//  - MapAccess::key and the key arguments of delete, has_key and find have exactly the type
//    MapInfo::key; several keys are one Tuple (or any expression of that tuple type).
//  - A MapAccess of an aggregation type stands only below a Cast (explicit or not) to an integer
//    (integer aggregations: the sum over the CPUs; min/max: the extreme; avg: the average), or, of
//    type stats, as the argument of print.
//  - Binary + - * / % & | ^ << >> on integers: both operands and the result are int64, or all
//    are uint64. Subtraction is always int64.
//  - Binary + and - with a pointer: result and one operand (the left one for -) have the same
//    pointer type, the other operand is int64 or uint64, in elements, not bytes.
//    + with a string parameter, as in str($1 + 1): left is the PositionalParameter of type string,
//    right an IntegerLiteral: the string from that byte on.
//  - Comparisons: integers (enums, bools): both operands have the same type; pointers: two
//    pointers, or one and a uint64; strings: each its own size, only == and != (others are
//    folded or refused); arrays, tuples, records: the same type, only == and !=; the other
//    value kinds (stacks, symbols, inet, …): the same type, == and !=, compared as bytes.
//    kProbeName and kProbeType compare with strings: == and !=, the string on either side.
//    The result is bool.
//  - && || ! and all conditions (if, while, ?:, predicates): bool, integer or pointer, each operand
//    as it is, "not zero" is true. Result bool.
//  - ~ and - : operand and result the same int64 or uint64.
//  - Ternary: both branches have the Ternary's type (or all are void); without `then` the
//    condition has that type, too.
//  - IncDec: the target is an integer (int64 or uint64 unless `let` declares it smaller) or a
//    pointer; the result has the same type.
//  - Cast (explicit or not), from -> to:
//      integer, bool, enum, integer aggregation -> integer, enum, bool
//      pointer -> integer, pointer;  integer -> pointer
//      integer <-> array of integers or bools of the same size; array <-> array of the same size
//      string -> larger or smaller string (NUL kept); string <-> int8 array
//      integer or pointer -> string, buffer: a read of memory at this address
//      kProbeName -> string: the text
//      tuple, record -> tuple, record with the same number of fields, field by field (records: by
//      name) anything -> the same type
//  - Unary * : operand is a pointer (integers get a Cast to uint64 *). Unary & : operand is a
//  Variable,
//    MapAccess, FieldAccess or Index.
//  - FieldAccess::object is a struct, a pointer to a struct (dereferenced once), or a record.
//    Struct members are found by find_member(); those of `args` in StructDef::Origin kTracepoint,
//    kProbeArguments, kEntryArguments.
//  - Index::object is an array, a pointer or a string (bytes, int8); the index is int64 or uint64.
//    Constant indices into arrays are in range. `t[0]` of a tuple has become a TupleAccess.
//  - ForMap: variable is a tuple (key, value); integer aggregations give the value as an integer.
//    ForRange: begin, end and variable have the same type, int64 or uint64.
//  - Unroll::count is an IntegerLiteral, 1…100.
//  - Return::value is null or int64 (uint64). exit() ends the clause as return does; what follows
//    it in its block is unreachable.
//  - Identifier::constant is set for enumerators (type: the enum); other identifiers are builtin
//    values (see resolve_calls.h). `#define` constants have become literals.
//
// Builtins: what each check guarantees about its arguments stands in frontend/builtins/*.cpp,
// beside the record. In general integers arrive as the signature says (with a Cast where needed),
// and arguments that have to be constant arrive as literals.
#pragma once

#include <set>
#include <string>

#include "frontend/checked_program.h"
#include "frontend/frontend.h"

namespace awl::frontend {

// Annotates the tree of every program in `compilation.checked` and fills in its `maps`. Names must
// be resolved (resolve_calls, resolve_variables). `assigned`: the maps that the script gives values
// to (assigned_maps.h); of others that it uses it is warned.
void check_types(Compilation &compilation, Target &target, const Options &options,
                 const std::set<std::string> &assigned);

}  // namespace awl::frontend
