// Loops whose body is a function of its own: over maps (bpf_for_each_map_elem) and long ranges
// (bpf_loop).
//
// A callback shares its program's variables through a block on the program's stack that the helper
// hands over: u64 words [0] set when the program is to return, [1] the program's context, [2] the
// id of the probe that fired, [3]… pointers to the memory that the variables lie in (the stack,
// where each is by itself, or scratch memory, which holds many), then plain words: of the loop's
// own, and what is known of an exit's entry. The verifier follows pointers stored on the stack,
// into the caller's frame as well.
#include <llvm/IR/Constants.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "codegen/lower.h"
#include "frontend/ast/visit.h"

namespace awl::codegen {

namespace {
enum SharedWord { kReturnFlag, kContext, kProbe, kVariables };
// Where a variable lies: at an offset in one of the pieces of memory that are handed over.
struct SharedPlace {
  size_t base;
  int64_t offset;
};

SharedPlace find_place(llvm::Value *slot, const llvm::DataLayout &layout,
                       std::vector<llvm::Value *> &bases) {
  llvm::APInt offset(layout.getIndexTypeSizeInBits(slot->getType()), 0);
  llvm::Value *base = slot->stripAndAccumulateConstantOffsets(layout, offset, true);
  auto found = std::find(bases.begin(), bases.end(), base);
  size_t index = static_cast<size_t>(found - bases.begin());
  if (found == bases.end()) bases.push_back(base);
  return {index, offset.getSExtValue()};
}

}  // namespace

// Variables that the loop uses and that exist already; those declared in its body are its own.
std::vector<const frontend::ast::VariableDecl *> Lowering::shared_variables(ast::Stmt &loop) {
  std::vector<const frontend::ast::VariableDecl *> result;
  std::unordered_set<const frontend::ast::VariableDecl *> seen;
  ast::walk(loop, [&](ast::Node &node) {
    auto *variable = ast::as<ast::Variable>(&node);
    if (variable && slots_.count(variable->decl) && seen.insert(variable->decl).second) {
      result.push_back(variable->decl);
    }
  });
  return result;
}

void Lowering::with_callback(const std::string &name, const std::vector<std::string> &parameters,
                             ast::Stmt &loop, const std::vector<llvm::Value *> &words,
                             const CallbackBody &body,
                             const std::function<void(llvm::Function *, llvm::Value *)> &call,
                             llvm::Value *scratch) {
  std::vector<const frontend::ast::VariableDecl *> shared = shared_variables(loop);
  // A loop in a loop may use the outer one's pair: made a plain variable for it.
  ast::walk(loop, [&](ast::Node &node) {
    auto *variable = ast::as<ast::Variable>(&node);
    auto pair = variable ? pairs_.find(variable->decl) : pairs_.end();
    if (pair == pairs_.end() || slots_.count(variable->decl)) return;
    llvm::Value *slot = allocate(variable->decl->type->size, variable->name.substr(1));
    slots_[variable->decl] = slot;
    store_value(this->variable(*variable), variable->decl->type, slot);
    shared.push_back(variable->decl);
  });

  llvm::Type *word = b().getInt64Ty();
  std::vector<llvm::Value *> all_words = words;
  all_words.insert(all_words.end(), entry_values_.begin(), entry_values_.end());
  std::vector<llvm::Value **> packet = packet_.values();
  std::vector<llvm::Value *> bases;
  if (scratch) bases.push_back(scratch);
  std::vector<SharedPlace> places;
  for (const frontend::ast::VariableDecl *decl : shared) {
    places.push_back(find_place(slots_.at(decl), e_.module().getDataLayout(), bases));
  }
  size_t packet_start = kVariables + bases.size() + all_words.size();
  size_t count = packet_start + packet.size();
  llvm::BasicBlock &entry = b().GetInsertBlock()->getParent()->getEntryBlock();
  llvm::AllocaInst *block = llvm::IRBuilder<>(&entry, entry.begin())
                                .CreateAlloca(llvm::ArrayType::get(word, count), nullptr, "shared");
  block->setAlignment(llvm::Align(8));
  // Loops after each other take the same place on the stack.
  b().CreateLifetimeStart(block);
  auto slot = [&](size_t i) { return at(block, i * 8); };
  b().CreateAlignedStore(e_.i64(0), slot(kReturnFlag), llvm::Align(8));
  b().CreateAlignedStore(ctx_, slot(kContext), llvm::Align(8));
  b().CreateAlignedStore(info_->uses_probe_name ? probe_id() : e_.i64(0), slot(kProbe),
                         llvm::Align(8));
  for (size_t i = 0; i < bases.size(); i++) {
    b().CreateAlignedStore(bases[i], slot(kVariables + i), llvm::Align(8));
  }

  for (size_t i = 0; i < all_words.size(); i++) {
    b().CreateAlignedStore(all_words[i], slot(kVariables + bases.size() + i), llvm::Align(8));
  }

  for (size_t i = 0; i < packet.size(); i++) {
    b().CreateAlignedStore(*packet[i], slot(packet_start + i), llvm::Align(8));
  }

  auto outer_slots = slots_;
  Packet outer_packet = packet_;
  auto outer_variables = pairs_;
  auto outer_function = std::move(function_);
  auto outer_entry = entry_values_;
  llvm::Value *outer_ctx = ctx_, *outer_flag = return_flag_, *outer_probe = shared_probe_,
              *outer_record = record_memory_;
  function_ = {};
  function_.is_callback = true;
  record_memory_ = nullptr;
  llvm::Function *function = e_.begin_callback(name, parameters, loop.span);
  llvm::Value *handed = nullptr;
  for (size_t i = 0; i < parameters.size(); i++) {
    if (parameters[i] == "ctx") handed = function->getArg(static_cast<unsigned>(i));
  }
  assert(handed);
  return_flag_ = at(handed, kReturnFlag * 8);
  ctx_ = b().CreateAlignedLoad(b().getPtrTy(), at(handed, kContext * 8), llvm::Align(8));
  shared_probe_ = b().CreateAlignedLoad(word, at(handed, kProbe * 8), llvm::Align(8));
  std::vector<llvm::Value *> handed_bases;
  for (size_t i = 0; i < bases.size(); i++) {
    handed_bases.push_back(
        b().CreateAlignedLoad(b().getPtrTy(), at(handed, (kVariables + i) * 8), llvm::Align(8)));
  }
  if (scratch) e_.borrow_scratch(handed_bases.front());
  for (size_t i = 0; i < shared.size(); i++) {
    llvm::Value *address =
        at(handed_bases[places[i].base], static_cast<uint64_t>(places[i].offset));
    aligned_.insert(address);
    slots_[shared[i]] = address;
    pairs_.erase(shared[i]);
  }
  std::vector<llvm::Value *> handed_words;
  for (size_t i = 0; i < all_words.size(); i++) {
    llvm::Value *from = at(handed, (kVariables + bases.size() + i) * 8);
    handed_words.push_back(b().CreateAlignedLoad(word, from, llvm::Align(8)));
  }
  auto first_entry_word = handed_words.begin() + static_cast<ptrdiff_t>(words.size());
  entry_values_.assign(first_entry_word, handed_words.end());
  handed_words.erase(first_entry_word, handed_words.end());
  for (size_t i = 0; i < packet.size(); i++) {
    llvm::Value *from = at(handed, (packet_start + i) * 8);
    *packet[i] = b().CreateAlignedLoad((*packet[i])->getType(), from, llvm::Align(8));
    aligned_.insert(*packet[i]);
  }
  llvm::BasicBlock *on_break = e_.new_block("break"), *on_continue = e_.new_block("continue");
  function_.loops.push_back({on_break, on_continue});
  body(function, handed_words);
  jump(on_continue);
  b().SetInsertPoint(on_break);
  e_.emit_return(e_.i64(1));
  b().SetInsertPoint(on_continue);
  e_.emit_return(e_.i64(0));
  e_.end_callback();
  function_ = std::move(outer_function);
  entry_values_ = std::move(outer_entry);
  slots_ = std::move(outer_slots);
  packet_ = outer_packet;
  pairs_ = std::move(outer_variables);
  ctx_ = outer_ctx;
  return_flag_ = outer_flag;
  shared_probe_ = outer_probe;
  record_memory_ = outer_record;

  call(function, block);
  llvm::Value *flag = b().CreateAlignedLoad(word, slot(kReturnFlag), llvm::Align(8));
  b().CreateLifetimeEnd(block);
  if_then(b().CreateICmpNE(flag, e_.i64(0)), [&] {
    bool has_value = frontend::returns_value(family());
    leave(has_value ? b().CreateAShr(flag, 1) : nullptr);
  });
}

void Lowering::callback_loop(
    uint32_t rounds, const std::vector<llvm::Value *> &pointers,
    const std::function<llvm::Value *(llvm::Value *, const std::vector<llvm::Value *> &)> &body) {
  llvm::BasicBlock &entry = b().GetInsertBlock()->getParent()->getEntryBlock();
  llvm::AllocaInst *block =
      llvm::IRBuilder<>(&entry, entry.begin())
          .CreateAlloca(llvm::ArrayType::get(b().getInt64Ty(), pointers.size()), nullptr, "shared");
  block->setAlignment(llvm::Align(8));
  b().CreateLifetimeStart(block);
  for (size_t i = 0; i < pointers.size(); i++)
    b().CreateAlignedStore(pointers[i], at(block, i * 8), llvm::Align(8));
  auto outer_function = std::move(function_);
  function_ = {};
  llvm::Function *function = e_.begin_callback("loop_body", {"index", "ctx"}, info_->clause->span);
  std::vector<llvm::Value *> shared;
  for (size_t i = 0; i < pointers.size(); i++) {
    shared.push_back(
        b().CreateAlignedLoad(b().getPtrTy(), at(function->getArg(1), i * 8), llvm::Align(8)));
  }
  llvm::Value *index = bounded(b().CreateAnd(function->getArg(0), e_.i64(0xffffffff)), rounds - 1);
  llvm::Value *goes_on = body(index, shared);
  e_.emit_return(b().CreateZExt(b().CreateNot(goes_on), b().getInt64Ty()));
  e_.end_callback();
  function_ = std::move(outer_function);
  e_.call(Helper::kLoop, {e_.i32(rounds), function, block, e_.i64(0)});
  b().CreateLifetimeEnd(block);
}

void Lowering::range_callback(ast::ForRange &node, llvm::Value *begin, llvm::Value *end) {
  bool is_signed = node.variable->type->is_signed;
  llvm::Value *is_empty = is_signed ? b().CreateICmpSLE(end, begin) : b().CreateICmpULE(end, begin);
  llvm::Value *count = b().CreateSelect(is_empty, e_.i64(0), b().CreateSub(end, begin));
  auto body = [&](llvm::Function *function, const std::vector<llvm::Value *> &words) {
    llvm::Value *index = b().CreateAnd(function->getArg(0), e_.i64(0xffffffff));
    llvm::Value *value = b().CreateAdd(words.at(0), index);
    store_value(value, node.variable->decl->type, variable_slot(node.variable->decl));
    block(node.body->statements);
  };
  // What is left after as many rounds as there can be is told.
  auto *known = llvm::dyn_cast<llvm::ConstantInt>(count);
  if (!known || known->getZExtValue() > uint64_t{kMostCallbacks}) {
    uint32_t site = e_.error_site("range", node.span, true);
    if_then(b().CreateICmpUGT(count, e_.i64(kMostCallbacks)),
            [&] { e_.count_error(site, e_.i64(-E2BIG)); });
  }
  auto call = [&](llvm::Function *function, llvm::Value *shared) {
    llvm::Value *most = e_.i64(kMostCallbacks);
    llvm::Value *rounds = b().CreateSelect(b().CreateICmpULT(count, most), count, most);
    e_.call(Helper::kLoop,
            {b().CreateTrunc(rounds, b().getInt32Ty()), function, shared, e_.i64(0)});
  };
  with_callback("range_loop", {"index", "ctx"}, node, {begin}, body, call);
}

void Lowering::for_map(ast::ForMap &node) {
  const MapInfo &info = map_info(node.map->name);
  TypeRef pair_type = node.variable->type;
  TypeRef value_type = pair_type->fields[1].type;
  auto body = [&](llvm::Function *function, const std::vector<llvm::Value *> &) {
    llvm::Value *key = function->getArg(1), *element = function->getArg(2);
    aligned_.insert(key);
    aligned_.insert(element);
    Pair pair;
    pair.type = pair_type;
    pair.key = load(key, info.key);
    pair.value = info.value->is_aggregation() && !value_type->is_aggregation()
                     ? normalize(read_aggregation(info, key), value_type)
                     : load(element, info.value);
    pairs_[node.variable->decl] = pair;
    slots_.erase(node.variable->decl);
    block(node.body->statements);
    pairs_.erase(node.variable->decl);
  };
  with_callback("map_loop", {"map", "key", "value", "ctx"}, node, {}, body,
                [&](llvm::Function *function, llvm::Value *shared) {
                  e_.call(Helper::kForEachMapElem, {e_.map(info), function, shared, e_.i64(0)});
                });
}

}  // namespace awl::codegen
