// Builtins that send records to the runtime.
#include "codegen/kernel_format.h"
#include "codegen/lower_builtin.h"

namespace awl::codegen {

namespace {

using object::EventKind;

// printf, errorf, warnf, cat, system: a format and its arguments.
template <EventKind kKind>
llvm::Value *formatted(BuiltinCall &call) {
  std::vector<ast::Expr *> arguments(call.arguments.begin() + 1, call.arguments.end());
  if (call.lowering.is_pinned()) {
    call.lowering.print_to_readers(call.text(0), arguments, call.span());
    return nullptr;
  }
  call.lowering.emit_event(kKind, call.text(0), arguments, call.span());
  return nullptr;
}

llvm::Value *system(BuiltinCall &call) {
  call.emitter().description().settings.needs_unsafe = true;
  return formatted<EventKind::kSystem>(call);
}

// What the kernel does not take (a width, before 5.13) is refused when it is run.
llvm::Value *debugf(BuiltinCall &call) {
  Emitter &emitter = call.emitter();
  std::string text = kernel_format(call.text(0));
  int64_t size = static_cast<int64_t>(text.size()) + 1;
  std::vector<llvm::Value *> words = {emitter.rodata_bytes(text, size), emitter.i32(size)};
  for (size_t i = 1; call.has(i); i++) words.push_back(call.lowering.kernel_word(call.argument(i)));
  llvm::Value *result = emitter.call(Helper::kTracePrintk, words);
  emitter.count_if_failed(result, "trace_printk", call.span(), true);
  return nullptr;
}

// print(@map [, top [, div]]), print(value)
llvm::Value *print(BuiltinCall &call) {
  if (call.argument(0).kind != ast::NodeKind::kMap) {
    call.lowering.emit_event(EventKind::kPrintValue, "", {&call.argument(0)}, call.span());
    return nullptr;
  }
  llvm::Value *top = call.has(1) ? call.value(1) : call.emitter().i64(0);
  llvm::Value *divisor = call.has(2) ? call.value(2) : call.emitter().i64(0);
  call.lowering.emit_control(EventKind::kPrintMap, &call.map(0), {top, divisor}, call.span());
  return nullptr;
}

// Ends the program, too: nothing after it is run.
llvm::Value *exit(BuiltinCall &call) {
  llvm::Value *code = call.has(0) ? call.value(0) : call.emitter().i64(0);
  call.lowering.emit_control(EventKind::kExit, nullptr, {code}, call.span());
  call.lowering.leave();
  return nullptr;
}

llvm::Value *time(BuiltinCall &call) {
  std::string format = call.has(0) ? call.text(0) : "%H:%M:%S\n";
  call.lowering.emit_event(EventKind::kTime, format, {}, call.span());
  return nullptr;
}

// join(char **, separator): u32 count, then as many strings. A record has room for kMaxJoined.
llvm::Value *join(BuiltinCall &call) {
  constexpr uint32_t kMaxJoined = 16;
  constexpr uint32_t kJoinedSize = 1024;
  constexpr uint32_t kCountOffset = sizeof(object::RecordHeader), kFirst = kCountOffset + 8;
  Lowering &lowering = call.lowering;
  Emitter &emitter = call.emitter();
  llvm::IRBuilder<> &b = call.b();
  object::Event event;
  event.kind = EventKind::kJoin;
  event.format = call.has(1) ? call.text(1) : " ";
  event.location = emitter.location(call.span());
  object::ValueType count_type;
  count_type.kind = object::ValueKind::kInteger;
  count_type.size = 4;
  event.arguments.push_back({"", kCountOffset, 0, 0, {count_type}});
  object::ValueType text;
  text.kind = object::ValueKind::kString;
  text.size = kJoinedSize;
  for (uint32_t i = 0; i < kMaxJoined; i++)
    event.arguments.push_back({"", kFirst + i * kJoinedSize, 0, 0, {text}});
  event.size = kFirst + kMaxJoined * kJoinedSize;

  llvm::Value *array = call.value(0);
  AddressSpace space = call.space(0);
  emitter.output_record(emitter.add_event(std::move(event)), [&](llvm::Value *record) {
    llvm::Value *count = lowering.at(record, kCountOffset);
    b.CreateAlignedStore(emitter.i64(0), count, llvm::Align(8));
    lowering.count_loop(emitter.i64(kMaxJoined), [&](llvm::Value *i) -> llvm::Value * {
      llvm::Value *from = b.CreateAdd(array, b.CreateShl(i, 3));
      llvm::Value *string = lowering.read_word(from, 8, space, call.span());
      llvm::Value *is_last = b.CreateICmpEQ(string, emitter.i64(0));
      lowering.if_then(b.CreateNot(is_last), [&] {
        llvm::Value *to = b.CreateGEP(b.getInt8Ty(), lowering.at(record, kFirst),
                                      b.CreateMul(i, emitter.i64(kJoinedSize)));
        emitter.probe_read_str(to, emitter.i32(kJoinedSize), string, space, call.span());
        b.CreateAlignedStore(b.CreateAdd(i, emitter.i64(1)), count, llvm::Align(8));
      });
      return b.CreateNot(is_last);
    });
  });
  return nullptr;
}

constexpr BuiltinLowering kLowerings[] = {
    {"printf", formatted<EventKind::kPrintf>},
    {"errorf", formatted<EventKind::kErrorf>},
    {"warnf", formatted<EventKind::kWarnf>},
    {"cat", formatted<EventKind::kCat>},
    {"system", system},
    {"debugf", debugf},
    {"print", print},
    {"exit", exit},
    {"time", time},
    {"join", join},
};

}  // namespace

std::span<const BuiltinLowering> output_lowerings() { return kLowerings; }

}  // namespace awl::codegen
