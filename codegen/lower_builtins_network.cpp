// Builtins for addresses of the network.
#include <arpa/inet.h>

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

constexpr BuiltinLowering kLowerings[] = {
    {"ntop", ntop},
    {"pton", pton},
    {"macaddr", macaddr},
    {"socket_cookie", socket_cookie},
};

}  // namespace

std::span<const BuiltinLowering> network_lowerings() { return kLowerings; }

}  // namespace awl::codegen
