// The bytes of packets and of their programs' contexts, and the fields in the headers that
// lower_packet.cpp has found.
//
// Where packets come from differs: programs with an skb ask a helper for bytes; those of xdp read
// memory directly, after a comparison with the end of the packet that the verifier understands.
#include <llvm/IR/Constants.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/TargetParser/Host.h>

#include <algorithm>
#include <cassert>

#include "codegen/lower.h"
#include "codegen/packet.h"

namespace awl::codegen {

using frontend::PacketField;
using frontend::PacketHeaderInfo;

namespace {

// No header is looked for further on; the verifier knows offsets in packets up to 0xffff.
constexpr int64_t kMaxOffset = 0x7fff;

// Where the members of struct xdp_md and struct __sk_buff lie (include/uapi/linux/bpf.h).
constexpr uint32_t kXdpData = 0, kXdpDataEnd = 4;
constexpr uint32_t kSkbLength = 0;

}  // namespace

llvm::Value *Lowering::context_word(uint32_t offset, uint32_t size) {
  // Volatile: two words that LLVM makes one are not what the verifier lets through.
  llvm::Value *word = b().CreateAlignedLoad(b().getIntNTy(size * 8), at(ctx_, offset),
                                            llvm::Align(size), /*isVolatile=*/true);
  return b().CreateZExt(word, b().getInt64Ty());
}

llvm::Value *Lowering::packet_length() {
  if (family() != ProbeFamily::kXdp) return context_word(kSkbLength);
  return b().CreateSub(context_word(kXdpDataEnd), context_word(kXdpData));
}

llvm::Value *Lowering::read_packet(llvm::Value *to, llvm::Value *offset, uint32_t size) {
  if (family() != ProbeFamily::kXdp) {
    llvm::Value *position = b().CreateTrunc(offset, b().getInt32Ty());
    llvm::Value *result = e_.call(Helper::kSkbLoadBytes, {ctx_, position, to, e_.i32(size)});
    return b().CreateICmpEQ(b().CreateTrunc(result, b().getInt32Ty()), e_.i32(0));
  }
  llvm::BasicBlock *inside = e_.new_block("packet.inside"), *copy = e_.new_block("packet.copy"),
                   *done = e_.new_block("packet.done");
  llvm::BasicBlock *before = b().GetInsertBlock();
  llvm::Value *position = llvm::isa<llvm::ConstantInt>(offset) ? offset : opaque(offset);
  b().CreateCondBr(b().CreateICmpULE(position, e_.i64(kMaxOffset)), inside, done);
  b().SetInsertPoint(inside);
  llvm::Value *start = pointer(context_word(kXdpData)), *end = pointer(context_word(kXdpDataEnd));
  // One register that is compared and read from.
  llvm::Value *from = opaque(b().CreateGEP(b().getInt8Ty(), start, position));
  llvm::Value *last = b().CreateGEP(b().getInt8Ty(), from, e_.i64(size));
  b().CreateCondBr(b().CreateICmpUGT(last, end), done, copy);
  b().SetInsertPoint(copy);
  // The machines that run this load from any address (so does the verifier believe).
  b().CreateMemCpy(to, llvm::Align(std::min<uint64_t>(8, known_alignment(to))), from,
                   llvm::Align(size % 4 == 0 || size > 4 ? 4
                               : size % 2 == 0           ? 2
                                                         : 1),
                   size);
  b().CreateBr(done);
  b().SetInsertPoint(done);
  llvm::PHINode *is_read = b().CreatePHI(b().getInt1Ty(), 3);
  is_read->addIncoming(b().getFalse(), before);
  is_read->addIncoming(b().getFalse(), inside);
  is_read->addIncoming(b().getTrue(), copy);
  return is_read;
}

llvm::Value *Lowering::copy_packet(llvm::Value *to, llvm::Value *offset, llvm::Value *wanted,
                                   uint32_t most) {
  if (most == 0) return e_.i64(0);
  llvm::Value *length = packet_length();
  llvm::Value *rest = b().CreateSub(length, offset);
  llvm::Value *count = b().CreateSelect(b().CreateICmpULT(rest, wanted), rest, wanted);
  count = b().CreateSelect(b().CreateICmpULT(offset, length), count, e_.i64(0));
  bool is_xdp = family() == ProbeFamily::kXdp;
  // The verifier must see that the size is from 1 to `most`.
  llvm::Value *less_one = opaque(b().CreateSub(count, e_.i64(1)));
  auto nothing = [&]() -> llvm::Value * { return e_.i64(0); };
  auto copy = [&]() -> llvm::Value * {
    return choose(
        b().CreateICmpULT(less_one, e_.i64(most)),
        [&]() -> llvm::Value * {
          llvm::Value *size = b().CreateAdd(less_one, e_.i64(1));
          llvm::Value *position = b().CreateTrunc(offset, b().getInt32Ty());
          Helper helper = is_xdp ? Helper::kXdpLoadBytes : Helper::kSkbLoadBytes;
          e_.call(helper, {ctx_, position, to, size});
          return size;
        },
        nothing);
  };
  // Programs of xdp can copy a number of bytes that is not constant since 5.18.
  return is_xdp ? choose(e_.core_helper_exists(Helper::kXdpLoadBytes), copy, nothing) : copy();
}

llvm::Value *Lowering::swap_to_network(llvm::Value *word) {
  bool is_byte = word->getType()->getIntegerBitWidth() == 8;
  if (is_byte || !llvm::sys::IsLittleEndianHost) return word;
  return b().CreateUnaryIntrinsic(llvm::Intrinsic::bswap, word);
}

llvm::Value *Lowering::network_word(llvm::Value *from, uint32_t size) {
  llvm::Value *word = b().CreateAlignedLoad(b().getIntNTy(size * 8), from, llvm::Align(size));
  return b().CreateZExt(swap_to_network(word), b().getInt64Ty());
}

// ---- fields -------------------------------------------------------------------------------------

llvm::Value *Lowering::packet_field(const PacketHeaderInfo &info, const std::string &name) {
  const Packet::Part &part = packet_.parts[index_of(info.header)];
  assert(part.memory && "find_use sees every header that is named");
  if (name == frontend::kPresent) return part.is_present;
  auto field = std::find_if(info.fields.begin(), info.fields.end(),
                            [&](const PacketField &candidate) { return name == candidate.name; });
  assert(field != info.fields.end() && "check_types lets only members through");
  llvm::Value *from = at(part.memory, field->offset);
  if (field->is_address) return from;
  llvm::Value *value = network_word(from, field->size);
  if (!field->bits) return value;
  uint64_t mask = (uint64_t{1} << field->bits) - 1;
  return b().CreateAnd(b().CreateLShr(value, field->shift), e_.i64(static_cast<int64_t>(mask)));
}

// A whole header, as its struct type lays it out.
llvm::Value *Lowering::packet_header(const PacketHeaderInfo &info, TypeRef type, llvm::Value *to) {
  const StructDef &def = program_.types->complete(type->struct_def);
  llvm::Value *memory = to ? to : temporary(def.size);
  zero(memory, def.size);
  for (const StructDef::Member &member : def.members) {
    store_value(packet_field(info, member.name), member.type, at(memory, member.bit_offset / 8));
  }
  return memory;
}

llvm::Value *Lowering::packet_member(const std::string &name, TypeRef type, llvm::Value *to) {
  if (const PacketHeaderInfo *info = frontend::find_packet_header(name)) {
    return packet_header(*info, type, to);
  }
  if (name == "len") return packet_.length;
  if (name == "protocol") return packet_.protocol;
  if (name == "payload") return packet_.payload;
  assert(name == "payload_len");
  llvm::Value *is_some = b().CreateICmpULT(packet_.payload, packet_.end);
  return b().CreateSelect(is_some, b().CreateSub(packet_.end, packet_.payload), e_.i64(0));
}

// A member of `args` that lies in the program's context.
llvm::Value *Lowering::context_member(const StructDef::Member &member, TypeRef type,
                                      llvm::Value *to) {
  constexpr uint32_t kWord = 4;
  uint32_t offset = member.bit_offset / 8;
  if (is_in_memory(member.type)) {
    llvm::Value *memory = temporary(type, to);
    for (uint32_t i = 0; i < member.type->size; i += kWord) {
      llvm::Value *word = b().CreateTrunc(context_word(offset + i), b().getInt32Ty());
      b().CreateAlignedStore(word, at(memory, i), llvm::Align(kWord));
    }
    return memory;
  }
  // Ports and such lie in a word whose other half is 0.
  uint32_t size = member.type->size;
  llvm::Value *value = context_word(offset, std::max(size, kWord));
  if (!member.is_network_order) return normalize(value, member.type);
  llvm::Value *word = b().CreateTrunc(value, b().getIntNTy(size * 8));
  return b().CreateZExt(swap_to_network(word), b().getInt64Ty());
}

llvm::Value *Lowering::hook_field(ast::FieldAccess &node, llvm::Value *to) {
  if (as_packet(node.object)) return packet_member(node.field, node.type, to);
  if (auto *header = ast::as<ast::FieldAccess>(node.object); header && as_packet(header->object)) {
    return packet_field(*frontend::find_packet_header(header->field), node.field);
  }
  TypeRef object = node.object->type;
  auto *name = ast::as<ast::Identifier>(node.object);
  if (!name || !object->is_struct() || object->struct_def->origin != StructDef::Origin::kContext) {
    return nullptr;
  }
  for (const StructDef::Member &member : program_.types->complete(object->struct_def).members) {
    if (member.name == node.field) return context_member(member, node.type, to);
  }
  return nullptr;
}

}  // namespace awl::codegen
