// Maps: keys, reading, assigning, deleting.
#include <llvm/IR/Constants.h>

#include "codegen/lower.h"

namespace awl::codegen {

const MapInfo &Lowering::map_info(const std::string &name) const { return *maps_.at(name); }

int32_t Lowering::map_index(const MapInfo &info) { return static_cast<int32_t>(info.id); }

llvm::Value *Lowering::map_key(const MapInfo &info, ast::Expr *key) {
  if (!info.key || !key) return nullptr;
  if (is_in_memory(info.key)) {
    llvm::Value *memory = value(*key);
    // Keys are read in words by the kernel's hash: what is only text so far is moved to memory of
    // the key's own.
    if (key->type == info.key) return memory;
    return convert(memory, key->type, info.key, key->span);
  }
  llvm::Value *word = value(*key);
  llvm::Value *memory = temporary(8);
  store_value(word, info.key, memory);
  return memory;
}

llvm::Value *Lowering::find_map(const MapInfo &info, llvm::Value *key) {
  llvm::Value *found = e_.map_lookup(e_.map(info), key);
  aligned_.insert(found);
  return found;
}

llvm::Value *Lowering::map_value(const MapInfo &info, ast::Expr *key, Span span, llvm::Value *to) {
  llvm::Value *key_memory = map_key(info, key);
  if (info.value->is_aggregation()) {
    if (!info.value->is_integer_aggregation()) return copy_aggregation(info, key_memory, to);
    // Printed as a value: the aggregation itself when it has a form in memory.
    return is_in_memory(info.value) ? copy_aggregation(info, key_memory, to)
                                    : read_aggregation(info, key_memory);
  }
  // With -k, elements that are not there are told of.
  ErrorCounter missing;
  if (e_.reports_errors() && info.key) missing = e_.error_counter("map_lookup_elem", span, false);
  if (!is_in_memory(info.value)) return map_word(info, key_memory, missing);
  llvm::Value *found = find_map(info, key_memory);
  llvm::Value *exists = b().CreateICmpNE(found, llvm::ConstantPointerNull::get(b().getPtrTy()));
  llvm::Value *memory = temporary(info.value, to);
  choose(
      exists,
      [&]() -> llvm::Value * {
        copy(memory, found, info.value->size);
        return e_.i64(0);
      },
      [&]() -> llvm::Value * {
        zero(memory, info.value->size);
        if (missing.site) e_.count_error(missing, e_.i64(0));
        return e_.i64(0);
      });
  return memory;
}

llvm::Value *Lowering::map_word(const MapInfo &info, llvm::Value *key,
                                const ErrorCounter &missing) {
  Operands operands = with_counter({{"key", key}}, missing);
  return map_operation(info, &MapUses::reads, "get", operands, [&](const Values &values) {
    llvm::Value *found = find_map(info, values[0]);
    return choose(
        b().CreateIsNotNull(found), [&] { return load(found, info.value); },
        [&]() -> llvm::Value * {
          if (missing.site) e_.count_error(counter_of(values, 1), e_.i64(0));
          return e_.i64(0);
        });
  });
}

void Lowering::assign_map(const MapInfo &info, ast::Expr *key, ast::Expr &value_node, Span span) {
  if (!info.key) {
    llvm::Value *assigned = value(value_node);
    e_.with_map_value(info, nullptr, update_counter(info, span), [&](llvm::Value *pointer) {
      aligned_.insert(pointer);
      store_value(assigned, info.value, pointer);
    });
    return;
  }
  // The value first, as it may itself change the map.
  llvm::Value *assigned = value(value_node);
  llvm::Value *key_memory = map_key(info, key);
  llvm::Value *memory = assigned;
  if (!is_in_memory(info.value)) {
    memory = temporary(8);
    store_value(assigned, info.value, memory);
  }
  Operands operands = with_counter({{"key", key_memory}, {"value", memory}},
                                   e_.error_counter("map_update_elem", span, true));
  map_operation(info, &MapUses::writes, "set", operands, [&](const Values &values) {
    e_.count_if_failed(e_.map_update(e_.map(info), values[0], values[1], 0), counter_of(values, 2));
    return e_.i64(0);
  });
}

llvm::Value *Lowering::delete_map(const MapInfo &info, ast::Expr *key, Span span,
                                  bool is_reported) {
  if (!info.key) {
    // An element of an array stays: it is zero and not set from now on.
    uint32_t size = e_.map_description(info).value_size;
    llvm::Value *found = find_map(info, nullptr);
    llvm::Value *exists = b().CreateICmpNE(found, llvm::ConstantPointerNull::get(b().getPtrTy()));
    return choose(
        exists,
        [&]() -> llvm::Value * {
          llvm::Value *flag =
              b().CreateAlignedLoad(b().getInt64Ty(), at(found, size - 8), llvm::Align(8));
          llvm::Value *was_set =
              b().CreateZExt(b().CreateICmpNE(flag, e_.i64(0)), b().getInt64Ty());
          for_each_cpu(info, nullptr, [&](llvm::Value *entry) { zero(entry, size); });
          return was_set;
        },
        [&]() -> llvm::Value * { return e_.i64(0); });
  }
  llvm::Value *key_memory = map_key(info, key);
  auto was_deleted = [&](llvm::Value *result) {
    return b().CreateZExt(b().CreateICmpEQ(result, e_.i64(0)), b().getInt64Ty());
  };
  if (!is_reported) return was_deleted(e_.map_delete(e_.map(info), key_memory));
  Operands operands =
      with_counter({{"key", key_memory}}, e_.error_counter("map_delete_elem", span, false));
  return map_operation(info, &MapUses::deletions, "delete", operands, [&](const Values &values) {
    llvm::Value *result = e_.map_delete(e_.map(info), values[0]);
    e_.count_if_failed(result, counter_of(values, 1));
    return was_deleted(result);
  });
}

llvm::Value *Lowering::map_length(const MapInfo &info) {
  // Counted by walking: maps do not tell. The callback adds one to its context and goes on.
  llvm::BasicBlock &entry = b().GetInsertBlock()->getParent()->getEntryBlock();
  llvm::AllocaInst *count =
      llvm::IRBuilder<>(&entry, entry.begin()).CreateAlloca(b().getInt64Ty(), nullptr, "length");
  b().CreateAlignedStore(e_.i64(0), count, llvm::Align(8));
  llvm::Function *function =
      e_.begin_callback("map_length", {"map", "key", "value", "ctx"}, info.span);
  llvm::Value *sum = function->getArg(3);
  llvm::Value *old = b().CreateAlignedLoad(b().getInt64Ty(), sum, llvm::Align(8));
  b().CreateAlignedStore(b().CreateAdd(old, e_.i64(1)), sum, llvm::Align(8));
  e_.emit_return(e_.i64(0));
  e_.end_callback();
  e_.call(Helper::kForEachMapElem, {e_.map(info), function, count, e_.i64(0)});
  return b().CreateAlignedLoad(b().getInt64Ty(), count, llvm::Align(8));
}

llvm::Value *Lowering::inc_dec(ast::IncDec &node) {
  TypeRef type = node.type;
  int64_t step = 1;
  if (type->is_pointer() && type->element)
    step = std::max<int64_t>(1, program_.types->size_of(type->element));
  llvm::Value *delta = e_.i64(node.is_increment ? step : -step);
  if (auto *target = ast::as<ast::Variable>(node.target)) {
    llvm::Value *slot = variable_slot(target->decl);
    llvm::Value *old = load(slot, type);
    llvm::Value *changed = normalize(b().CreateAdd(old, delta), type);
    store_value(changed, type, slot);
    return node.is_prefix ? changed : old;
  }
  auto &access = static_cast<ast::MapAccess &>(*node.target);
  const MapInfo &info = map_info(access.name);
  llvm::Value *key = map_key(info, access.key);
  Operands operands =
      with_counter({{"key", key}, {"amount", delta}}, update_counter(info, node.span));
  // What was there, or is from now on; 0 where there is no room for it.
  const char *verb = node.is_prefix ? "pre_add" : "post_add";
  return map_operation(info, &MapUses::writes, verb, operands, [&](const Values &values) {
    llvm::Value *slot = temporary(8);
    b().CreateAlignedStore(e_.i64(0), slot, llvm::Align(8));
    e_.with_map_value(info, values[0], counter_of(values, 2), [&](llvm::Value *pointer) {
      llvm::Value *old = load(pointer, info.value);
      llvm::Value *changed = normalize(b().CreateAdd(old, values[1]), info.value);
      store_value(changed, info.value, pointer);
      b().CreateAlignedStore(node.is_prefix ? changed : old, slot, llvm::Align(8));
    });
    return b().CreateAlignedLoad(b().getInt64Ty(), slot, llvm::Align(8));
  });
}

}  // namespace awl::codegen
