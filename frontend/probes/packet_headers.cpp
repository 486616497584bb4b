// The headers that `pkt` knows, and its type.
#include <algorithm>

#include "frontend/probes/network.h"

namespace awl::frontend {
namespace {

// As in IEEE 802.3 and 802.1Q, RFC 826, 791, 8200, 9293, 768, 792, 4443.
constexpr PacketField kEthFields[] = {
    {"daddr", 0, 6, 0, 0, true}, {"saddr", 6, 6, 0, 0, true}, {"type", 12, 2}};
constexpr PacketField kVlanFields[] = {
    {"id", 0, 2, 12, 0}, {"dei", 0, 2, 1, 12}, {"priority", 0, 2, 3, 13}, {"type", 2, 2}};
constexpr PacketField kArpFields[] = {
    {"htype", 0, 2},
    {"ptype", 2, 2},
    {"op", 6, 2},
    {"sha", 8, 6, 0, 0, true},
    {"spa", 14, 4, 0, 0, true},
    {"tha", 18, 6, 0, 0, true},
    {"tpa", 24, 4, 0, 0, true},
};
constexpr PacketField kIpFields[] = {
    {"version", 0, 1, 4, 4},
    {"ihl", 0, 1, 4, 0},
    {"tos", 1, 1},
    {"tot_len", 2, 2},
    {"id", 4, 2},
    {"df", 6, 2, 1, 14},
    {"mf", 6, 2, 1, 13},
    {"frag_off", 6, 2, 13, 0},
    {"ttl", 8, 1},
    {"protocol", 9, 1},
    {"check", 10, 2},
    {"saddr", 12, 4, 0, 0, true},
    {"daddr", 16, 4, 0, 0, true},
};
constexpr PacketField kIp6Fields[] = {
    {"version", 0, 4, 4, 28},
    {"tclass", 0, 4, 8, 20},
    {"flow_label", 0, 4, 20, 0},
    {"payload_len", 4, 2},
    {"nexthdr", 6, 1},
    {"hop_limit", 7, 1},
    {"saddr", 8, 16, 0, 0, true},
    {"daddr", 24, 16, 0, 0, true},
};
constexpr PacketField kTcpFields[] = {
    {"sport", 0, 2},       {"dport", 2, 2},      {"seq", 4, 4},        {"ack_seq", 8, 4},
    {"doff", 12, 1, 4, 4}, {"flags", 13, 1},     {"fin", 13, 1, 1, 0}, {"syn", 13, 1, 1, 1},
    {"rst", 13, 1, 1, 2},  {"psh", 13, 1, 1, 3}, {"ack", 13, 1, 1, 4}, {"urg", 13, 1, 1, 5},
    {"ece", 13, 1, 1, 6},  {"cwr", 13, 1, 1, 7}, {"window", 14, 2},    {"check", 16, 2},
    {"urg_ptr", 18, 2},
};
constexpr PacketField kUdpFields[] = {
    {"sport", 0, 2}, {"dport", 2, 2}, {"len", 4, 2}, {"check", 6, 2}};
// Identifier and sequence number are those of echo requests and replies.
constexpr PacketField kIcmpFields[] = {
    {"type", 0, 1}, {"code", 1, 1}, {"check", 2, 2}, {"id", 4, 2}, {"seq", 6, 2}};

constexpr PacketHeaderInfo kHeaders[] = {
    {PacketHeader::kEth, "eth", 14, kEthFields},
    {PacketHeader::kVlan, "vlan", 4, kVlanFields},
    {PacketHeader::kVlan2, "vlan2", 4, kVlanFields},
    {PacketHeader::kArp, "arp", 28, kArpFields},
    {PacketHeader::kIp, "ip", 20, kIpFields},
    {PacketHeader::kIp6, "ip6", 40, kIp6Fields},
    {PacketHeader::kTcp, "tcp", 20, kTcpFields},
    {PacketHeader::kUdp, "udp", 8, kUdpFields},
    {PacketHeader::kIcmp, "icmp", 8, kIcmpFields},
    {PacketHeader::kIcmp6, "icmp6", 8, kIcmpFields},
};
static_assert(std::size(kHeaders) == kPacketHeaders);

// A struct laid out as C would, member by member.
class StructBuilder {
 public:
  StructBuilder(TypeStore &types, const std::string &name)
      : types_(types), def_(types.new_struct()) {
    def_->name = name;
    def_->origin = StructDef::Origin::kPacket;
    def_->alignment = 8;
  }
  void add(const char *name, TypeRef type) {
    uint32_t alignment = std::max<uint32_t>(type->alignment, 1);
    def_->size = (def_->size + alignment - 1) / alignment * alignment;
    StructDef::Member member;
    member.name = name;
    member.type = type;
    member.bit_offset = def_->size * 8;
    def_->members.push_back(std::move(member));
    def_->size += types_.size_of(type);
  }
  TypeRef finish() {
    def_->size = (def_->size + 7) / 8 * 8;
    def_->is_complete = true;
    return types_.struct_type(def_);
  }

 private:
  TypeStore &types_;
  StructDef *def_;
};

TypeRef header_type(TypeStore &types, const PacketHeaderInfo &info) {
  StructBuilder builder(types, std::string("pkt.") + info.name);
  for (const PacketField &field : info.fields) {
    TypeRef byte = types.integer(1, false);
    builder.add(field.name, field.is_address ? types.array(byte, field.size)
                                             : types.integer(packet_field_bytes(field), false));
  }
  builder.add(kPresent, types.boolean());
  return builder.finish();
}

}  // namespace

std::span<const PacketHeaderInfo> packet_headers() { return kHeaders; }

const PacketHeaderInfo *find_packet_header(std::string_view name) {
  for (const PacketHeaderInfo &info : kHeaders) {
    if (name == info.name) return &info;
  }
  return nullptr;
}

uint32_t packet_field_bytes(const PacketField &field) {
  if (!field.bits) return field.size;
  return field.bits <= 8 ? 1 : field.bits <= 16 ? 2 : 4;
}

TypeRef packet_type(TypeStore &types, std::map<std::string, TypeRef> &made) {
  TypeRef &type = made["pkt"];
  if (type) return type;
  StructBuilder builder(types, "pkt");
  for (const PacketHeaderInfo &info : kHeaders) builder.add(info.name, header_type(types, info));
  builder.add("len", types.integer(4, false));
  builder.add("protocol", types.integer(1, false));
  builder.add("payload", types.pointer(types.integer(1, false), AddressSpace::kPacket));
  builder.add("payload_len", types.integer(4, false));
  return type = builder.finish();
}

bool is_packet_header(TypeRef type) {
  return type->is_struct() && type->struct_def->origin == StructDef::Origin::kPacket &&
         type->struct_def->name != "pkt";
}

}  // namespace awl::frontend
