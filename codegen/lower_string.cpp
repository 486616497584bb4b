// Strings: NUL-terminated bytes in memory of a known size, zero after the NUL.
#include <llvm/IR/Constants.h>
#include <llvm/IR/Operator.h>

#include <algorithm>
#include <bit>

#include "codegen/lower.h"

namespace awl::codegen {

namespace {

// Loops over words above this size, else straight code.
constexpr uint64_t kUnrolledBytes = 128;

// Comparisons of single bytes up to which a search is a loop of the program itself.
constexpr uint64_t kSmallSearch = 1024;
constexpr uint32_t kSearchStep = 16;
// The verifier follows a loop through 8,192 jumps (BPF_COMPLEXITY_LIMIT_JMP_SEQ), all others on the
// way among them.
constexpr uint64_t kMostRounds = 2048;

}  // namespace

// What is known of a pointer's alignment, at most 8: it may lie some bytes into memory of ours.
uint64_t Lowering::known_alignment(llvm::Value *pointer) const {
  const llvm::DataLayout &layout = e_.module().getDataLayout();
  llvm::APInt offset(64, 0);
  while (!aligned_.count(pointer) && pointer->getPointerAlignment(layout).value() < 8) {
    auto *step = llvm::dyn_cast<llvm::GEPOperator>(pointer);
    if (!step || !step->accumulateConstantOffset(layout, offset)) return 1;
    pointer = step->getPointerOperand();
  }
  return offset.isZero() ? 8
                         : std::min<uint64_t>(8, 1ULL << std::countr_zero(offset.getZExtValue()));
}

llvm::Value *Lowering::literal(const std::string &text, uint32_t size) {
  return e_.rodata_bytes(text.substr(0, size ? size - 1 : 0), size);
}

void Lowering::copy_string(llvm::Value *to, uint32_t to_size, llvm::Value *from,
                           uint32_t from_size) {
  if (to_size > from_size) {
    zero(at(to, from_size), to_size - from_size);
    copy(to, from, from_size);
    return;
  }
  copy(to, from, to_size);
  if (to_size < from_size) b().CreateAlignedStore(e_.i8(0), at(to, to_size - 1), llvm::Align(1));
}

void Lowering::walk_memory(
    uint64_t rounds, const Pointers &pointers,
    const std::function<llvm::Value *(llvm::Value *, const Pointers &)> &body) {
  if (rounds > kMostRounds) return callback_loop(static_cast<uint32_t>(rounds), pointers, body);
  count_loop(e_.i64(static_cast<int64_t>(rounds)),
             [&](llvm::Value *i) { return body(i, pointers); });
}

llvm::Value *Lowering::equal_bytes(llvm::Value *left, llvm::Value *right, uint64_t size) {
  uint64_t widest = std::min(known_alignment(left), known_alignment(right));
  if (size == 0) return b().getTrue();
  if (size <= kUnrolledBytes * widest / 8) {
    // The differences of all words, or-ed: no branches for the verifier to follow.
    llvm::Value *difference = e_.i64(0);
    for (uint64_t offset = 0; offset < size;) {
      uint64_t width = widest;
      while (width > size - offset || offset % width) width /= 2;
      llvm::Type *word = b().getIntNTy(width * 8);
      llvm::Value *a = b().CreateAlignedLoad(word, at(left, offset), llvm::Align(width));
      llvm::Value *c = b().CreateAlignedLoad(word, at(right, offset), llvm::Align(width));
      difference = b().CreateOr(difference, b().CreateZExt(b().CreateXor(a, c), b().getInt64Ty()));
      offset += width;
    }
    return b().CreateICmpEQ(difference, e_.i64(0));
  }
  uint64_t width = widest;
  while (size % width) width /= 2;
  llvm::Type *word = b().getIntNTy(width * 8);
  llvm::Value *slot = temporary(8);
  b().CreateAlignedStore(e_.i64(1), slot, llvm::Align(8));
  walk_memory(size / width, {left, right, slot}, [&](llvm::Value *i, const Pointers &shared) {
    llvm::Value *a =
        b().CreateAlignedLoad(word, b().CreateGEP(word, shared[0], i), llvm::Align(width));
    llvm::Value *c =
        b().CreateAlignedLoad(word, b().CreateGEP(word, shared[1], i), llvm::Align(width));
    llvm::Value *same = b().CreateICmpEQ(a, c);
    b().CreateAlignedStore(b().CreateZExt(same, b().getInt64Ty()), shared[2], llvm::Align(8));
    return same;
  });
  return b().CreateICmpNE(b().CreateAlignedLoad(b().getInt64Ty(), slot, llvm::Align(8)), e_.i64(0));
}

llvm::Value *Lowering::equal_strings(llvm::Value *left, uint32_t left_size, llvm::Value *right,
                                     uint32_t right_size) {
  // Both are zero after the NUL: equal in the shorter size is equal, if the longer ends there.
  llvm::Value *result = equal_bytes(left, right, std::min(left_size, right_size));
  if (left_size == right_size) return result;
  llvm::Value *next = left_size > right_size ? at(left, right_size) : at(right, left_size);
  llvm::Value *ends =
      b().CreateICmpEQ(b().CreateAlignedLoad(b().getInt8Ty(), next, llvm::Align(1)), e_.i8(0));
  return b().CreateAnd(result, ends);
}

llvm::Value *Lowering::equal_to_text(llvm::Value *string, uint32_t size, const std::string &text) {
  std::string wanted = text.substr(0, text.find('\0'));
  if (wanted.size() + 1 > size) return b().getFalse();
  uint32_t bytes = static_cast<uint32_t>(wanted.size() + 1);
  return equal_bytes(string, literal(wanted, bytes), bytes);
}

llvm::Value *Lowering::compare_strings(ast::Expr &left, ast::Expr &right, uint64_t limit) {
  llvm::Value *first = value(left);
  uint64_t bytes = std::min({limit, uint64_t{left.type->size}, uint64_t{right.type->size}});
  return compare_memory(first, value(right), bytes, true);
}

llvm::Value *Lowering::load_byte(llvm::Value *pointer, llvm::Value *index) {
  llvm::Type *byte = b().getInt8Ty();
  return b().CreateZExt(b().CreateLoad(byte, b().CreateGEP(byte, pointer, index)),
                        b().getInt64Ty());
}

llvm::Value *Lowering::compare_memory(llvm::Value *left, llvm::Value *right, uint64_t size,
                                      bool ends_at_nul, llvm::Value *limit) {
  llvm::Value *slot = temporary(8);
  left = opaque(left), right = opaque(right);  // see place()
  b().CreateAlignedStore(e_.i64(0), slot, llvm::Align(8));
  Pointers pointers{left, right, slot};
  if (limit) {
    pointers.push_back(temporary(8));
    b().CreateAlignedStore(limit, pointers.back(), llvm::Align(8));
  }
  walk_memory(size, pointers, [&](llvm::Value *i, const Pointers &shared) {
    llvm::Value *a = load_byte(shared[0], i);
    llvm::Value *difference = b().CreateSub(a, load_byte(shared[1], i));
    if (limit) {
      llvm::Value *most = b().CreateAlignedLoad(b().getInt64Ty(), shared[3], llvm::Align(8));
      llvm::Value *counts = b().CreateSExt(b().CreateICmpULT(i, most), b().getInt64Ty());
      difference = b().CreateAnd(difference, counts);
    }
    b().CreateAlignedStore(difference, shared[2], llvm::Align(8));
    llvm::Value *goes_on = b().CreateICmpEQ(difference, e_.i64(0));
    return ends_at_nul ? b().CreateAnd(goes_on, b().CreateICmpNE(a, e_.i64(0))) : goes_on;
  });
  return b().CreateAlignedLoad(b().getInt64Ty(), slot, llvm::Align(8));
}

// Whether all of `wanted` up to its NUL stands in `text` from `start` on, as i1. `text` has room
// for `start` and all of `wanted`. Bytes are compared without branches, kSearchStep at a time: the
// verifier keeps a state for each branch of a loop that it walks, and there are many rounds.
llvm::Value *Lowering::stands_at(llvm::Value *text, llvm::Value *start, llvm::Value *wanted,
                                 uint32_t wanted_size) {
  llvm::Value *difference = e_.i64(0), *has_ended = e_.i64(0);  // has_ended is 0 or 1
  llvm::Value *from = b().CreateGEP(b().getInt8Ty(), text, start);
  auto compare = [&](llvm::Value *position) {
    llvm::Value *w = opaque(load_byte(wanted, position));
    llvm::Value *t = load_byte(from, position);
    has_ended = b().CreateOr(has_ended, b().CreateLShr(b().CreateSub(w, e_.i64(1)), 63));
    llvm::Value *counts = b().CreateSub(has_ended, e_.i64(1));  // all ones, or zero
    difference = b().CreateOr(difference, b().CreateAnd(b().CreateXor(t, w), counts));
  };
  uint32_t steps = wanted_size / kSearchStep;
  llvm::Value *differs = temporary(8), *ended = temporary(8);
  if (steps > 0) {
    b().CreateAlignedStore(difference, differs, llvm::Align(8));
    b().CreateAlignedStore(has_ended, ended, llvm::Align(8));
    count_loop(e_.i64(steps), [&](llvm::Value *step) -> llvm::Value * {
      difference = b().CreateAlignedLoad(b().getInt64Ty(), differs, llvm::Align(8));
      has_ended = b().CreateAlignedLoad(b().getInt64Ty(), ended, llvm::Align(8));
      llvm::Value *first = b().CreateMul(step, e_.i64(kSearchStep));
      for (uint32_t i = 0; i < kSearchStep; i++) compare(b().CreateAdd(first, e_.i64(i)));
      b().CreateAlignedStore(difference, differs, llvm::Align(8));
      b().CreateAlignedStore(has_ended, ended, llvm::Align(8));
      return b().CreateICmpEQ(b().CreateOr(difference, has_ended), e_.i64(0));
    });
    difference = b().CreateAlignedLoad(b().getInt64Ty(), differs, llvm::Align(8));
    has_ended = b().CreateAlignedLoad(b().getInt64Ty(), ended, llvm::Align(8));
  }
  for (uint32_t i = steps * kSearchStep; i < wanted_size; i++) compare(e_.i64(i));
  return b().CreateICmpEQ(difference, e_.i64(0));
}

llvm::Value *Lowering::find_string(llvm::Value *text, uint32_t text_size, llvm::Value *wanted,
                                   uint32_t wanted_size) {
  llvm::Value *result = temporary(8);
  b().CreateAlignedStore(e_.i64(-1), result, llvm::Align(8));
  llvm::Value *padded = temporary(text_size + wanted_size);
  zero(padded, text_size + wanted_size);
  copy(padded, text, text_size);
  text = padded;
  auto visit = [&](llvm::Value *start, llvm::Value *string, llvm::Value *part,
                   llvm::Value *found_at) {
    llvm::Value *found = stands_at(string, start, part, wanted_size);
    if_then(found, [&] { b().CreateAlignedStore(start, found_at, llvm::Align(8)); });
    return b().CreateAnd(b().CreateNot(found),
                         b().CreateICmpNE(load_byte(string, start), e_.i64(0)));
  };
  if (text_size * wanted_size <= kSmallSearch) {
    text = opaque(text), wanted = opaque(wanted);
    count_loop(e_.i64(text_size),
               [&](llvm::Value *start) { return visit(start, text, wanted, result); });
  } else {
    // As a callback: the verifier keeps a state for every branch of a loop that it walks.
    callback_loop(text_size, {text, wanted, result},
                  [&](llvm::Value *start, const std::vector<llvm::Value *> &shared) {
                    return visit(start, opaque(shared[0]), opaque(shared[1]), shared[2]);
                  });
  }
  return b().CreateAlignedLoad(b().getInt64Ty(), result, llvm::Align(8));
}

llvm::Value *Lowering::string_length(llvm::Value *string, uint32_t size) {
  llvm::Value *slot = temporary(8);
  string = opaque(string);
  b().CreateAlignedStore(e_.i64(0), slot, llvm::Align(8));
  walk_memory(size, {string, slot}, [&](llvm::Value *i, const Pointers &shared) {
    llvm::Type *byte = b().getInt8Ty();
    llvm::Value *x = b().CreateLoad(byte, b().CreateGEP(byte, shared[0], i));
    b().CreateAlignedStore(i, shared[1], llvm::Align(8));
    return b().CreateICmpNE(x, e_.i8(0));
  });
  return b().CreateAlignedLoad(b().getInt64Ty(), slot, llvm::Align(8));
}

}  // namespace awl::codegen
