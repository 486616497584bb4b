// Maps: keys, reading, assigning, deleting.
#include <llvm/IR/Constants.h>

#include <cassert>

#include "codegen/lower.h"
#include "frontend/ast/visit.h"

namespace awl::codegen {

const MapInfo &Lowering::map_info(const std::string &name) const {
  const MapInfo *info = program_.find_map(name);
  assert(info && "check_types registers every map");
  return *info;
}

int32_t Lowering::map_index(const MapInfo &info) {
  const object::Map &map = e_.map_description(info);
  const auto &maps = e_.description().maps;
  for (size_t i = 0; i < maps.size(); i++) {
    if (maps[i].name == map.name) return static_cast<int32_t>(i);
  }
  assert(false && "a map that is used is described");
  return -1;
}

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
  auto read = [&](llvm::Value *at_key, const ErrorCounter &where) {
    llvm::Value *found = find_map(info, at_key);
    return choose(
        b().CreateIsNotNull(found), [&] { return load(found, info.value); },
        [&]() -> llvm::Value * {
          if (where.site) e_.count_error(where, e_.i64(0));
          return e_.i64(0);
        });
  };
  if (!is_done_often(info, &MapUses::reads)) return read(key, missing);
  std::vector<std::string> parameters{"key"};
  std::vector<llvm::Value *> arguments{key};
  if (missing.site) {
    parameters.insert(parameters.end(), {"site", "program"});
    arguments.insert(arguments.end(), {missing.site, missing.program});
  }
  llvm::Function *shared =
      map_function(info, "get", parameters, [&](llvm::Function *function) {
        ErrorCounter where;
        if (missing.site) where = {function->getArg(1), function->getArg(2)};
        e_.emit_return(read(function->getArg(0), where));
      });
  return b().CreateCall(shared, arguments);
}

void Lowering::assign_map(const MapInfo &info, ast::Expr *key, ast::Expr &value_node, Span span) {
  if (!info.key) {
    llvm::Value *assigned = value(value_node);
    ErrorCounter counter = e_.error_counter("map update", span, true);
    e_.with_map_value(info, nullptr, counter, [&](llvm::Value *pointer) {
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
  ErrorCounter counter = e_.error_counter("map_update_elem", span, true);
  auto set = [&](llvm::Value *at_key, llvm::Value *from, const ErrorCounter &where) {
    e_.count_if_failed(e_.map_update(e_.map(info), at_key, from, 0), where);
  };
  if (!is_done_often(info, &MapUses::writes)) return set(key_memory, memory, counter);
  llvm::Function *shared = map_function(
      info, "set", {"key", "value", "site", "program"}, [&](llvm::Function *function) {
        set(function->getArg(0), function->getArg(1), {function->getArg(2), function->getArg(3)});
      });
  b().CreateCall(shared, {key_memory, memory, counter.site, counter.program});
}

// How often the script's text reads from maps, writes to them and deletes from them.
void Lowering::count_map_uses() {
  map_uses_.resize(program_.maps.size());
  std::unordered_set<const ast::Node *> written;
  auto uses = [&](const std::string &name) -> MapUses & { return map_uses_[map_info(name).id]; };
  auto write = [&](ast::Node *target) {
    auto *access = ast::as<ast::MapAccess>(target);
    if (access && written.insert(access).second) ++uses(access->name).writes;
  };
  for (const ProgramInfo &program : program_.programs) {
    ast::walk(*program.clause, [&](ast::Node &node) {  // parents first
      if (auto *assign = ast::as<ast::Assign>(&node)) write(assign->target);
      if (auto *step = ast::as<ast::IncDec>(&node)) write(step->target);
      auto *access = ast::as<ast::MapAccess>(&node);
      if (access && !written.contains(access)) ++uses(access->name).reads;
      auto *call = ast::as<ast::Call>(&node);
      if (!call || call->name != "delete") return;
      if (auto *map = ast::as<ast::Map>(call->arguments[0])) ++uses(map->name).deletions;
    });
  }
}

// A call costs some two nanoseconds a time; what a script does in many places is worth it, as each
// place is code that is compiled, loaded and verified.
bool Lowering::is_done_often(const MapInfo &info, uint32_t MapUses::*how) {
  constexpr uint32_t kOften = 4;
  if (map_uses_.empty()) count_map_uses();
  return info.key && map_uses_[info.id].*how >= kOften;
}

llvm::Function *Lowering::map_function(const MapInfo &info, const std::string &verb,
                                       const std::vector<std::string> &parameters,
                                       const std::function<void(llvm::Function *)> &body) {
  return shared_function("awl_" + verb + "_" + e_.map_description(info).elf_name, parameters, body);
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
  auto remove = [&](llvm::Value *at_key, const ErrorCounter &where) {
    llvm::Value *result = e_.map_delete(e_.map(info), at_key);
    e_.count_if_failed(result, where);
    return was_deleted(result);
  };
  ErrorCounter counter = e_.error_counter("map_delete_elem", span, true);
  if (!is_done_often(info, &MapUses::deletions)) return remove(key_memory, counter);
  llvm::Function *shared =
      map_function(info, "delete", {"key", "site", "program"}, [&](llvm::Function *function) {
        e_.emit_return(
            remove(function->getArg(0), {function->getArg(1), function->getArg(2)}));
      });
  return b().CreateCall(shared, {key_memory, counter.site, counter.program});
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
  // What was there; 0 where there is no room for it.
  auto add = [&](llvm::Value *at_key, llvm::Value *amount, const ErrorCounter &where) {
    llvm::Value *slot = temporary(8);
    b().CreateAlignedStore(e_.i64(0), slot, llvm::Align(8));
    e_.with_map_value(info, at_key, where, [&](llvm::Value *pointer) {
      llvm::Value *old = load(pointer, info.value);
      store_value(normalize(b().CreateAdd(old, amount), info.value), info.value, pointer);
      b().CreateAlignedStore(old, slot, llvm::Align(8));
    });
    return b().CreateAlignedLoad(b().getInt64Ty(), slot, llvm::Align(8));
  };
  ErrorCounter counter = e_.error_counter("map update", node.span, true);
  llvm::Value *old = nullptr;
  if (is_done_often(info, &MapUses::writes)) {
    llvm::Function *shared = map_function(
        info, "add", {"key", "amount", "site", "program"}, [&](llvm::Function *function) {
          e_.emit_return(add(function->getArg(0), function->getArg(1),
                             {function->getArg(2), function->getArg(3)}));
        });
    old = b().CreateCall(shared, {key, delta, counter.site, counter.program});
  } else {
    old = add(key, delta, counter);
  }
  return node.is_prefix ? normalize(b().CreateAdd(old, delta), info.value) : old;
}

}  // namespace awl::codegen
