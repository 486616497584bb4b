// Builtins for addresses of the network.
#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>

#include "codegen/lower_builtin.h"

namespace awl::codegen {

namespace {

constexpr uint32_t kIpv4Size = 4, kIpv6Size = 16;

// ntop([family,] address): u32 family, 16 bytes.
llvm::Value *ntop(BuiltinCall &call) {
  Lowering &lowering = call.lowering;
  llvm::IRBuilder<> &b = call.b();
  ast::Expr &address = *call.arguments.back();
  bool is_integer = !is_in_memory(address.type);
  uint32_t size = !is_integer && address.type->size >= kIpv6Size ? kIpv6Size : kIpv4Size;
  llvm::Value *family =
      call.has(1) ? call.value(0) : call.emitter().i64(size == kIpv6Size ? AF_INET6 : AF_INET);
  llvm::Value *word = is_integer ? lowering.value(address) : nullptr;
  llvm::Value *memory = call.memory();
  lowering.zero(memory, call.type()->size);
  b.CreateAlignedStore(b.CreateTrunc(family, b.getInt32Ty()), memory, llvm::Align(4));
  llvm::Value *bytes = lowering.at(memory, 4);
  if (is_integer) {
    b.CreateAlignedStore(b.CreateTrunc(word, b.getInt32Ty()), bytes, llvm::Align(4));
  } else {
    lowering.raw_bytes(address, call.emitter().i32(size), size, bytes);
  }
  return memory;
}

// pton("127.0.0.1"): the bytes are known here.
llvm::Value *pton(BuiltinCall &call) {
  char bytes[kIpv6Size] = {};
  int family = call.type()->size == kIpv6Size ? AF_INET6 : AF_INET;
  int result = inet_pton(family, call.text(0).c_str(), bytes);
  assert(result == 1 && "the check of pton reads the address");
  (void)result;
  return call.emitter().rodata_bytes(std::string(bytes, call.type()->size), call.type()->size);
}

llvm::Value *macaddr(BuiltinCall &call) {
  llvm::Value *memory = call.memory();
  call.lowering.raw_bytes(call.argument(0), call.emitter().i32(call.type()->size),
                          call.type()->size, memory);
  return memory;
}

// Of an argument of the traced function, which the verifier knows to be a socket; else of the
// program's own context.
llvm::Value *socket_cookie(BuiltinCall &call) {
  Lowering &lowering = call.lowering;
  llvm::Value *socket = call.has(0) ? lowering.pointer(call.value(0)) : lowering.context();
  return call.emitter().call(Helper::kGetSocketCookie, {socket});
}

// A word of a packet's description.
llvm::Value *packet_word(BuiltinCall &call, llvm::Value *packet, const char *name, uint32_t size) {
  const StructDef &def = *call.argument(1).type->element->struct_def;
  frontend::MemberPath path;
  bool is_known =
      find_member(*call.lowering.program().types, const_cast<StructDef *>(&def), name, &path);
  if (!is_known) return call.emitter().i64(0);
  llvm::Value *address = call.b().CreateAdd(packet, call.emitter().core_byte_offset(path));
  return call.lowering.read_word(address, size, AddressSpace::kKernel, call.span());
}

llvm::Value *smaller(BuiltinCall &call, llvm::Value *a, llvm::Value *b) {
  return call.b().CreateSelect(call.b().CreateICmpULT(a, b), a, b);
}

// skboutput(path, packet, length, offset): u64 time since boot, u32 bytes that are there, u32 bytes
// that the packet has, then the bytes. They come from the packet's linear part, which holds the
// headers: what is in pages of their own has no address to read from.
llvm::Value *skboutput(BuiltinCall &call) {
  constexpr uint32_t kMost = 4096;
  constexpr uint32_t kTime = sizeof(object::RecordHeader), kCaptured = kTime + 8,
                     kOriginal = kCaptured + 4, kData = kOriginal + 4;
  Lowering &lowering = call.lowering;
  Emitter &emitter = call.emitter();
  llvm::IRBuilder<> &b = call.b();
  uint32_t most = kMost;
  if (std::optional<int64_t> constant = call.constant(2)) {
    most = static_cast<uint32_t>(std::clamp<int64_t>(*constant, 1, kMost));
  }
  object::Event event;
  event.kind = object::EventKind::kSkboutput;
  event.format = call.text(0);
  event.location = emitter.location(call.span());
  for (auto [offset, size] : {std::pair{kTime, 8u}, {kCaptured, 4u}, {kOriginal, 4u}}) {
    object::ValueType number;
    number.kind = object::ValueKind::kInteger;
    number.size = size;
    event.arguments.push_back({"", offset, 0, 0, {number}});
  }
  event.size = kData + (most + 7) / 8 * 8;

  llvm::Value *packet = call.value(1), *wanted = call.value(2), *offset = call.value(3);
  llvm::Value *data = packet_word(call, packet, "data", 8);
  llvm::Value *length = packet_word(call, packet, "len", 4);
  llvm::Value *paged = packet_word(call, packet, "data_len", 4);
  auto behind = [&](llvm::Value *end) {
    llvm::Value *rest = b.CreateSub(end, offset);
    return b.CreateSelect(b.CreateICmpULT(offset, end), rest, emitter.i64(0));
  };
  llvm::Value *original = smaller(call, wanted, behind(length));
  llvm::Value *linear = smaller(call, wanted, behind(b.CreateSub(length, paged)));
  llvm::Value *captured = lowering.opaque(smaller(call, linear, emitter.i64(most)));
  llvm::Value *result = lowering.stack_memory(8, "skboutput");
  b.CreateAlignedStore(emitter.i64(-ENOSPC), result, llvm::Align(8));
  emitter.output_record(emitter.add_event(std::move(event)), [&](llvm::Value *record) {
    b.CreateAlignedStore(emitter.call(Helper::kKtimeGetBootNs, {}), lowering.at(record, kTime),
                         llvm::Align(8));
    auto store = [&](llvm::Value *value, uint32_t at) {
      llvm::Value *word = b.CreateTrunc(value, b.getInt32Ty());
      b.CreateAlignedStore(word, lowering.at(record, at), llvm::Align(4));
    };
    store(original, kOriginal);
    store(emitter.i64(0), kCaptured);
    // The verifier sees the bound here.
    lowering.if_then(b.CreateICmpULE(captured, emitter.i64(most)), [&] {
      store(captured, kCaptured);
      emitter.probe_read(lowering.at(record, kData), b.CreateTrunc(captured, b.getInt32Ty()),
                         b.CreateAdd(data, offset), AddressSpace::kKernel, call.span());
    });
    b.CreateAlignedStore(emitter.i64(0), result, llvm::Align(8));
  });
  llvm::Value *code = b.CreateAlignedLoad(b.getInt64Ty(), result, llvm::Align(8));
  return b.CreateAnd(code, emitter.i64(UINT32_MAX));
}

constexpr BuiltinLowering kLowerings[] = {
    {"skboutput", skboutput},         {"ntop", ntop}, {"pton", pton}, {"macaddr", macaddr},
    {"socket_cookie", socket_cookie},
};

}  // namespace

std::span<const BuiltinLowering> network_lowerings() { return kLowerings; }

}  // namespace awl::codegen
