// What exit probes know of the entry they belong to: `duration` and `entry`.
//
// A program in front of the exit's own, attached to the entries of what that is attached to, keeps
// the time and the arguments that are asked for in a map:
//
//   key    u64 pid and tid, u64 frame
//   value  u64 time, then the arguments in use, a u64 each
//
// The frame tells calls that are under way on one thread apart, so that recursion is right, and so
// is all that leaves frames in another order than it entered them: exceptions, longjmp, coroutines,
// interrupts. It is where the stack pointer stands when the function has returned. A thread is in
// one system call at a time; their frame is 0.
//
// Where the kernel has sessions, the exit's own program is attached to the entries too and does at
// them what the one in front of it would: the loader decides, and leaves that one out. Entry and
// exit then are seen both or not at all, and a word that is all that is asked for waits in the
// session's cookie instead of the map, where nothing is left behind by a call that never returns.
//
// Otherwise a call that never returns leaves its entry behind. So the maps of functions are least
// recently used ones; those of system calls have no such calls (the loader leaves out exit and
// exit_group).
#include <llvm/IR/Constants.h>

#include <cassert>
#include <set>

#include "codegen/lower.h"
#include "frontend/ast/visit.h"

namespace awl::codegen {

namespace {

constexpr uint32_t kKeySize = 16;
constexpr uint64_t kUpdateAny = 0;  // BPF_ANY

#if defined(__x86_64__)
constexpr int64_t kReturnPops = 8;  // `ret` takes the return address off the stack
#else
constexpr int64_t kReturnPops = 0;
#endif

bool is_entry_struct(TypeRef type) {
  return type && type->is_struct() &&
         type->struct_def->origin == StructDef::Origin::kEntryArguments;
}

uint32_t word_of(const StructDef::Member &member) { return member.bit_offset / 64; }

// A struct may take two.
void add_words(std::set<uint32_t> &words, const StructDef::Member &member) {
  const uint32_t size = member.type->is_struct() ? member.type->struct_def->size : 8;
  for (uint32_t i = 0; i * 8 < size; ++i) words.insert(word_of(member) + i);
}

llvm::AllocaInst *stack_words(Emitter &emitter, uint32_t count, const char *name) {
  llvm::IRBuilder<> &b = emitter.b();
  llvm::BasicBlock &entry = b.GetInsertBlock()->getParent()->getEntryBlock();
  llvm::AllocaInst *block =
      llvm::IRBuilder<>(&entry, entry.begin())
          .CreateAlloca(llvm::ArrayType::get(b.getInt64Ty(), count), nullptr, name);
  block->setAlignment(llvm::Align(8));
  return block;
}

}  // namespace

// What a clause asks of its entry, by its typed tree.
Lowering::EntryUse Lowering::find_entry_use(const ProgramInfo &info) {
  EntryUse use;
  if (!is_exit_probe(info.probes.front())) return use;
  std::set<uint32_t> words;
  std::unordered_set<const ast::Node *> objects;
  ast::walk(*info.clause, [&](ast::Node &node) {
    if (auto *access = ast::as<ast::FieldAccess>(&node);
        access && is_entry_struct(access->object->type)) {
      for (const StructDef::Member &member : access->object->type->struct_def->members) {
        if (member.name == access->field) add_words(words, member);
      }
      objects.insert(access->object);
      use.is_used = true;
    }
    auto *name = ast::as<ast::Identifier>(&node);
    if (!name || name->constant) return;
    use.has_duration |= name->name == "duration";
    use.is_used |= use.has_duration;
    if (is_entry_struct(name->type) && !objects.contains(name)) {
      use.is_used = true;
      for (const auto &member : name->type->struct_def->members) add_words(words, member);
    }
  });
  use.words.assign(words.begin(), words.end());
  return use;
}

llvm::Value *Lowering::entry_key(bool is_at_exit) {
  llvm::Value *key = stack_words(e_, kKeySize / 8, "entry.key");
  llvm::Value *frame = e_.i64(0);
  if (is_tracing()) {
    // Both programs of a call get the same context, on its stack.
    frame = b().CreatePtrToInt(ctx_, b().getInt64Ty());
  } else if (family() != ProbeFamily::kSyscall) {
    frame = context_register("sp");
    if (!is_at_exit) frame = b().CreateAdd(frame, e_.i64(kReturnPops));
  }
  b().CreateAlignedStore(e_.call(Helper::kGetCurrentPidTgid, {}), key, llvm::Align(8));
  b().CreateAlignedStore(frame, at(key, 8), llvm::Align(8));
  return key;
}

void Lowering::emit_entry_program(ProgramKind kind,
                                  const std::vector<const frontend::ProbeSpec *> &probes,
                                  const EntryUse &use) {
  bool is_syscall = kind != ProgramKind::kPlain;
  kind_ = is_syscall ? ProgramKind::kSyscallEnter : kind;
  Span span = probes.front()->attach_point->span;
  begin_described_program(probes, span, /*is_entry=*/true);
  emit_filters();
  e_.end_predicate();
  // After what it is made for: the program that follows.
  entries_ = e_.entries_map(program_count_, static_cast<uint32_t>(use.words.size()), !is_syscall);
  keep_entry(use);
  e_.end_program();
  kind_ = kind;
}

// In the map.
void Lowering::keep_entry(const EntryUse &use) {
  Span span = info_->probes.front().attach_point->span;
  llvm::Value *key = entry_key(false);
  uint32_t count = static_cast<uint32_t>(use.words.size()) + 1;
  llvm::Value *value = stack_words(e_, count, "entry.value");
  for (uint32_t i = 0; i < use.words.size(); ++i) {
    b().CreateAlignedStore(context_argument(use.words[i], info_->clause->span),
                           at(value, 8 * (i + 1)), llvm::Align(8));
  }
  b().CreateAlignedStore(e_.call(Helper::kKtimeGetBootNs, {}), value, llvm::Align(8));
  llvm::Value *result = e_.map_update(entries_, key, value, kUpdateAny);
  e_.count_if_failed(result, "keeping an entry", span, true);
}

// At the start of the exit's program: what it does at an entry, where it is a session. A run at an
// entry that gives 1 has no exit.
void Lowering::begin_session(const EntryUse &use) {
  is_session_ = nullptr;
  if (family() != ProbeFamily::kKretprobe && family() != ProbeFamily::kUretprobe) return;
  is_session_ = e_.is_session();
  if_then(is_session_, [&] {
    llvm::Value *is_return =
        b().CreateTrunc(e_.session_call(object::kSessionIsReturn), b().getInt1Ty());
    if_then(b().CreateNot(is_return), [&] {
      e_.set_default_return(1);
      emit_filters();
      e_.set_default_return(0);
      if (use.fits_cookie()) {
        llvm::Value *word = use.words.empty() ? e_.call(Helper::kKtimeGetBootNs, {})
                                              : context_argument(use.words[0], info_->clause->span);
        b().CreateAlignedStore(word, pointer(e_.session_call(object::kSessionCookie)),
                               llvm::Align(8));
      } else {
        keep_entry(use);
      }
      leave();
    });
  });
}

// Then, at the exit: takes the entry from where it is kept.
void Lowering::take_entry(const EntryUse &use) {
  llvm::Value *now = e_.call(Helper::kKtimeGetBootNs, {});
  llvm::BasicBlock *done = e_.new_block("entry.known");
  std::vector<llvm::PHINode *> values;
  llvm::IRBuilder<> at_end(done);
  for (size_t i = 0; i <= use.words.size(); ++i)
    values.push_back(at_end.CreatePHI(b().getInt64Ty(), 3, "entry.word"));
  auto go_on_with = [&](const std::vector<llvm::Value *> &words) {
    for (size_t i = 0; i < values.size(); ++i)
      values[i]->addIncoming(words[i], b().GetInsertBlock());
    b().CreateBr(done);
  };
  if (is_session_ && use.fits_cookie()) {
    llvm::BasicBlock *in_map = e_.new_block("entry.in_map"),
                     *in_cookie = e_.new_block("entry.in_cookie");
    b().CreateCondBr(is_session_, in_cookie, in_map);
    b().SetInsertPoint(in_cookie);
    llvm::Value *word = b().CreateAlignedLoad(
        b().getInt64Ty(), pointer(e_.session_call(object::kSessionCookie)), llvm::Align(8));
    go_on_with(use.words.empty() ? std::vector<llvm::Value *>{b().CreateSub(now, word)}
                                 : std::vector<llvm::Value *>{e_.i64(0), word});
    b().SetInsertPoint(in_map);
  }
  take_from_map(use, now, go_on_with);
  b().SetInsertPoint(done);
  entry_values_.assign(values.begin(), values.end());
  entry_use_ = use;
}

// Calls `go_on_with` twice: with what was found, and with what there is where nothing was.
void Lowering::take_from_map(
    const EntryUse &use, llvm::Value *now,
    const std::function<void(const std::vector<llvm::Value *> &words)> &go_on_with) {
  llvm::Value *key = entry_key(true);
  llvm::Value *entry = e_.map_lookup(entries_, key);
  llvm::BasicBlock *found = e_.new_block("entry.seen"), *missed = e_.new_block("entry.missed");
  b().CreateCondBr(b().CreateIsNull(entry), missed, found);

  b().SetInsertPoint(found);
  auto word = [&](uint64_t index) {
    return b().CreateAlignedLoad(b().getInt64Ty(), at(entry, index * 8), llvm::Align(8));
  };
  std::vector<llvm::Value *> seen{b().CreateSub(now, word(0))};
  for (size_t i = 0; i < use.words.size(); ++i) seen.push_back(word(i + 1));
  e_.map_delete(entries_, key);
  go_on_with(seen);

  b().SetInsertPoint(missed);
  bool is_syscall = family() == ProbeFamily::kSyscall;
  std::vector<llvm::Value *> unseen{e_.i64(0)};
  for (uint32_t index : use.words) {
    // The registers of system calls are kept until the exit, but for those of execve and sigreturn.
    unseen.push_back(is_syscall ? context_argument(index, info_->clause->span) : e_.i64(0));
  }
  // A call that was under way before it could be traced is no loss; for functions the kernel
  // notices the exit only where it has seen the entry.
  if (!is_syscall) {
    Span span = info_->probes.front().attach_point->span;
    e_.count_error(e_.error_site("finding the entry of a return", span, true), nullptr);
  }
  go_on_with(unseen);
}

llvm::Value *Lowering::entry_duration() { return entry_values_.at(0); }

llvm::Value *Lowering::entry_word(const StructDef::Member &member) {
  for (size_t i = 0; i < entry_use_.words.size(); ++i) {
    if (entry_use_.words[i] == word_of(member)) return entry_values_.at(i + 1);
  }
  assert(false && "find_entry_use sees every use");
  return e_.i64(0);
}

}  // namespace awl::codegen
