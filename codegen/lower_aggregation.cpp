// Aggregations: one lookup and an update in place. Values are per CPU, or shared and then
// updated with atomic additions; which is decided by the Emitter where it defines the map.
#include <llvm/IR/Constants.h>
#include <llvm/IR/InlineAsm.h>

#include <cassert>

#include "codegen/lower.h"
#include "runtime/object/histogram.h"
#include "runtime/object/tseries.h"

namespace awl::codegen {

namespace {

const llvm::Align kWord(8);

bool is_per_cpu(const object::Map &map) {
  return map.type == object::MapType::kPercpuHash || map.type == object::MapType::kPercpuArray ||
         map.type == object::MapType::kPercpuLruHash;
}

}  // namespace

llvm::Value *Lowering::opaque(llvm::Value *value) {
  auto *type = llvm::FunctionType::get(value->getType(), {value->getType()}, false);
  return b().CreateCall(type, llvm::InlineAsm::get(type, "", "=r,0", /*hasSideEffects=*/false),
                        {value});
}

llvm::Value *Lowering::detached(llvm::Value *value) {
  auto *type = llvm::FunctionType::get(value->getType(), {value->getType()}, false);
  return b().CreateCall(
      type, llvm::InlineAsm::get(type, "$0 |= 0", "=r,0", /*hasSideEffects=*/false), {value});
}

llvm::Value *Lowering::bounded(llvm::Value *value, uint64_t most) {
  llvm::Value *hidden = detached(value);
  llvm::Value *limit = e_.i64(static_cast<int64_t>(most));
  return b().CreateSelect(b().CreateICmpULT(hidden, limit), hidden, limit);
}

void Lowering::aggregate(const MapInfo &info, ast::Expr *key, ast::Call &call, Span span) {
  // hist and lhist: all but the first argument are constants that the type tells.
  llvm::Value *input = call.arguments.empty() ? nullptr : value(*call.arguments[0]);
  Operands operands = with_counter({{"key", map_key(info, key)}}, update_counter(info, span));
  if (input) operands.emplace_back("number", input);
  map_operation(info, &MapUses::writes, "aggregate", operands, [&](const Values &values) {
    e_.with_map_value(info, values[0], counter_of(values, 1), [&](llvm::Value *pointer) {
      aligned_.insert(pointer);
      update_aggregation(info, pointer, input ? values.back() : e_.i64(1));
    });
    return e_.i64(0);
  });
}

void Lowering::add_to(const MapInfo &info, llvm::Value *pointer, llvm::Value *amount) {
  if (is_per_cpu(e_.map_description(info))) {
    llvm::Value *old = b().CreateAlignedLoad(b().getInt64Ty(), pointer, kWord);
    b().CreateAlignedStore(b().CreateAdd(old, amount), pointer, kWord);
  } else {
    b().CreateAtomicRMW(llvm::AtomicRMWInst::Add, pointer, amount, llvm::MaybeAlign(8),
                        llvm::AtomicOrdering::Monotonic);
  }
}

void Lowering::update_aggregation(const MapInfo &info, llvm::Value *pointer, llvm::Value *input) {
  llvm::Type *word = b().getInt64Ty();
  const frontend::AggregationParameters &parameters = info.value->parameters;
  switch (info.value->kind) {
    case TypeKind::kCount:
      return add_to(info, pointer, e_.i64(1));
    case TypeKind::kSum:
      return add_to(info, pointer, input);
    case TypeKind::kAvg:
    case TypeKind::kStats:
      add_to(info, pointer, input);
      return add_to(info, at(pointer, 8), e_.i64(1));
    case TypeKind::kMin:
    case TypeKind::kMax: {
      llvm::Value *old = b().CreateAlignedLoad(word, pointer, kWord);
      llvm::Value *is_set = b().CreateAlignedLoad(word, at(pointer, 8), kWord);
      bool is_min = info.value->kind == TypeKind::kMin;
      llvm::Value *is_better = is_min ? (info.value->is_signed ? b().CreateICmpSLT(input, old)
                                                               : b().CreateICmpULT(input, old))
                                      : (info.value->is_signed ? b().CreateICmpSGT(input, old)
                                                               : b().CreateICmpUGT(input, old));
      if_then(b().CreateOr(is_better, b().CreateICmpEQ(is_set, e_.i64(0))), [&] {
        b().CreateAlignedStore(input, pointer, kWord);
        b().CreateAlignedStore(e_.i64(1), at(pointer, 8), kWord);
      });
      return;
    }
    case TypeKind::kHist: {
      llvm::Value *bucket = bounded(hist_bucket(input, parameters.bits),
                                    object::hist_bucket_count(parameters.bits) - 1);
      return add_to(info, b().CreateGEP(word, pointer, bucket), e_.i64(1));
    }
    case TypeKind::kLhist: {
      uint32_t count = object::lhist_bucket_count(parameters.min, parameters.max, parameters.step);
      llvm::Value *bucket = bounded(lhist_bucket(input, parameters), count - 1);
      return add_to(info, b().CreateGEP(word, pointer, bucket), e_.i64(1));
    }
    case TypeKind::kTseries:
      return update_series(info, pointer, input);
    default:
      assert(false && "not an aggregation that is lowered here");
  }
}

// The slot of the interval that is now: taken over when an older one lies there. Without branches,
// as in highest_bit().
void Lowering::update_series(const MapInfo &info, llvm::Value *pointer, llvm::Value *input) {
  llvm::Type *word = b().getInt64Ty();
  const frontend::AggregationParameters &parameters = info.value->parameters;
  llvm::Value *now = b().CreateAdd(e_.call(Helper::kKtimeGetBootNs, {}),
                                   e_.load_variable(object::kWallClockVariable));
  llvm::Value *interval = b().CreateUDiv(now, e_.i64(parameters.interval_ns));
  llvm::Value *index = bounded(b().CreateURem(interval, e_.i64(parameters.intervals)),
                               static_cast<uint64_t>(parameters.intervals) - 1);
  llvm::Value *offset = b().CreateMul(index, e_.i64(sizeof(object::SeriesSlot)));
  llvm::Value *slot = b().CreateGEP(b().getInt8Ty(), pointer, offset);
  llvm::Value *number = b().CreateAdd(interval, e_.i64(1));
  llvm::Value *is_new = b().CreateICmpNE(b().CreateAlignedLoad(word, slot, kWord), number);
  llvm::Value *old = b().CreateAlignedLoad(word, at(slot, 8), kWord);
  llvm::Value *extra = b().CreateAlignedLoad(word, at(slot, 16), kWord);
  llvm::Value *value = input;
  if (parameters.function == "sum" || parameters.function == "avg") {
    value = b().CreateAdd(b().CreateSelect(is_new, e_.i64(0), old), input);
    extra = b().CreateAdd(b().CreateSelect(is_new, e_.i64(0), extra), e_.i64(1));
  } else if (parameters.function.empty()) {
    extra = now;
  } else {
    bool is_signed = info.value->is_signed, is_min = parameters.function == "min";
    llvm::CmpInst::Predicate less = is_signed ? llvm::CmpInst::ICMP_SLT : llvm::CmpInst::ICMP_ULT;
    llvm::Value *is_better =
        is_min ? b().CreateICmp(less, input, old) : b().CreateICmp(less, old, input);
    value = b().CreateSelect(b().CreateOr(is_new, is_better), input, old);
  }
  b().CreateAlignedStore(number, slot, kWord);
  b().CreateAlignedStore(value, at(slot, 8), kWord);
  b().CreateAlignedStore(extra, at(slot, 16), kWord);
}

// Index of the highest bit of a value that is not zero; 0 for 0 and 1. Without branches: the bucket
// becomes an offset, which the verifier follows exactly, so that every branch here would double the
// states of the rest of the program.
llvm::Value *Lowering::highest_bit(llvm::Value *value) {
  llvm::Value *result = e_.i64(0);
  for (int log = 5; log >= 0; log--) {
    llvm::Value *upper = opaque(b().CreateLShr(value, 1 << log));
    // 1 when there are bits in the upper half: minus something below 2^63 is negative.
    llvm::Value *has_upper = b().CreateLShr(b().CreateNeg(upper), 63);
    llvm::Value *shift = b().CreateShl(has_upper, log);
    value = b().CreateLShr(value, shift);
    result = b().CreateOr(result, shift);
  }
  return result;
}

llvm::Value *Lowering::hist_bucket(llvm::Value *input, int64_t bits) {
  const std::string name = "awl_hist_bucket" + (bits == 0 ? "" : "_" + std::to_string(bits));
  llvm::Function *function = shared_function(name, {"number"}, [&](llvm::Function *callee) {
    e_.emit_return(compute_hist_bucket(callee->getArg(0), bits));
  });
  return b().CreateCall(function, {input});
}

llvm::Value *Lowering::compute_hist_bucket(llvm::Value *input, int64_t bits) {
  llvm::Value *is_negative = opaque(b().CreateAShr(input, 63));  // all ones, or zero
  llvm::Value *bucket;
  if (bits == 0) {
    // The highest bit of 2n + 1 is 0 for n = 0, and one more than that of n for the others.
    llvm::Value *twice = b().CreateOr(b().CreateShl(input, 1), e_.i64(1));
    bucket = b().CreateAdd(highest_bit(twice), e_.i64(1));
  } else {
    llvm::Value *small = b().CreateAdd(input, e_.i64(1));
    llvm::Value *highest = highest_bit(input);
    llvm::Value *shift = b().CreateAnd(b().CreateSub(highest, e_.i64(bits)), e_.i64(63));
    llvm::Value *group = b().CreateShl(b().CreateAdd(shift, e_.i64(1)), bits);
    llvm::Value *within = b().CreateAnd(b().CreateLShr(input, shift), e_.i64((1 << bits) - 1));
    llvm::Value *large = b().CreateAdd(b().CreateAdd(group, within), e_.i64(1));
    bucket = b().CreateSelect(b().CreateICmpULT(input, e_.i64(1LL << bits)), small, large);
  }
  return b().CreateAnd(bucket, b().CreateNot(is_negative));
}

llvm::Value *Lowering::lhist_bucket(llvm::Value *input,
                                    const frontend::AggregationParameters &parameters) {
  llvm::Value *last =
      e_.i64(object::lhist_bucket_count(parameters.min, parameters.max, parameters.step) - 1);
  llvm::Value *step = e_.i64(parameters.step);
  llvm::Value *within = b().CreateUDiv(b().CreateSub(input, e_.i64(parameters.min)), step);
  llvm::Value *bucket = b().CreateAdd(within, e_.i64(1));
  bucket = b().CreateSelect(b().CreateICmpSGE(input, e_.i64(parameters.max)), last, bucket);
  return b().CreateSelect(b().CreateICmpSLT(input, e_.i64(parameters.min)), e_.i64(0), bucket);
}

void Lowering::for_each_cpu(const MapInfo &info, llvm::Value *key,
                            const std::function<void(llvm::Value *)> &body) {
  llvm::GlobalVariable *map = e_.map(info);
  auto visit = [&](llvm::Value *pointer) {
    aligned_.insert(pointer);
    if_then(b().CreateIsNotNull(pointer), [&] { body(pointer); });
  };
  if (!is_per_cpu(e_.map_description(info))) return visit(e_.map_lookup(map, key));
  if (!key) {
    llvm::Value *zero_key = temporary(8);
    b().CreateAlignedStore(e_.i64(0), zero_key, kWord);
    key = zero_key;
  }
  llvm::BasicBlock *others = e_.new_block("cpus"), *own = e_.new_block("own_cpu"),
                   *done = e_.new_block("cpus.done");
  // bpf_map_lookup_percpu_elem came with 5.19; before it, this CPU's value has to do.
  b().CreateCondBr(e_.core_helper_exists(Helper::kMapLookupPercpu), others, own);
  b().SetInsertPoint(own);
  visit(e_.map_lookup(map, key));
  jump(done);
  b().SetInsertPoint(others);
  count_loop(e_.load_variable(object::kCpuCountVariable, 1),
             [&](llvm::Value *cpu) -> llvm::Value * {
               llvm::Value *number = b().CreateTrunc(cpu, b().getInt32Ty());
               visit(e_.call(Helper::kMapLookupPercpu, {map, key, number}));
               return nullptr;
             });
  jump(done);
  b().SetInsertPoint(done);
}

// Sums, or takes the extreme of, what all CPUs have; two words at `to`.
void Lowering::combine_cpus(const MapInfo &info, llvm::Value *key, llvm::Value *to) {
  llvm::Type *word = b().getInt64Ty();
  TypeKind kind = info.value->kind;
  bool has_second = info.value->size > 8;
  b().CreateAlignedStore(e_.i64(0), to, kWord);
  if (has_second) b().CreateAlignedStore(e_.i64(0), at(to, 8), kWord);
  for_each_cpu(info, key, [&](llvm::Value *pointer) {
    llvm::Value *first = b().CreateAlignedLoad(word, pointer, kWord);
    llvm::Value *sum = b().CreateAlignedLoad(word, to, kWord);
    if (kind != TypeKind::kMin && kind != TypeKind::kMax) {
      b().CreateAlignedStore(b().CreateAdd(sum, first), to, kWord);
      if (!has_second) return;
      llvm::Value *second = b().CreateAlignedLoad(word, at(pointer, 8), kWord);
      llvm::Value *count = b().CreateAlignedLoad(word, at(to, 8), kWord);
      b().CreateAlignedStore(b().CreateAdd(count, second), at(to, 8), kWord);
      return;
    }
    llvm::Value *is_set = b().CreateAlignedLoad(word, at(pointer, 8), kWord);
    if_then(b().CreateICmpNE(is_set, e_.i64(0)), [&] {
      llvm::Value *has_one = b().CreateAlignedLoad(word, at(to, 8), kWord);
      bool is_signed = info.value->is_signed, is_min = kind == TypeKind::kMin;
      llvm::CmpInst::Predicate less = is_signed ? llvm::CmpInst::ICMP_SLT : llvm::CmpInst::ICMP_ULT;
      llvm::Value *is_better =
          is_min ? b().CreateICmp(less, first, sum) : b().CreateICmp(less, sum, first);
      if_then(b().CreateOr(is_better, b().CreateICmpEQ(has_one, e_.i64(0))), [&] {
        b().CreateAlignedStore(first, to, kWord);
        b().CreateAlignedStore(e_.i64(1), at(to, 8), kWord);
      });
    });
  });
}

llvm::Value *Lowering::read_aggregation(const MapInfo &info, llvm::Value *key) {
  assert(info.value->is_integer_aggregation() || info.value->kind == TypeKind::kStats);
  llvm::Value *memory = temporary(16);
  combine_cpus(info, key, memory);
  llvm::Value *first = b().CreateAlignedLoad(b().getInt64Ty(), memory, kWord);
  if (info.value->kind != TypeKind::kAvg && info.value->kind != TypeKind::kStats) return first;
  llvm::Value *count = b().CreateAlignedLoad(b().getInt64Ty(), at(memory, 8), kWord);
  // Nothing averaged yet is 0, and no error.
  llvm::Value *divisor = b().CreateSelect(b().CreateICmpEQ(count, e_.i64(0)), e_.i64(1), count);
  return average(first, divisor, info.value->is_signed);
}

llvm::Value *Lowering::average(llvm::Value *total, llvm::Value *count, bool is_signed) {
  if (!is_signed) return b().CreateUDiv(total, count);
  llvm::Value *is_negative = b().CreateICmpSLT(total, e_.i64(0));
  llvm::Value *magnitude = b().CreateSelect(is_negative, b().CreateNeg(total), total);
  llvm::Value *quotient = b().CreateUDiv(magnitude, count);
  return b().CreateSelect(is_negative, b().CreateNeg(quotient), quotient);
}

llvm::Value *Lowering::copy_aggregation(const MapInfo &info, llvm::Value *key, llvm::Value *to) {
  llvm::Value *memory = temporary(info.value, to);
  if (info.value->size <= 16) {
    combine_cpus(info, key, memory);
    return memory;
  }
  // Histograms with keys are shared by the CPUs.
  zero(memory, info.value->size);
  llvm::Value *found = find_map(info, key);
  if_then(b().CreateIsNotNull(found), [&] { copy(memory, found, info.value->size); });
  return memory;
}

}  // namespace awl::codegen
