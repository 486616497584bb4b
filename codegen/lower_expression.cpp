// Expressions: operators, conversions, tuples. What type each has is decided (check_types.h).
#include <llvm/IR/Constants.h>

#include <algorithm>
#include <cassert>

#include "codegen/lower.h"
#include "frontend/builtins/builtin.h"

namespace awl::codegen {

using ast::NodeKind;

namespace {

bool is_signed_type(TypeRef type) { return type->is_integer() && type->is_signed; }

// String literals up to this size are stored widened, instead of being copied at run time.
constexpr uint32_t kLiteralBytes = 128;

}  // namespace

bool is_arguments(TypeRef type) {
  return type->is_struct() && (type->struct_def->origin == StructDef::Origin::kTracepoint ||
                               type->struct_def->origin == StructDef::Origin::kProbeArguments ||
                               type->struct_def->origin == StructDef::Origin::kEntryArguments ||
                               type->struct_def->origin == StructDef::Origin::kContext);
}

llvm::Value *Lowering::value(ast::Expr &expr, llvm::Value *to) {
  switch (expr.kind) {
    case NodeKind::kIntegerLiteral:
    case NodeKind::kBoolLiteral:
    case NodeKind::kStringLiteral:
    case NodeKind::kSizeof:
    case NodeKind::kOffsetof:
      return literal_value(expr);
    case NodeKind::kPositionalParameter:
      return positional(static_cast<ast::PositionalParameter &>(expr));
    case NodeKind::kPositionalCount:
      return e_.load_variable(object::kParameterCountVariable);
    case NodeKind::kVariable:
      return variable(static_cast<ast::Variable &>(expr));
    case NodeKind::kMapAccess: {
      auto &node = static_cast<ast::MapAccess &>(expr);
      return map_value(map_info(node.name), node.key, expr.span, to);
    }
    case NodeKind::kUnary:
      return unary(static_cast<ast::Unary &>(expr), to);
    case NodeKind::kIncDec:
      return inc_dec(static_cast<ast::IncDec &>(expr));
    case NodeKind::kBinary:
      return binary(static_cast<ast::Binary &>(expr));
    case NodeKind::kTernary:
      return ternary(static_cast<ast::Ternary &>(expr), to);
    case NodeKind::kFieldAccess:
      return field_access(static_cast<ast::FieldAccess &>(expr), to);
    case NodeKind::kTupleAccess:
      return tuple_access(static_cast<ast::TupleAccess &>(expr));
    case NodeKind::kIndex:
      return index(static_cast<ast::Index &>(expr), to);
    case NodeKind::kCast:
      return cast(static_cast<ast::Cast &>(expr), to);
    case NodeKind::kTuple:
      return tuple(expr, static_cast<ast::Tuple &>(expr).elements, nullptr, to);
    case NodeKind::kRecord: {
      auto &node = static_cast<ast::Record &>(expr);
      return tuple(expr, node.elements, &node.names, to);
    }
    case NodeKind::kIdentifier: {
      auto &node = static_cast<ast::Identifier &>(expr);
      if (node.constant) return e_.i64(*node.constant);
      std::vector<ast::Expr *> none;
      return builtin(expr, node.name, none, to);
    }
    case NodeKind::kCall: {
      auto &node = static_cast<ast::Call &>(expr);
      if (auto *function = program_.find_function(node.name);
          function && !frontend::find_builtin(node.name)) {
        return imported(node, *function);
      }
      return builtin(expr, node.name, node.arguments, to);
    }
    case NodeKind::kBlockExpr: {
      auto &node = static_cast<ast::BlockExpr &>(expr);
      block(node.statements);
      return node.result ? value(*node.result, to) : nullptr;
    }
    default:
      assert(false && "not an expression with a value");
      return e_.i64(0);
  }
}

// What lies in memory is handed over by its address. All registers are filled, whatever the width
// of a parameter; of the result only what its type says counts.
llvm::Value *Lowering::imported(ast::Call &call, const frontend::ImportedFunction &function) {
  std::vector<llvm::Value *> arguments;
  for (ast::Expr *argument : call.arguments) {
    llvm::Value *value = this->value(*argument);
    arguments.push_back(is_in_memory(argument->type) ? b().CreatePtrToInt(value, b().getInt64Ty())
                                                     : value);
  }
  e_.set_location(call.span);
  llvm::Value *result = b().CreateCall(e_.imported_function(function), arguments);
  return call.type->kind == TypeKind::kVoid ? nullptr : normalize(result, call.type);
}

void Lowering::store(ast::Expr &expr, llvm::Value *to) {
  store_value(value(expr, to), expr.type, to);
}

llvm::Value *Lowering::condition(ast::Expr &expr) {
  if (auto *node = ast::as<ast::Binary>(&expr)) {
    if (node->op == ast::BinaryOp::kLogicalAnd || node->op == ast::BinaryOp::kLogicalOr)
      return logical(*node);
    if (node->op >= ast::BinaryOp::kEq) return comparison(*node);
  }
  if (auto *node = ast::as<ast::Unary>(&expr); node && node->op == ast::UnaryOp::kNot) {
    return b().CreateNot(condition(*node->operand));
  }
  return b().CreateICmpNE(value(expr), e_.i64(0));
}

llvm::Value *Lowering::normalize(llvm::Value *value, TypeRef type) {
  if (type->kind == TypeKind::kBool) {
    return b().CreateZExt(b().CreateICmpNE(value, e_.i64(0)), b().getInt64Ty());
  }
  if (type->size >= 8) return value;
  llvm::Value *word = b().CreateTrunc(value, b().getIntNTy(type->size * 8));
  return is_signed_type(type) ? b().CreateSExt(word, b().getInt64Ty())
                              : b().CreateZExt(word, b().getInt64Ty());
}

llvm::Value *Lowering::literal_value(ast::Expr &expr) {
  switch (expr.kind) {
    case NodeKind::kIntegerLiteral:
      return e_.i64(static_cast<int64_t>(static_cast<ast::IntegerLiteral &>(expr).value));
    case NodeKind::kBoolLiteral:
      return e_.i64(static_cast<ast::BoolLiteral &>(expr).value);
    case NodeKind::kStringLiteral:
      return literal(static_cast<ast::StringLiteral &>(expr).value, expr.type->size);
    case NodeKind::kSizeof:
      return e_.i64(static_cast<int64_t>(static_cast<ast::Sizeof &>(expr).value));
    default:
      return e_.i64(static_cast<int64_t>(static_cast<ast::Offsetof &>(expr).value));
  }
}

llvm::Value *Lowering::positional(ast::PositionalParameter &node) {
  for (const frontend::ParameterInfo &parameter : program_.parameters) {
    // One that is used as a number and as text has an entry for each.
    using Kind = frontend::ParameterInfo::Kind;
    const Kind kind = node.is_printed          ? Kind::kPrinted
                      : node.type->is_string() ? Kind::kString
                                               : Kind::kInteger;
    if (!parameter.is_positional || parameter.name != std::to_string(node.index) ||
        parameter.kind != kind) {
      continue;
    }
    std::string name = object::kParameterPrefix + std::to_string(parameter.id);
    if (node.type->is_string()) {
      return e_.string_variable(name, object::kParameterStringSize, parameter.default_string);
    }
    return e_.load_variable(name, static_cast<uint64_t>(parameter.default_integer));
  }
  assert(false && "every positional parameter is registered");
  return e_.i64(0);
}

llvm::Value *Lowering::unary(ast::Unary &node, llvm::Value *to) {
  switch (node.op) {
    case ast::UnaryOp::kNegate:
      return normalize(b().CreateNeg(value(*node.operand)), node.type);
    case ast::UnaryOp::kComplement:
      return normalize(b().CreateNot(value(*node.operand)), node.type);
    case ast::UnaryOp::kNot:
      return b().CreateZExt(condition(node), b().getInt64Ty());
    case ast::UnaryOp::kDereference:
      return read(place(node), node.span, to);
    case ast::UnaryOp::kAddressOf:
      return address_of(*node.operand);
    case ast::UnaryOp::kComptime:
      break;
  }
  assert(false && "comptime has become its value");
  return nullptr;
}

llvm::Value *Lowering::address_of(ast::Expr &operand) {
  llvm::Value *result;
  if (auto *node = ast::as<ast::Variable>(&operand)) {
    result = variable_slot(node->decl);
  } else if (auto *access = ast::as<ast::MapAccess>(&operand)) {
    const MapInfo &info = map_info(access->name);
    llvm::Value *entry = find_map(info, map_key(info, access->key));
    // What is not there reads as zero through the pointer, too.
    uint32_t size = e_.map_description(info).value_size;
    llvm::Value *none = allocate(size, "none");
    zero(none, size);
    result = b().CreateSelect(b().CreateIsNotNull(entry), entry, none);
  } else {
    result = address(place(operand));
  }
  return result->getType()->isPointerTy() ? b().CreatePtrToInt(result, b().getInt64Ty()) : result;
}

llvm::Value *Lowering::binary(ast::Binary &node) {
  using ast::BinaryOp;
  if (node.op == BinaryOp::kLogicalAnd || node.op == BinaryOp::kLogicalOr ||
      node.op >= BinaryOp::kEq) {
    return b().CreateZExt(condition(node), b().getInt64Ty());
  }
  if (node.type->is_pointer()) return pointer_arithmetic(node);
  if (node.type->is_string()) {  // $1 + n
    auto *offset = ast::as<ast::IntegerLiteral>(node.right);
    llvm::Value *text = value(*node.left);
    return at(text,
              offset ? std::min<uint64_t>(offset->value, object::kParameterStringSize - 1) : 0);
  }
  auto [left, right] = both(*node.left, *node.right);
  bool is_signed = is_signed_type(node.left->type) && is_signed_type(node.right->type);
  llvm::Value *result = nullptr;
  switch (node.op) {
    case BinaryOp::kAdd:
      result = b().CreateAdd(left, right);
      break;
    case BinaryOp::kSub:
      result = b().CreateSub(left, right);
      break;
    case BinaryOp::kMul:
      result = b().CreateMul(left, right);
      break;
    case BinaryOp::kDiv:
      result = divide(left, right, is_signed, false, node.span);
      break;
    case BinaryOp::kMod:
      result = divide(left, right, is_signed, true, node.span);
      break;
    case BinaryOp::kAnd:
      result = b().CreateAnd(left, right);
      break;
    case BinaryOp::kOr:
      result = b().CreateOr(left, right);
      break;
    case BinaryOp::kXor:
      result = b().CreateXor(left, right);
      break;
    case BinaryOp::kShl:
      result = b().CreateShl(left, b().CreateAnd(right, e_.i64(63)));
      break;
    default:
      right = b().CreateAnd(right, e_.i64(63));
      result = is_signed ? b().CreateAShr(left, right) : b().CreateLShr(left, right);
  }
  return normalize(result, node.type);
}

llvm::Value *Lowering::divide(llvm::Value *left, llvm::Value *right, bool is_signed, bool is_modulo,
                              Span span) {
  // The instruction set up to v3 has unsigned division alone: divide the absolute values, then
  // give the quotient the sign of both, the remainder that of the dividend.
  auto magnitude = [&](llvm::Value *v) {
    return b().CreateSelect(b().CreateICmpSLT(v, e_.i64(0)), b().CreateNeg(v), v);
  };
  auto quotient = [&] {
    if (!is_signed) return is_modulo ? b().CreateURem(left, right) : b().CreateUDiv(left, right);
    llvm::Value *a = magnitude(left), *c = magnitude(right);
    llvm::Value *result = is_modulo ? b().CreateURem(a, c) : b().CreateUDiv(a, c);
    llvm::Value *sign = is_modulo ? left : b().CreateXor(left, right);
    return b().CreateSelect(b().CreateICmpSLT(sign, e_.i64(0)), b().CreateNeg(result), result);
  };
  if (auto *constant = llvm::dyn_cast<llvm::ConstantInt>(right); constant && !constant->isZero())
    return quotient();
  auto by_zero = [&]() -> llvm::Value * {
    e_.count_error(e_.error_site("division by zero", span, true), e_.i64(0));
    return e_.i64(0);
  };
  return choose(b().CreateICmpNE(right, e_.i64(0)), quotient, by_zero);
}

llvm::Value *Lowering::pointer_arithmetic(ast::Binary &node) {
  auto [left, right] = both(*node.left, *node.right);
  TypeRef element = node.type->element;
  uint32_t bytes =
      element && element->kind != TypeKind::kVoid ? program_.types->size_of(element) : 1;
  llvm::Value *size = e_.i64(bytes ? bytes : 1);
  if (node.left->type->is_pointer()) {
    right = b().CreateMul(right, size);
  } else {
    left = b().CreateMul(left, size);
  }
  return node.op == ast::BinaryOp::kSub ? b().CreateSub(left, right) : b().CreateAdd(left, right);
}

llvm::Value *Lowering::logical(ast::Binary &node) {
  bool is_and = node.op == ast::BinaryOp::kLogicalAnd;
  llvm::Value *left = condition(*node.left);
  llvm::BasicBlock *from = b().GetInsertBlock();
  llvm::BasicBlock *second = e_.new_block("logical.right"), *done = e_.new_block("logical.done");
  b().CreateCondBr(left, is_and ? second : done, is_and ? done : second);
  b().SetInsertPoint(second);
  llvm::Value *right = condition(*node.right);
  llvm::BasicBlock *right_end = b().GetInsertBlock();
  jump(done);
  b().SetInsertPoint(done);
  llvm::PHINode *result = b().CreatePHI(b().getInt1Ty(), 2);
  result->addIncoming(b().getInt1(!is_and), from);
  result->addIncoming(right, right_end);
  return result;
}

llvm::Value *Lowering::comparison(ast::Binary &node) {
  using ast::BinaryOp;
  TypeRef left_type = node.left->type, right_type = node.right->type;
  bool is_negated = node.op == BinaryOp::kNe;
  auto is_probe = [](TypeRef t) {
    return t->kind == TypeKind::kProbeName || t->kind == TypeKind::kProbeType;
  };
  if (is_probe(left_type) != is_probe(right_type)) {
    llvm::Value *result = probe_comparison(node);
    return is_negated ? b().CreateNot(result) : result;
  }
  if (is_in_memory(left_type) && is_in_memory(right_type)) {
    auto text = [](ast::Expr &expr) { return ast::as<ast::StringLiteral>(&expr); };
    llvm::Value *result;
    if (auto *right = text(*node.right)) {
      result = equal_to_text(value(*node.left), left_type->size, right->value);
    } else if (auto *left = text(*node.left)) {
      result = equal_to_text(value(*node.right), right_type->size, left->value);
    } else {
      llvm::Value *first = value(*node.left);
      result = equal(first, left_type, value(*node.right), right_type);
    }
    return is_negated ? b().CreateNot(result) : result;
  }
  auto [left, right] = both(*node.left, *node.right);
  bool is_signed = is_signed_type(left_type) || is_signed_type(right_type);
  switch (node.op) {
    case BinaryOp::kEq:
      return b().CreateICmpEQ(left, right);
    case BinaryOp::kNe:
      return b().CreateICmpNE(left, right);
    case BinaryOp::kLt:
      return is_signed ? b().CreateICmpSLT(left, right) : b().CreateICmpULT(left, right);
    case BinaryOp::kLe:
      return is_signed ? b().CreateICmpSLE(left, right) : b().CreateICmpULE(left, right);
    case BinaryOp::kGt:
      return is_signed ? b().CreateICmpSGT(left, right) : b().CreateICmpUGT(left, right);
    default:
      return is_signed ? b().CreateICmpSGE(left, right) : b().CreateICmpUGE(left, right);
  }
}

llvm::Value *Lowering::probe_comparison(ast::Binary &node) {
  bool is_left = !node.left->type->is_string();
  ast::Expr &probe = is_left ? *node.left : *node.right;
  ast::Expr &text = is_left ? *node.right : *node.left;
  bool is_type = probe.type->kind == TypeKind::kProbeType;
  llvm::Value *name =
      is_type ? literal(probe_type_name(), object::kProbeNameSize) : probe_text(value(probe));
  if (auto *constant = ast::as<ast::StringLiteral>(&text)) {
    return equal_to_text(name, object::kProbeNameSize, constant->value);
  }
  return equal_strings(name, object::kProbeNameSize, value(text), text.type->size);
}

llvm::Value *Lowering::equal(llvm::Value *left, TypeRef left_type, llvm::Value *right,
                             TypeRef right_type) {
  if (left_type->is_string()) return equal_strings(left, left_type->size, right, right_type->size);
  if (left_type->kind == TypeKind::kBuffer || left_type->kind != TypeKind::kUserSymbol) {
    return equal_bytes(left, right, std::min(left_type->size, right_type->size));
  }
  return equal_bytes(left, right, 12);  // the probe that saw a symbol does not make it another
}

llvm::Value *Lowering::ternary(ast::Ternary &node, llvm::Value *to) {
  if (node.type->kind == TypeKind::kVoid) {
    auto run = [this](ast::Expr *expr) {
      return [this, expr]() -> llvm::Value * {
        value(*expr);
        return e_.i64(0);
      };
    };
    choose(condition(*node.condition), run(node.then), run(node.otherwise));
    return nullptr;
  }
  if (is_in_memory(node.type)) {
    llvm::Value *memory = temporary(node.type, to);
    auto fill = [&](ast::Expr *expr) {
      return [this, expr, memory]() -> llvm::Value * {
        store(*expr, memory);
        return e_.i64(0);
      };
    };
    choose(condition(*node.condition), fill(node.then), fill(node.otherwise));
    return memory;
  }
  if (!node.then) {  // a ?: b
    llvm::Value *first = value(*node.condition);
    return choose(
        b().CreateICmpNE(first, e_.i64(0)), [&] { return first; },
        [&] { return value(*node.otherwise); });
  }
  return choose(
      condition(*node.condition), [&] { return value(*node.then); },
      [&] { return value(*node.otherwise); });
}

llvm::Value *Lowering::field_access(ast::FieldAccess &node, llvm::Value *to) {
  if (llvm::Value *field = hook_field(node, to)) return field;
  TypeRef object = node.object->type;
  if (object->kind == TypeKind::kRecord) {
    llvm::Value *memory = value(*node.object);
    for (const frontend::TypeField &field : object->fields) {
      if (field.name == node.field) return load(memory, field.type, field.offset);
    }
  }
  TypeRef holder = object->is_pointer() ? object->element : object;
  if (is_arguments(holder)) {
    const StructDef &def = program_.types->complete(holder->struct_def);
    for (uint32_t i = 0; i < def.members.size(); i++) {
      if (def.members[i].name == node.field) return context_field(def, i, node.type, node.span, to);
    }
  }
  return read(place(node), node.span, to);
}

llvm::Value *Lowering::tuple_access(ast::TupleAccess &node) {
  if (auto *variable = ast::as<ast::Variable>(node.object)) {
    if (auto pair = pairs_.find(variable->decl); pair != pairs_.end()) {
      return node.index == 0 ? pair->second.key : pair->second.value;
    }
  }
  const frontend::TypeField &field = node.object->type->fields.at(node.index);
  return load(value(*node.object), field.type, field.offset);
}

llvm::Value *Lowering::index(ast::Index &node, llvm::Value *to) {
  return read(place(node), node.span, to);
}

llvm::Value *Lowering::tuple(ast::Expr &node, const std::vector<ast::Expr *> &elements,
                             const std::vector<std::string> *names, llvm::Value *to) {
  llvm::Value *memory = temporary(node.type, to);
  // Values first: they may use what `to` holds, and must not see it half made.
  std::vector<Kept> values;
  for (ast::Expr *element : elements)
    values.push_back(is_in_memory(element->type) ? Kept{} : keep(value(*element)));
  zero(memory, node.type->size);
  for (size_t i = 0; i < elements.size(); i++) {
    size_t position = i;
    if (names) {
      for (size_t k = 0; k < node.type->fields.size(); k++) {
        if (node.type->fields[k].name == (*names)[i]) position = k;
      }
    }
    const frontend::TypeField &field = node.type->fields.at(position);
    llvm::Value *slot = at(memory, field.offset);
    if (!values[i].value) {
      store(*elements[i], slot);
    } else {
      store_value(take(values[i]), field.type, slot);
    }
  }
  return memory;
}

llvm::Value *Lowering::cast(ast::Cast &node, llvm::Value *to) {
  ast::Expr &operand = *node.operand;
  if (operand.type->is_aggregation()) {
    if (auto *access = ast::as<ast::MapAccess>(&operand)) {
      const MapInfo &info = map_info(access->name);
      return normalize(read_aggregation(info, map_key(info, access->key)), node.type);
    }
  }
  if (operand.type == node.type) return value(operand, to);
  if (node.type->kind == TypeKind::kBool)
    return b().CreateZExt(condition(operand), b().getInt64Ty());
  // Sizes differ, so the operand cannot be made in place, but for a string that grows.
  if (auto *text = ast::as<ast::StringLiteral>(&operand);
      text && node.type->size <= kLiteralBytes) {
    return literal(text->value, node.type->size);
  }
  llvm::Value *from = value(operand);
  // As an address, an integer is the bits that it has: (int8 *)-1 is 0xff.
  if (!node.is_implicit && node.type->is_pointer() && operand.type->is_integer() &&
      operand.type->size < 8) {
    from = b().CreateAnd(from, e_.i64((int64_t{1} << (operand.type->size * 8)) - 1));
  }
  return convert(from, operand.type, node.type, node.span, to);
}

// The verifier knows the types of the pointers that fentry is given, and refuses to compute with
// them. What a helper brings back from memory is a number to it.
llvm::Value *Lowering::untyped(llvm::Value *pointer, Span span) {
  llvm::Value *kept = temporary(8), *number = temporary(8);
  b().CreateAlignedStore(pointer, kept, llvm::Align(8));
  llvm::Value *from = b().CreatePtrToInt(kept, b().getInt64Ty());
  e_.probe_read(number, e_.i32(8), from, AddressSpace::kKernel, span);
  return b().CreateAlignedLoad(b().getInt64Ty(), number, llvm::Align(8));
}

llvm::Value *Lowering::convert(llvm::Value *value, TypeRef from, TypeRef to, Span span,
                               llvm::Value *destination) {
  if (from == to) return value;
  if (from->kind == TypeKind::kProbeName && to->is_string()) return probe_text(value);
  if (from->kind == TypeKind::kProbeType && to->is_string())
    return literal(probe_type_name(), to->size);
  bool is_from_memory = is_in_memory(from), is_to_memory = is_in_memory(to);
  if (!is_from_memory && !is_to_memory) {
    if (is_tracing() && from->is_pointer() && to->is_integer()) value = untyped(value, span);
    return normalize(value, to);
  }
  if (is_from_memory && !is_to_memory)
    return load(value, to);  // the bytes of an array as an integer
  if (to->is_string()) {
    if (!is_from_memory)
      return read_string(value, to->size, nullptr,
                         from->is_pointer() ? from->address_space : AddressSpace::kKernel, span,
                         destination);
    if (from->size == to->size) return value;
    llvm::Value *memory = temporary(to, destination);
    copy_string(memory, to->size, value, from->size);
    return memory;
  }
  if (to->kind == TypeKind::kTuple || to->kind == TypeKind::kRecord) {
    return convert_fields(value, from, to, span, destination);
  }
  llvm::Value *memory = temporary(to, destination);
  if (to->kind == TypeKind::kBuffer && !is_from_memory) {
    zero(memory, to->size);
    b().CreateAlignedStore(e_.i32(to->count), memory, llvm::Align(4));
    AddressSpace space = from->is_pointer() ? from->address_space : AddressSpace::kKernel;
    e_.probe_read(at(memory, 4), e_.i32(to->count), value, space, span);
    return memory;
  }
  if (!is_from_memory) {  // an integer as an array of bytes
    store_value(value, from, memory);
    return memory;
  }
  if (from->size == to->size) return value;
  copy_string(memory, to->size, value, from->size);
  return memory;
}

llvm::Value *Lowering::convert_fields(llvm::Value *value, TypeRef from, TypeRef to, Span span,
                                      llvm::Value *destination) {
  llvm::Value *memory = temporary(to, destination);
  zero(memory, to->size);
  for (size_t i = 0; i < to->fields.size(); i++) {
    const frontend::TypeField *source = &from->fields.at(i);
    if (to->kind == TypeKind::kRecord) {
      for (const frontend::TypeField &candidate : from->fields) {
        if (candidate.name == to->fields[i].name) source = &candidate;
      }
    }
    const frontend::TypeField &target = to->fields[i];
    llvm::Value *slot = at(memory, target.offset);
    llvm::Value *field =
        convert(load(value, source->type, source->offset), source->type, target.type, span, slot);
    store_value(field, target.type, slot);
  }
  return memory;
}

}  // namespace awl::codegen
