// Records in the rings, and the counters of what could not be sent or done.
//
// A record is filled in where it will be read: reserved in the ring, submitted when complete. A
// control record goes into a ring of its own, so that a flood of output cannot displace it; it
// carries how far the output ring was written when it was made, which gives both an order.
//
// The counters are small functions in .text rather than code at every place that may fail: those
// places are many, the failures few.
#include <linux/bpf.h>

#include <cassert>

#include "codegen/emitter_state.h"

namespace awl::codegen {
namespace {

constexpr uint32_t kRuntimeErrorSite = sizeof(object::ControlHeader);
constexpr uint32_t kRuntimeErrorResult = kRuntimeErrorSite + 8;
constexpr uint32_t kRuntimeErrorSize = kRuntimeErrorResult + 8;

object::Field integer_field(uint32_t offset, uint32_t size, bool is_signed) {
  object::ValueType type;
  type.kind = object::ValueKind::kInteger;
  type.size = size;
  type.is_signed = is_signed;
  return {"", offset, 0, 0, {type}};
}

llvm::Value *field_at(llvm::IRBuilder<> &b, llvm::Value *record, uint32_t offset) {
  return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), record, offset);
}

// RecordHeader in one store: event in the low half, program in the high one.
void store_header(llvm::IRBuilder<> &b, llvm::Value *record, uint32_t event, llvm::Value *program) {
  llvm::Value *header = b.CreateOr(b.CreateShl(program, 32), b.getInt64(event));
  b.CreateAlignedStore(header, record, llvm::Align(8));
}

// values[index] += 1 in a per-CPU array. Atomic: the counters are exact even where programs nest.
void increment(Emitter &emitter, llvm::GlobalVariable *map, llvm::Value *index) {
  llvm::IRBuilder<> &b = emitter.b();
  llvm::Value *key = emitter.allocate(4, 4, "key");
  b.CreateAlignedStore(b.CreateTrunc(index, b.getInt32Ty()), key, llvm::Align(4));
  llvm::Value *counter = emitter.map_lookup(map, key);
  llvm::BasicBlock *found = emitter.new_block("counter");
  llvm::BasicBlock *done = emitter.new_block("counted");
  b.CreateCondBr(b.CreateIsNull(counter), done, found);
  b.SetInsertPoint(found);
  b.CreateAtomicRMW(llvm::AtomicRMWInst::Add, counter, emitter.i64(1), llvm::MaybeAlign(8),
                    llvm::AtomicOrdering::Monotonic);
  b.CreateBr(done);
  b.SetInsertPoint(done);
}

}  // namespace

uint32_t Emitter::add_event(object::Event event) {
  s_->description.events.push_back(std::move(event));
  return static_cast<uint32_t>(s_->description.events.size() - 1);
}

bool Emitter::reports_errors() const { return s_->options.report_read_errors; }

// u64 awl_count_lost(u64 program)
llvm::Function *Emitter::State::count_lost(Emitter &emitter) {
  if (!count_lost_function) {
    count_lost_function = emitter.begin_callback("awl_count_lost", {"program"}, frame().span);
    increment(emitter, own_map(object::kLostMap), count_lost_function->getArg(0));
    emitter.end_callback();
  }
  return count_lost_function;
}

// u64 awl_count_error(u64 site, u64 result, u64 program); sends a record with -k.
llvm::Function *Emitter::State::count_error(Emitter &emitter) {
  if (count_error_function) return count_error_function;
  llvm::Function *function =
      emitter.begin_callback("awl_count_error", {"site", "result", "program"}, frame().span);
  count_error_function = function;
  increment(emitter, own_map(object::kErrorMap), function->getArg(0));
  if (options.report_read_errors) {
    object::Event event;
    event.kind = object::EventKind::kRuntimeError;
    event.size = kRuntimeErrorSize;
    event.arguments = {integer_field(kRuntimeErrorSite, 4, false),
                       integer_field(kRuntimeErrorResult, 8, true)};
    uint32_t index = emitter.add_event(std::move(event));
    // A flood of them must not take the place of what has to be acted on: they get half of the
    // ring, and are counted in any case.
    llvm::BasicBlock *enough = emitter.new_block("enough"), *done = nullptr;
    llvm::BasicBlock *report = emitter.new_block("report");
    auto query = [&](uint64_t what) {
      return emitter.call(Helper::kRingbufQuery,
                          {own_map(object::kControlRing), builder.getInt64(what)});
    };
    llvm::Value *half = builder.CreateLShr(query(BPF_RB_RING_SIZE), 1);
    builder.CreateCondBr(builder.CreateICmpULT(query(BPF_RB_AVAIL_DATA), half), report, enough);
    builder.SetInsertPoint(enough);
    emitter.emit_return();
    builder.SetInsertPoint(report);
    llvm::Value *record =
        emitter.reserve(object::kControlRing, kRuntimeErrorSize, function->getArg(2), &done);
    store_header(builder, record, index, function->getArg(2));
    llvm::Value *position = emitter.call(
        Helper::kRingbufQuery, {own_map(object::kOutputRing), emitter.i64(BPF_RB_PROD_POS)});
    builder.CreateAlignedStore(position, field_at(builder, record, 8), llvm::Align(8));
    builder.CreateAlignedStore(function->getArg(0), field_at(builder, record, kRuntimeErrorSite),
                               llvm::Align(8));
    builder.CreateAlignedStore(function->getArg(1), field_at(builder, record, kRuntimeErrorResult),
                               llvm::Align(8));
    emitter.end_record(record, done);
  }
  emitter.end_callback();
  return function;
}

// Space in a ring; where there is none that is counted, and the run goes on at `done`.
llvm::Value *Emitter::reserve(const char *ring, uint32_t size, llvm::Value *program,
                              llvm::BasicBlock **done) {
  llvm::IRBuilder<> &b = s_->builder;
  llvm::Function *lost = s_->count_lost(*this);
  llvm::Value *record =
      call(Helper::kRingbufReserve, {s_->own_map(ring), i64(size), i64(0)}, "record");
  llvm::BasicBlock *full = new_block("record.lost");
  llvm::BasicBlock *room = new_block("record.room");
  *done = new_block("record.done");
  b.CreateCondBr(b.CreateIsNull(record), full, room);
  b.SetInsertPoint(full);
  b.CreateCall(lost, {program});
  b.CreateBr(*done);
  b.SetInsertPoint(room);
  return record;
}

llvm::Value *Emitter::begin_record(uint32_t event, llvm::BasicBlock **done) {
  uint32_t size = s_->description.events.at(event).size;
  llvm::Value *record = reserve(object::kOutputRing, size, i64(program_index()), done);
  store_header(s_->builder, record, event, i64(program_index()));
  return record;
}

void Emitter::end_record(llvm::Value *record, llvm::BasicBlock *done) {
  call(Helper::kRingbufSubmit, {record, i64(0)});
  s_->builder.CreateBr(done);
  s_->builder.SetInsertPoint(done);
}

llvm::Value *Emitter::begin_control_record(uint32_t event, llvm::BasicBlock **done) {
  uint32_t size = s_->description.events.at(event).size;
  llvm::Value *record = reserve(object::kControlRing, size, i64(program_index()), done);
  store_header(s_->builder, record, event, i64(program_index()));
  llvm::Value *position =
      call(Helper::kRingbufQuery, {s_->own_map(object::kOutputRing), i64(BPF_RB_PROD_POS)});
  s_->builder.CreateAlignedStore(position, field_at(s_->builder, record, 8), llvm::Align(8));
  return record;
}

void Emitter::end_control_record(llvm::Value *record, llvm::BasicBlock *done) {
  end_record(record, done);
}

uint32_t Emitter::error_site(const std::string &what, frontend::Span span,
                             bool is_always_reported) {
  object::ErrorSite site;
  site.what = what;
  site.is_always_reported = is_always_reported;
  site.location = location(span);
  std::tuple key(what, is_always_reported, span.source, span.begin, span.end);
  uint32_t next = static_cast<uint32_t>(s_->description.error_sites.size());
  auto [entry, is_new] = s_->error_sites.try_emplace(key, next);
  if (is_new) s_->description.error_sites.push_back(std::move(site));
  return entry->second;
}

void Emitter::count_error(uint32_t site, llvm::Value *helper_result) {
  count_error({i64(site), i64(program_index())}, helper_result ? helper_result : i64(0));
}

void Emitter::count_error(const ErrorCounter &counter, llvm::Value *helper_result) {
  llvm::IRBuilder<> &b = s_->builder;
  llvm::Function *function = s_->count_error(*this);
  llvm::Value *result = b.CreateSExtOrTrunc(helper_result, b.getInt64Ty());
  b.CreateCall(function, {counter.site, result, counter.program});
}

ErrorCounter Emitter::error_counter(const std::string &what, frontend::Span span,
                                    bool is_always_reported) {
  return {i64(error_site(what, span, is_always_reported)), i64(program_index())};
}

void Emitter::count_if_failed(llvm::Value *helper_result, const std::string &what,
                              frontend::Span span, bool is_always_reported) {
  count_if_failed(helper_result, error_counter(what, span, is_always_reported));
}

void Emitter::count_if_failed(llvm::Value *helper_result, const ErrorCounter &counter) {
  llvm::IRBuilder<> &b = s_->builder;
  llvm::BasicBlock *failed = new_block("failed");
  llvm::BasicBlock *done = new_block("read");
  // Map operations return an int before Linux 6.4: the upper half of the register is then whatever.
  llvm::Value *result = b.CreateTrunc(helper_result, b.getInt32Ty());
  b.CreateCondBr(b.CreateICmpSLT(result, b.getInt32(0)), failed, done);
  b.SetInsertPoint(failed);
  count_error(counter, result);
  b.CreateBr(done);
  b.SetInsertPoint(done);
}

}  // namespace awl::codegen
