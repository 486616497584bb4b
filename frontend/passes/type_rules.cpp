#include "frontend/passes/type_rules.h"

#include <algorithm>

namespace awl::frontend {
namespace {

// Names of probes are copied from a table when the text itself is needed.
constexpr uint32_t kProbeTextSize = 128;

uint32_t signed_bytes(int64_t value) {
  if (value >= INT8_MIN && value <= INT8_MAX) return 1;
  if (value >= INT16_MIN && value <= INT16_MAX) return 2;
  if (value >= INT32_MIN && value <= INT32_MAX) return 4;
  return 8;
}

bool is_probe_text(TypeRef type) {
  return type->kind == TypeKind::kProbeName || type->kind == TypeKind::kProbeType;
}

Shape make_tuple(TypeStore &types, std::vector<Shape> fields) {
  std::vector<TypeRef> elements;
  for (const Shape &field : fields) elements.push_back(field.type);
  return {types.tuple(elements), false, std::move(fields)};
}

Shape make_record(TypeStore &types, const std::vector<std::string> &names,
                  std::vector<Shape> fields) {
  std::vector<std::pair<std::string, TypeRef>> elements;
  for (size_t i = 0; i < fields.size(); ++i) elements.emplace_back(names[i], fields[i].type);
  return {types.record(elements), false, std::move(fields)};
}

Shape field_of(const Shape &shape, size_t index) {
  if (index < shape.fields.size()) return shape.fields[index];
  return {shape.type->fields[index].type, false, {}};
}

std::optional<Shape> unify_tuples(TypeStore &types, const Shape &a, const Shape &b) {
  if (a.type->fields.size() != b.type->fields.size()) return std::nullopt;
  std::vector<Shape> fields;
  for (size_t i = 0; i < a.type->fields.size(); ++i) {
    std::optional<Shape> field = unify(types, field_of(a, i), field_of(b, i));
    if (!field) return std::nullopt;
    fields.push_back(std::move(*field));
  }
  return make_tuple(types, std::move(fields));
}

// Fields go by name; the order is that of `a`.
std::optional<Shape> unify_records(TypeStore &types, const Shape &a, const Shape &b) {
  if (a.type->fields.size() != b.type->fields.size()) return std::nullopt;
  std::vector<Shape> fields;
  std::vector<std::string> names;
  for (size_t i = 0; i < a.type->fields.size(); ++i) {
    const std::string &name = a.type->fields[i].name;
    const auto &others = b.type->fields;
    auto other = std::find_if(others.begin(), others.end(),
                              [&](const TypeField &field) { return field.name == name; });
    if (other == others.end()) return std::nullopt;
    std::optional<Shape> field = unify(types, field_of(a, i), field_of(b, other - others.begin()));
    if (!field) return std::nullopt;
    fields.push_back(std::move(*field));
    names.push_back(name);
  }
  return make_record(types, names, std::move(fields));
}

TypeRef unify_pointers(TypeStore &types, TypeRef a, TypeRef b) {
  TypeRef element = a->element->kind == TypeKind::kVoid ? b->element : a->element;
  AddressSpace space =
      a->address_space == AddressSpace::kNone ? b->address_space : a->address_space;
  return types.pointer(element, space);
}

bool is_word_array(TypeRef type) {
  return type->kind == TypeKind::kArray && type->element->is_integral();
}

bool is_byte_array(TypeRef type) { return is_word_array(type) && type->element->size == 1; }

bool are_fields_castable(TypeStore &types, TypeRef from, TypeRef to) {
  if (from->fields.size() != to->fields.size()) return false;
  for (size_t i = 0; i < from->fields.size(); ++i) {
    if (!is_castable(types, from->fields[i].type, to->fields[i].type)) return false;
  }
  return true;
}

}  // namespace

TypeRef literal_type(TypeStore &types, const ast::IntegerLiteral &literal) {
  if (!literal.is_negative && literal.value > INT64_MAX) return types.integer(8, false);
  return types.integer(signed_bytes(static_cast<int64_t>(literal.value)), true);
}

bool literal_fits(const ast::IntegerLiteral &literal, TypeRef type) {
  uint32_t bits = type->size * 8;
  if (literal.is_negative) {
    return type->is_signed && signed_bytes(static_cast<int64_t>(literal.value)) <= type->size;
  }
  return bits >= 64 ? !type->is_signed || literal.value <= INT64_MAX
                    : literal.value < (1ULL << (type->is_signed ? bits - 1 : bits));
}

Shape shape_of(TypeStore &types, const ast::Expr &expr) {
  if (auto *literal = ast::as<ast::IntegerLiteral>(&expr)) {
    bool is_flexible = !literal->is_negative && literal->value <= INT64_MAX;
    return {literal_type(types, *literal), is_flexible, {}};
  }
  auto *tuple = ast::as<ast::Tuple>(&expr);
  auto *record = ast::as<ast::Record>(&expr);
  if (tuple || record) {
    std::vector<Shape> fields;
    for (const ast::Expr *element : tuple ? tuple->elements : record->elements) {
      fields.push_back(shape_of(types, *element));
    }
    return {expr.type, false, std::move(fields)};
  }
  if (auto *block = ast::as<ast::BlockExpr>(&expr); block && block->result) {
    return shape_of(types, *block->result);
  }
  if (auto *ternary = ast::as<ast::Ternary>(&expr); ternary && ternary->then && expr.type) {
    auto both = unify(types, shape_of(types, *ternary->then), shape_of(types, *ternary->otherwise));
    if (both) return *both;
  }
  return {expr.type, false, {}};
}

TypeRef unify_integers(TypeStore &types, const Shape &a, const Shape &b) {
  uint32_t size = std::max(a.type->size, b.type->size);
  if (a.type->is_signed == b.type->is_signed) return types.integer(size, a.type->is_signed);
  if (a.is_flexible || b.is_flexible) {
    return types.integer(size, (a.is_flexible ? b : a).type->is_signed);
  }
  uint32_t unsigned_size = a.type->is_signed ? b.type->size : a.type->size;
  uint32_t signed_size = a.type->is_signed ? a.type->size : b.type->size;
  return types.integer(std::min(8u, std::max(signed_size, unsigned_size * 2)), true);
}

std::optional<Shape> unify(TypeStore &types, const Shape &a, const Shape &b) {
  if (!a.type) return b;
  if (!b.type) return a;
  TypeRef x = a.type, y = b.type;
  if (x->kind == TypeKind::kTuple && y->kind == TypeKind::kTuple) return unify_tuples(types, a, b);
  if (x->kind == TypeKind::kRecord && y->kind == TypeKind::kRecord) {
    return unify_records(types, a, b);
  }
  bool is_flexible = a.is_flexible && b.is_flexible;
  if (x == y) return Shape{x, is_flexible, {}};
  if (x->is_integer() && y->is_integer()) {
    return Shape{unify_integers(types, a, b), is_flexible, {}};
  }
  if (x->is_string() && y->is_string()) return Shape{x->size >= y->size ? x : y, false, {}};
  if (x->kind == TypeKind::kBuffer && y->kind == TypeKind::kBuffer) {
    return Shape{x->size >= y->size ? x : y, false, {}};
  }
  if (x->is_pointer() && y->is_pointer()) return Shape{unify_pointers(types, x, y), false, {}};
  if ((is_probe_text(x) || x->is_string()) && (is_probe_text(y) || y->is_string())) {
    uint32_t size = kProbeTextSize;
    if (x->is_string()) size = std::max(size, x->size);
    if (y->is_string()) size = std::max(size, y->size);
    return Shape{types.string(size), false, {}};
  }
  if (x->kind == y->kind && x->is_aggregation() && x->parameters == y->parameters) {
    bool is_signed = a.is_flexible   ? y->is_signed
                     : b.is_flexible ? x->is_signed
                                     : x->is_signed || y->is_signed;
    return Shape{types.aggregation(x->kind, is_signed, x->parameters), is_flexible, {}};
  }
  return std::nullopt;
}

bool may_lose_value(TypeRef from, TypeRef to) {
  if (!from->is_integer() || !to->is_integer()) return false;
  if (from->is_signed == to->is_signed) return from->size > to->size;
  if (to->is_signed) return from->size >= to->size;
  return true;
}

bool is_castable(TypeStore &types, TypeRef from, TypeRef to) {
  if (from == to) return true;
  bool from_word = from->is_integral() || from->is_pointer() || from->is_integer_aggregation();
  if (from_word && (to->is_integral() || to->is_pointer())) return true;
  if (is_word_array(to) && (from->is_integral() || is_word_array(from))) {
    return from->size == to->size;
  }
  if (is_word_array(from) && to->is_integral()) return from->size == to->size;
  if (from->is_string()) {
    return is_byte_array(to) || (to->is_string() && to->size >= from->size);
  }
  if (to->is_string()) {
    return (from->is_integer() && from->size == 8) || from->is_pointer() || is_probe_text(from) ||
           (is_byte_array(from) && to->size >= from->size);
  }
  if (to->kind == TypeKind::kBuffer) {
    return from->is_pointer() || (from->is_integer() && from->size == 8) ||
           (from->kind == TypeKind::kBuffer && from->size <= to->size);
  }
  if (from->kind == to->kind &&
      (from->kind == TypeKind::kTuple || from->kind == TypeKind::kRecord)) {
    return are_fields_castable(types, from, to);
  }
  if (to->kind == TypeKind::kUsername) return from->is_integer();
  return false;
}

TypeRef value_type(TypeStore &types, TypeRef type) {
  if (type && type->kind == TypeKind::kArray && type->count > 0 &&
      type->element->kind == TypeKind::kInteger && type->element->size == 1 &&
      type->element->is_signed) {
    return types.string(type->count);
  }
  return type;
}

}  // namespace awl::frontend
