// Packets: what a script reads of `pkt`, found once, before the predicate.
//
//   link header ─▶ VLAN tags ─▶ ARP, IPv4 or IPv6 ─▶ (extension headers) ─▶ TCP, UDP or ICMP
//
// Only the headers that the script names are read, and those on the way to them. A header is copied
// to the stack in one go and its fields are read there: the copy stays zero when the packet has no
// such header, when it is cut off, or when its own fields make no sense, so that all fields of it
// read as 0. The copies of programs of xdp are made by loads that LLVM sees through: what is not
// used is not loaded.
//
// How the bytes are got is read_packet.cpp's.
#include <llvm/IR/Constants.h>
#include <llvm/IR/IntrinsicInst.h>

#include "codegen/lower.h"
#include "codegen/packet.h"
#include "frontend/ast/visit.h"

namespace awl::codegen {

using frontend::PacketHeader;
using frontend::PacketHeaderInfo;

namespace {

constexpr int64_t kIpv4Type = 0x0800, kArpType = 0x0806, kIpv6Type = 0x86dd;
constexpr int64_t kVlanTypes[] = {0x8100, 0x88a8};  // 802.1Q, 802.1ad
constexpr int64_t kTcp = 6, kUdp = 17, kIcmp = 1, kIcmp6 = 58;
constexpr int64_t kNoProtocol = 255;  // reserved by IANA: no transport header can be found
constexpr uint32_t kMaxExtensionHeaders = 8;

// Where members of struct __sk_buff lie (include/uapi/linux/bpf.h).
constexpr uint32_t kSkbVlanPresent = 20, kSkbVlanTci = 24, kSkbVlanProto = 28;

// How long an IPv6 extension header is: ((length field, if it has one) + bias) << shift.
struct Extension {
  uint8_t protocol, shift, bias, has_length;
};
// IANA's registry of extension headers; RFC 8200, RFC 4302 for the authentication header.
constexpr uint8_t kFragmentHeader = 44;
constexpr Extension kExtensions[] = {
    {0, 3, 1, 1},   {43, 3, 1, 1},  {kFragmentHeader, 3, 1, 0},
    {51, 2, 2, 1},  {60, 3, 1, 1},  {135, 3, 1, 1},
    {139, 3, 1, 1}, {140, 3, 1, 1},
};
// In the table by protocol: shift in bits 0 to 1, bias in 2 to 3, has_length in 4; 0: no extension.
constexpr uint32_t kBiasBit = 2, kLengthBit = 4;

std::string extension_table() {
  std::string table(256, '\0');
  for (const Extension &e : kExtensions) {
    table[e.protocol] =
        static_cast<char>(e.shift | e.bias << kBiasBit | e.has_length << kLengthBit);
  }
  return table;
}

// What is to be found, from what the script names.
struct PacketUse {
  std::array<bool, frontend::kPacketHeaders> headers{};
  bool is_used = false, has_payload = false, has_protocol = false, has_length = false;

  bool wants(PacketHeader header) const { return headers[index_of(header)]; }
  void want(PacketHeader header) { headers[index_of(header)] = true; }

  void note(const std::string &member) {
    if (const PacketHeaderInfo *info = frontend::find_packet_header(member)) want(info->header);
    has_payload |= member == "payload" || member == "payload_len";
    has_protocol |= member == "protocol";
    has_length |= member == "len" || member == "payload_len";
  }

  // Adds what stands on the way to what is wanted.
  void complete() {
    using enum PacketHeader;
    if (has_payload) {
      for (PacketHeader header : {kTcp, kUdp, kIcmp, kIcmp6}) want(header);
    }
    bool is_common = wants(kTcp) || wants(kUdp) || has_protocol;
    if (is_common || wants(kIcmp)) want(kIp);
    if (is_common || wants(kIcmp6)) want(kIp6);
  }
  bool has_transport() const {
    using enum PacketHeader;
    return wants(kTcp) || wants(kUdp) || wants(kIcmp) || wants(kIcmp6);
  }
  bool has_network() const {
    using enum PacketHeader;
    return wants(kIp) || wants(kIp6) || wants(kArp);
  }
};

PacketUse find_use(ast::Clause &clause) {
  PacketUse use;
  ast::walk(clause, [&](ast::Node &node) {
    auto *access = ast::as<ast::FieldAccess>(&node);
    if (!access || !as_packet(access->object)) return;
    use.is_used = true;
    use.note(access->field);
  });
  use.complete();
  return use;
}

}  // namespace

// Emits the way through the headers. What it finds out on the way is held in words on the stack,
// which LLVM keeps in registers.
class PacketParser {
 public:
  PacketParser(Lowering &lowering, const PacketUse &use)
      : l_(lowering), e_(lowering.emitter()), use_(use) {}

  Packet parse() {
    for (const PacketHeaderInfo &info : frontend::packet_headers()) {
      if (!use_.wants(info.header)) continue;
      present_[index_of(info.header)] = word(info.name);
      packet_.parts[index_of(info.header)].memory = zeroed(info.size, info.name);
    }
    offset_ = word("offset");
    type_ = word("type");
    protocol_ = word("protocol");
    transport_ = word("transport");
    end_ = word("end");
    set(transport_, e_.i64(kNoProtocol));
    length_ = l_.packet_length();
    set(end_, length_);
    link_layer();
    if (use_.wants(PacketHeader::kArp)) plain_header(PacketHeader::kArp, type_, kArpType);
    if (use_.wants(PacketHeader::kIp)) ip();
    if (use_.wants(PacketHeader::kIp6)) ip6();
    if (use_.has_transport()) transport();
    return result();
  }

 private:
  llvm::IRBuilder<> &b() { return l_.b(); }

  llvm::Value *word(const std::string &name) {
    llvm::BasicBlock &entry = b().GetInsertBlock()->getParent()->getEntryBlock();
    llvm::AllocaInst *slot =
        llvm::IRBuilder<>(&entry, entry.begin()).CreateAlloca(b().getInt64Ty(), nullptr, name);
    slot->setAlignment(llvm::Align(8));
    set(slot, e_.i64(0));
    return slot;
  }
  llvm::Value *get(llvm::Value *word) {
    return b().CreateAlignedLoad(b().getInt64Ty(), word, llvm::Align(8));
  }
  void set(llvm::Value *word, llvm::Value *value) {
    b().CreateAlignedStore(value, word, llvm::Align(8));
  }
  void advance(llvm::Value *bytes) { set(offset_, b().CreateAdd(get(offset_), bytes)); }

  llvm::Value *zeroed(uint32_t size, const std::string &name) {
    llvm::Value *memory = l_.stack_memory(size, name);
    l_.zero(memory, (size + 7) / 8 * 8);
    return memory;
  }

  llvm::Value *memory(PacketHeader header) { return packet_.parts[index_of(header)].memory; }
  // Scratch memory where the header itself is not asked for.
  llvm::Value *memory_or(PacketHeader header, uint32_t size) {
    return use_.wants(header) ? memory(header) : zeroed(size, "link");
  }
  llvm::Value *is_equal(llvm::Value *value, int64_t number) {
    return b().CreateICmpEQ(value, e_.i64(number));
  }
  llvm::Value *field(llvm::Value *memory, uint32_t offset, uint32_t size) {
    return l_.network_word(l_.at(memory, offset), size);
  }
  // Copies a header; where the packet ends before it, the copy stays zero.
  void with_header(PacketHeader header, const std::function<void()> &then) {
    uint32_t size = frontend::packet_headers()[index_of(header)].size;
    l_.if_then(l_.read_packet(memory(header), get(offset_), size), then);
  }
  // The header counts when its own fields make sense; else it is as if it were not there.
  void accept(PacketHeader header, llvm::Value *is_sound, const std::function<void()> &then) {
    uint32_t size = frontend::packet_headers()[index_of(header)].size;
    l_.if_then(b().CreateNot(is_sound), [&] { l_.zero(memory(header), (size + 7) / 8 * 8); });
    l_.if_then(is_sound, [&] {
      set(present_[index_of(header)], e_.i64(1));
      then();
    });
  }
  void plain_header(PacketHeader header, llvm::Value *kind, int64_t wanted) {
    uint32_t size = frontend::packet_headers()[index_of(header)].size;
    l_.if_then(is_equal(get(kind), wanted), [&] {
      with_header(header, [&] {
        set(present_[index_of(header)], e_.i64(1));
        advance(e_.i64(size));
      });
    });
  }

  // ---- link layer: sets type_ and offset_
  void link_layer() {
    bool is_wanted = use_.has_network() || use_.wants(PacketHeader::kEth) ||
                     use_.wants(PacketHeader::kVlan) || use_.wants(PacketHeader::kVlan2) ||
                     use_.has_payload;
    if (!is_wanted) return;
    if (l_.family() == ProbeFamily::kCgroupSkb) return guess_type();
    // Interfaces without a link header (tun, wireguard): the runtime puts 0 here.
    llvm::Value *header = e_.link_header();
    l_.if_then(is_equal(header, object::kEthernetHeader), [&] { ethernet(); });
    l_.if_then(is_equal(header, 0), [&] { guess_type(); });
  }

  // There is no link header; the first four bits are the version.
  void guess_type() {
    llvm::Value *first = zeroed(1, "version");
    l_.if_then(l_.read_packet(first, e_.i64(0), 1), [&] {
      llvm::Value *version = b().CreateLShr(field(first, 0, 1), 4);
      l_.if_then(is_equal(version, 4), [&] { set(type_, e_.i64(kIpv4Type)); });
      l_.if_then(is_equal(version, 6), [&] { set(type_, e_.i64(kIpv6Type)); });
    });
  }

  void ethernet() {
    llvm::Value *eth = memory_or(PacketHeader::kEth, object::kEthernetHeader);
    l_.if_then(l_.read_packet(eth, e_.i64(0), object::kEthernetHeader), [&] {
      if (use_.wants(PacketHeader::kEth)) set(present_[index_of(PacketHeader::kEth)], e_.i64(1));
      set(type_, field(eth, 12, 2));
      set(offset_, e_.i64(object::kEthernetHeader));
      vlan(eth);
    });
  }

  // Up to two tags. The kernel takes the outer one out of the packet before programs of tc see it.
  // A tag is held as u32: control information, then the type of what follows.
  void vlan(llvm::Value *eth) {
    llvm::Value *tags[2] = {word("tag"), word("tag2")};
    llvm::Value *counts[2] = {word("has_tag"), word("has_tag2")};
    bool is_skb = l_.family() != ProbeFamily::kXdp;
    llvm::Value *is_taken_out =
        is_skb ? b().CreateICmpNE(l_.context_word(kSkbVlanPresent), e_.i64(0)) : b().getFalse();
    if (is_skb) {
      l_.if_then(is_taken_out, [&] {
        llvm::Value *tci = b().CreateShl(l_.context_word(kSkbVlanTci), 16);
        set(tags[0], b().CreateOr(tci, get(type_)));
        set(counts[0], e_.i64(1));
        // As it was on the wire: the type is the tag's.
        llvm::Value *outer = b().CreateTrunc(l_.context_word(kSkbVlanProto), b().getInt16Ty());
        b().CreateAlignedStore(outer, l_.at(eth, 12), llvm::Align(2));
      });
    }
    for (int i = 0; i < 2; ++i) {
      l_.if_then(is_vlan(get(type_)), [&] {
        llvm::Value *tag = zeroed(4, "tag");
        l_.if_then(l_.read_packet(tag, get(offset_), 4), [&] {
          llvm::Value *value = field(tag, 0, 4);
          // The first free place; a third tag is passed over.
          l_.if_then(b().CreateAnd(is_equal(get(counts[0]), 1), is_equal(get(counts[1]), 0)), [&] {
            set(tags[1], value);
            set(counts[1], e_.i64(1));
          });
          l_.if_then(is_equal(get(counts[0]), 0), [&] {
            set(tags[0], value);
            set(counts[0], e_.i64(1));
          });
          set(type_, b().CreateAnd(value, e_.i64(0xffff)));
          advance(e_.i64(4));
        });
      });
    }
    PacketHeader headers[2] = {PacketHeader::kVlan, PacketHeader::kVlan2};
    for (int i = 0; i < 2; ++i) {
      if (!use_.wants(headers[i])) continue;
      llvm::Value *word = b().CreateTrunc(get(tags[i]), b().getInt32Ty());
      b().CreateAlignedStore(l_.swap_to_network(word), memory(headers[i]), llvm::Align(4));
      set(present_[index_of(headers[i])], get(counts[i]));
    }
  }
  llvm::Value *is_vlan(llvm::Value *type) {
    return b().CreateOr(is_equal(type, kVlanTypes[0]), is_equal(type, kVlanTypes[1]));
  }

  // ---- network layer: sets transport_, protocol_, offset_ and end_
  void ip() {
    l_.if_then(is_equal(get(type_), kIpv4Type), [&] {
      with_header(PacketHeader::kIp, [&] {
        llvm::Value *header = memory(PacketHeader::kIp);
        llvm::Value *first = field(header, 0, 1);
        llvm::Value *words = b().CreateAnd(first, e_.i64(15));
        llvm::Value *is_sound = b().CreateAnd(is_equal(b().CreateLShr(first, 4), 4),
                                              b().CreateICmpUGE(words, e_.i64(5)));
        accept(PacketHeader::kIp, is_sound, [&] {
          limit(b().CreateAdd(get(offset_), field(header, 2, 2)), field(header, 2, 2));
          advance(b().CreateShl(words, 2));
          llvm::Value *protocol = field(header, 9, 1);
          set(protocol_, protocol);
          // Only the first fragment has the transport header.
          llvm::Value *fragment = b().CreateAnd(field(header, 6, 2), e_.i64(0x1fff));
          l_.if_then(is_equal(fragment, 0), [&] { set(transport_, protocol); });
        });
      });
    });
  }

  // The packet ends at `end`, unless its length field is 0: then it is larger than that can say.
  void limit(llvm::Value *end, llvm::Value *length_field) {
    llvm::Value *is_shorter =
        b().CreateAnd(b().CreateICmpNE(length_field, e_.i64(0)), b().CreateICmpULT(end, length_));
    l_.if_then(is_shorter, [&] { set(end_, end); });
  }

  void ip6() {
    l_.if_then(is_equal(get(type_), kIpv6Type), [&] {
      with_header(PacketHeader::kIp6, [&] {
        llvm::Value *header = memory(PacketHeader::kIp6);
        accept(PacketHeader::kIp6, is_equal(b().CreateLShr(field(header, 0, 1), 4), 6), [&] {
          advance(e_.i64(40));
          llvm::Value *length = field(header, 4, 2);
          limit(b().CreateAdd(get(offset_), length), length);
          set(protocol_, field(header, 6, 1));
          set(transport_, get(protocol_));
          if (use_.has_transport() || use_.has_protocol) extension_headers();
        });
      });
    });
  }

  void extension_headers() {
    llvm::Value *table = e_.rodata_bytes(extension_table(), 256);
    llvm::Value *extension = zeroed(8, "extension");
    l_.count_loop(e_.i64(kMaxExtensionHeaders), [&](llvm::Value *) -> llvm::Value * {
      llvm::Value *protocol = l_.opaque(b().CreateAnd(get(protocol_), e_.i64(255)));
      llvm::Value *entry =
          b().CreateGEP(b().getInt8Ty(), table, b().CreateAnd(protocol, e_.i64(255)));
      llvm::Value *kind = b().CreateZExt(
          b().CreateAlignedLoad(b().getInt8Ty(), entry, llvm::Align(1)), b().getInt64Ty());
      llvm::Value *goes_on = word("goes_on");
      set(goes_on, e_.i64(0));
      l_.if_then(b().CreateICmpNE(kind, e_.i64(0)), [&] {
        // What is cut off hides what comes after it.
        set(transport_, e_.i64(kNoProtocol));
        l_.if_then(l_.read_packet(extension, get(offset_), 8),
                   [&] { set(goes_on, pass_extension(protocol, kind, extension)); });
      });
      return b().CreateICmpNE(get(goes_on), e_.i64(0));
    });
  }

  // Goes past one; 1 when a next header is known.
  llvm::Value *pass_extension(llvm::Value *protocol, llvm::Value *kind, llvm::Value *extension) {
    llvm::Value *has_length = b().CreateAnd(b().CreateLShr(kind, kLengthBit), e_.i64(1));
    llvm::Value *units = b().CreateMul(field(extension, 1, 1), has_length);
    units = b().CreateAdd(units, b().CreateAnd(b().CreateLShr(kind, kBiasBit), e_.i64(3)));
    advance(b().CreateShl(units, b().CreateAnd(kind, e_.i64(3))));
    llvm::Value *next = field(extension, 0, 1);
    set(protocol_, next);
    llvm::Value *fragment = b().CreateAnd(field(extension, 2, 2), e_.i64(0xfff8));
    llvm::Value *is_later =
        b().CreateAnd(is_equal(protocol, kFragmentHeader), b().CreateICmpNE(fragment, e_.i64(0)));
    llvm::Value *goes_on = word("has_next");
    set(goes_on, e_.i64(0));
    l_.if_then(b().CreateNot(is_later), [&] {
      set(transport_, next);
      set(goes_on, e_.i64(1));
    });
    return get(goes_on);
  }

  // ---- transport layer
  void transport() {
    if (use_.wants(PacketHeader::kTcp)) {
      l_.if_then(has_room(kTcp, 20), [&] {
        with_header(PacketHeader::kTcp, [&] {
          llvm::Value *words = b().CreateLShr(field(memory(PacketHeader::kTcp), 12, 1), 4);
          accept(PacketHeader::kTcp, b().CreateICmpUGE(words, e_.i64(5)),
                 [&] { advance(b().CreateShl(words, 2)); });
        });
      });
    }
    simple_transport(PacketHeader::kUdp, kUdp, PacketHeader::kUdp);
    simple_transport(PacketHeader::kIcmp, kIcmp, PacketHeader::kIp);
    simple_transport(PacketHeader::kIcmp6, kIcmp6, PacketHeader::kIp6);
  }

  void simple_transport(PacketHeader header, int64_t number, PacketHeader below) {
    if (!use_.wants(header)) return;
    // Of a packet that has both there is one: `below` is the header it belongs to.
    llvm::Value *is_right = has_room(number, 8);
    if (below != header) {
      is_right = b().CreateAnd(is_right, is_equal(get(present_[index_of(below)]), 1));
    }
    l_.if_then(is_right, [&] {
      with_header(header, [&] {
        set(present_[index_of(header)], e_.i64(1));
        advance(e_.i64(8));
        // What has been found is not looked for again.
        set(transport_, e_.i64(kNoProtocol));
      });
    });
  }
  // The network layer says that the header is next, and that it has all of its bytes.
  llvm::Value *has_room(int64_t protocol, int64_t size) {
    llvm::Value *header_end = b().CreateAdd(get(offset_), e_.i64(size));
    return b().CreateAnd(is_equal(get(transport_), protocol),
                         b().CreateICmpULE(header_end, get(end_)));
  }

  Packet result() {
    for (size_t i = 0; i < packet_.parts.size(); ++i) {
      if (present_[i]) packet_.parts[i].is_present = get(present_[i]);
    }
    packet_.length = length_;
    packet_.protocol = get(protocol_);
    packet_.payload = get(offset_);
    packet_.end = get(end_);
    return packet_;
  }

  Lowering &l_;
  Emitter &e_;
  const PacketUse &use_;
  Packet packet_;
  llvm::Value *present_[frontend::kPacketHeaders] = {};
  llvm::Value *offset_ = nullptr;     // of what comes after the headers passed
  llvm::Value *type_ = nullptr;       // of what the link layer holds
  llvm::Value *protocol_ = nullptr;   // of what the network layer holds
  llvm::Value *transport_ = nullptr;  // the same while its header can be there
  llvm::Value *end_ = nullptr;        // of the network layer's packet
  llvm::Value *length_ = nullptr;
};

std::vector<llvm::Value **> Packet::values() {
  std::vector<llvm::Value **> all;
  for (Part &part : parts) {
    if (part.memory) all.insert(all.end(), {&part.memory, &part.is_present});
  }
  if (length) all.insert(all.end(), {&length, &protocol, &payload, &end});
  return all;
}

void Lowering::emit_packet(ast::Clause &clause) {
  packet_ = {};
  if (!frontend::has_packet(family())) return;
  PacketUse use = find_use(clause);
  if (use.is_used) packet_ = PacketParser(*this, use).parse();
}

llvm::Value *Lowering::stack_memory(uint64_t size, const std::string &name) {
  llvm::Value *memory = e_.allocate_on_stack(size, name);
  aligned_.insert(memory);
  return memory;
}

}  // namespace awl::codegen
