// The network families: xdp, tc, cgroup_skb, sock_ops, cgroup_sock_addr.
//
// Two things a script reads there. `args` are the members of the program's context, which the
// kernel's ABI (include/uapi/linux/bpf.h) fixes: a table per family and hook. `pkt` is the packet,
// as headers of the protocols that everybody knows: a table per header, with the places of the
// fields as they travel. Checker, code generation and listings share the tables.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/probes/probe.h"
#include "frontend/types/type.h"

namespace awl::frontend {

bool is_network(ProbeFamily family);
// Whether what a program returns counts: a verdict, or the result of a test. The others give 0.
bool returns_value(ProbeFamily family);
// Whether `pkt` exists: the family's programs are run for packets.
bool has_packet(ProbeFamily family);

// Why a builtin cannot be used in a network family; empty when it can.
std::string_view why_unavailable(std::string_view builtin, ProbeFamily family);

// What a program returns when it only observes: the packet or call goes its way.
int64_t passing_verdict(ProbeFamily family);
// The verdicts that the kernel takes; none: it does not look.
struct VerdictRange {
  int64_t least, most;
};
std::optional<VerdictRange> verdict_range(ProbeFamily family, std::string_view hook);

// ---- hooks
inline constexpr std::string_view kDirections[] = {"ingress", "egress"};
// What can follow the path in cgroup_sock_addr:PATH:….
std::span<const std::string_view> socket_address_hooks();

// A kind of call of sock_ops programs.
struct SocketOperation {
  std::string_view name;  // in attach points: "state"
  const char *constant;   // the kernel's name, without BPF_SOCK_OPS_
  int64_t number;
  // What a socket must be asked for to have the kernel make such calls
  // (BPF_SOCK_OPS_…_CB_FLAG in include/uapi/linux/bpf.h); 0: nothing.
  uint32_t flag;
};
std::span<const SocketOperation> socket_operations();
const SocketOperation *find_socket_operation(std::string_view name);

// ---- args
enum class ContextKind : uint8_t { kInteger, kIpv4, kIpv6, kWords, kOperation, kTcpState };
struct ContextField {
  const char *name;
  uint32_t offset;
  ContextKind kind = ContextKind::kInteger;
  uint32_t size = 4;              // bytes of an integer; kWords: of all
  bool is_network_order = false;  // integers: big-endian in the context
};
std::vector<ContextField> context_fields(ProbeFamily family, std::string_view hook);
std::string context_field_type(const ContextField &field);  // "uint32", "uint8[16]"

// ---- pkt
enum class PacketHeader : uint8_t {
  kEth,
  kVlan,
  kVlan2,
  kArp,
  kIp,
  kIp6,
  kTcp,
  kUdp,
  kIcmp,
  kIcmp6
};
inline constexpr size_t kPacketHeaders = 10;

// A field in a header: `size` bytes from `offset`, in network order. Of an integer of which not all
// bits count: `bits` from the lowest at `shift`, once it is in the machine's order.
struct PacketField {
  const char *name;
  uint32_t offset;
  uint32_t size;
  uint32_t bits = 0;  // 0: all
  uint32_t shift = 0;
  bool is_address = false;  // an array of bytes
};
struct PacketHeaderInfo {
  PacketHeader header;
  const char *name;
  uint32_t size;  // bytes without options
  std::span<const PacketField> fields;
};
std::span<const PacketHeaderInfo> packet_headers();
const PacketHeaderInfo *find_packet_header(std::string_view name);
// Bytes of the integer that a field is read as: 1, 2 or 4.
uint32_t packet_field_bytes(const PacketField &field);

// Whether the packet has a header, as a field of it.
inline constexpr const char *kPresent = "present";

// ---- types, made once per compilation
TypeRef context_type(TypeStore &types, std::map<std::string, TypeRef> &made, ProbeFamily family,
                     std::string_view hook);
TypeRef packet_type(TypeStore &types, std::map<std::string, TypeRef> &made);

// Whether a type is that of a header of `pkt`.
bool is_packet_header(TypeRef type);

}  // namespace awl::frontend
