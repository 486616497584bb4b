#include "frontend/probes/network.h"

#include <algorithm>

namespace awl::frontend {
namespace {

using enum ProbeFamily;
using Kind = ContextKind;

// ---- what there is in which family

// Values of the current process. Packets are handled in interrupts, which stop whatever process
// happens to run.
constexpr std::string_view kOfProcess[] = {
    "pid",    "tid",      "uid",  "gid",   "comm",        "curtask",
    "cgroup", "username", "ppid", "pcomm", "leader_comm", "leader_tid",
};
// What the kernel has no helper for in programs of these types.
constexpr std::string_view kOfTracing[] = {
    "kstack",   "ustack",     "dw_ustack", "usermode",     "signal", "signal_thread",
    "override", "write_user", "usym",      "func",         "reg",    "path",
    "uaddr",    "uptr",       "join",      "percpu_kaddr",
};

template <size_t N>
bool contains(const std::string_view (&list)[N], std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// ---- contexts: struct xdp_md, __sk_buff, bpf_sock_ops, bpf_sock_addr

constexpr ContextField kXdpFields[] = {{"ingress_ifindex", 12}, {"rx_queue_index", 16}};

// What programs of tc and of cgroup_skb may read of a packet's description.
constexpr ContextField kSkbFields[] = {
    {"len", 0},
    {"pkt_type", 4},
    {"mark", 8},
    {"queue_mapping", 12},
    {"protocol", 16, Kind::kInteger, 2, true},
    {"vlan_present", 20},
    {"vlan_tci", 24},
    {"vlan_proto", 28, Kind::kInteger, 2, true},
    {"priority", 32},
    {"ingress_ifindex", 36},
    {"ifindex", 40},
    {"hash", 68},
    {"napi_id", 84},
    {"tstamp", 152, Kind::kInteger, 8},
    {"gso_segs", 164},
    {"gso_size", 176},
};
constexpr ContextField kTcFields[] = {{"tc_index", 44}, {"wire_len", 160}};
constexpr ContextField kCgroupSkbFields[] = {
    {"family", 88},
    {"remote_ip4", 92, Kind::kIpv4},
    {"local_ip4", 96, Kind::kIpv4},
    {"remote_ip6", 100, Kind::kIpv6},
    {"local_ip6", 116, Kind::kIpv6},
    {"remote_port", 132, Kind::kInteger, 4, true},
    {"local_port", 136},
};
constexpr ContextField kSockOpsFields[] = {
    {"op", 0, Kind::kOperation},
    {"args", 4, Kind::kWords, 16},
    {"old_state", 4, Kind::kTcpState},
    {"new_state", 8, Kind::kTcpState},
    {"family", 20},
    {"remote_ip4", 24, Kind::kIpv4},
    {"local_ip4", 28, Kind::kIpv4},
    {"remote_ip6", 32, Kind::kIpv6},
    {"local_ip6", 48, Kind::kIpv6},
    {"remote_port", 64, Kind::kInteger, 4, true},
    {"local_port", 68},
    {"is_fullsock", 72},
    {"snd_cwnd", 76},
    {"srtt_us", 80},
    {"cb_flags", 84},
    {"state", 88, Kind::kTcpState},
    {"rtt_min", 92},
    {"snd_ssthresh", 96},
    {"rcv_nxt", 100},
    {"snd_nxt", 104},
    {"snd_una", 108},
    {"mss_cache", 112},
    {"ecn_flags", 116},
    {"rate_delivered", 120},
    {"rate_interval_us", 124},
    {"packets_out", 128},
    {"retrans_out", 132},
    {"total_retrans", 136},
    {"segs_in", 140},
    {"data_segs_in", 144},
    {"segs_out", 148},
    {"data_segs_out", 152},
    {"lost_out", 156},
    {"sacked_out", 160},
    {"sk_txhash", 164},
    {"bytes_received", 168, Kind::kInteger, 8},
    {"bytes_acked", 176, Kind::kInteger, 8},
};
constexpr ContextField kSockAddrFields[] = {
    {"user_family", 0}, {"family", 28}, {"type", 32}, {"protocol", 36}};
constexpr ContextField kUserIp4{"user_ip4", 4, Kind::kIpv4}, kUserIp6{"user_ip6", 8, Kind::kIpv6},
    kUserPort{"user_port", 24, Kind::kInteger, 2, true}, kSourceIp4{"msg_src_ip4", 40, Kind::kIpv4},
    kSourceIp6{"msg_src_ip6", 44, Kind::kIpv6};

constexpr std::string_view kAddressHooks[] = {
    "bind4",    "bind6",    "connect4",     "connect6",     "sendmsg4",     "sendmsg6",
    "recvmsg4", "recvmsg6", "getpeername4", "getpeername6", "getsockname4", "getsockname6",
};

// enum in include/uapi/linux/bpf.h; those that are about header options are not called.
constexpr SocketOperation kOperations[] = {
    {"timeout_init", "TIMEOUT_INIT", 1, 0},
    {"rwnd_init", "RWND_INIT", 2, 0},
    {"connect", "TCP_CONNECT_CB", 3, 0},
    {"active_established", "ACTIVE_ESTABLISHED_CB", 4, 0},
    {"passive_established", "PASSIVE_ESTABLISHED_CB", 5, 0},
    {"needs_ecn", "NEEDS_ECN", 6, 0},
    {"base_rtt", "BASE_RTT", 7, 0},
    {"rto", "RTO_CB", 8, 1},
    {"retrans", "RETRANS_CB", 9, 2},
    {"state", "STATE_CB", 10, 4},
    {"listen", "TCP_LISTEN_CB", 11, 0},
    {"rtt", "RTT_CB", 12, 8},
};

// BPF_TCP_… in include/uapi/linux/bpf.h, which are the kernel's own.
constexpr const char *kTcpStates[] = {
    "TCP_ESTABLISHED", "TCP_SYN_SENT",  "TCP_SYN_RECV", "TCP_FIN_WAIT1",
    "TCP_FIN_WAIT2",   "TCP_TIME_WAIT", "TCP_CLOSE",    "TCP_CLOSE_WAIT",
    "TCP_LAST_ACK",    "TCP_LISTEN",    "TCP_CLOSING",  "TCP_NEW_SYN_RECV",
};

TypeRef enum_type(TypeStore &types, std::map<std::string, TypeRef> &made, ContextKind kind) {
  bool is_state = kind == ContextKind::kTcpState;
  TypeRef &type = made[is_state ? "enum tcp_state" : "enum sock_ops_op"];
  if (type) return type;
  EnumDef *def = types.new_enum();
  def->name = is_state ? "tcp_state" : "sock_ops_op";
  if (is_state) {
    int64_t number = 0;
    for (const char *name : kTcpStates) def->values.push_back({name, ++number});
  } else {
    for (const SocketOperation &operation : kOperations) {
      def->values.push_back({operation.constant, operation.number});
    }
  }
  return type = types.enum_type(def);
}

TypeRef field_type(TypeStore &types, std::map<std::string, TypeRef> &made,
                   const ContextField &field) {
  TypeRef byte = types.integer(1, false);
  switch (field.kind) {
    case ContextKind::kInteger:
      return types.integer(field.size, false);
    case ContextKind::kIpv4:
      return types.array(byte, 4);
    case ContextKind::kIpv6:
      return types.array(byte, 16);
    case ContextKind::kWords:
      return types.array(types.integer(4, false), field.size / 4);
    case ContextKind::kOperation:
    case ContextKind::kTcpState:
      return enum_type(types, made, field.kind);
  }
  return byte;
}

void add(std::vector<ContextField> &to, std::span<const ContextField> fields) {
  to.insert(to.end(), fields.begin(), fields.end());
}

}  // namespace

bool is_network(ProbeFamily family) {
  return has_packet(family) || family == kSockOps || family == kCgroupSockAddr;
}

bool returns_value(ProbeFamily family) {
  return is_network(family) || family == kLsm || family == kTest || family == kBench;
}

bool has_packet(ProbeFamily family) {
  return family == kXdp || family == kTc || family == kCgroupSkb;
}

std::string_view why_unavailable(std::string_view builtin, ProbeFamily family) {
  if (!is_network(family)) return "";
  // Those run for a system call of the process whose socket it is.
  if (family != kCgroupSockAddr && contains(kOfProcess, builtin)) {
    return "packets are handled in interrupts, where the current process has nothing to do with "
           "them";
  }
  if (contains(kOfTracing, builtin)) return "the kernel has no such function for network programs";
  return "";
}

int64_t passing_verdict(ProbeFamily family) {
  switch (family) {
    case kXdp:
      return 2;  // XDP_PASS
    case kTc:
      return -1;  // TC_ACT_UNSPEC, TCX_NEXT: whoever comes next decides
    case kCgroupSkb:
    case kSockOps:
    case kCgroupSockAddr:
      return 1;
    default:
      return 0;
  }
}

std::optional<VerdictRange> verdict_range(ProbeFamily family, std::string_view hook) {
  // kernel/bpf/verifier.c, check_return_code()
  bool can_refuse =
      hook.starts_with("bind") || hook.starts_with("connect") || hook.starts_with("sendmsg");
  switch (family) {
    case kCgroupSkb:
      return VerdictRange{0, hook == "egress" ? 3 : 1};
    case kCgroupSockAddr:
      return can_refuse ? VerdictRange{0, hook.starts_with("bind") ? 3 : 1} : VerdictRange{1, 1};
    case kSockOps:
      return VerdictRange{0, 1};
    default:
      return std::nullopt;
  }
}

std::span<const std::string_view> socket_address_hooks() { return kAddressHooks; }

std::span<const SocketOperation> socket_operations() { return kOperations; }

const SocketOperation *find_socket_operation(std::string_view name) {
  for (const SocketOperation &operation : kOperations) {
    if (name == operation.name) return &operation;
  }
  return nullptr;
}

std::vector<ContextField> context_fields(ProbeFamily family, std::string_view hook) {
  std::vector<ContextField> fields;
  if (family == kXdp) add(fields, kXdpFields);
  if (family == kTc || family == kCgroupSkb) add(fields, kSkbFields);
  if (family == kTc) add(fields, kTcFields);
  if (family == kCgroupSkb) add(fields, kCgroupSkbFields);
  if (family == kSockOps) add(fields, kSockOpsFields);
  if (family != kCgroupSockAddr) return fields;
  // The verifier lets each hook read the addresses of its own family alone.
  add(fields, kSockAddrFields);
  bool is_ipv6 = hook.ends_with('6');
  fields.push_back(is_ipv6 ? kUserIp6 : kUserIp4);
  fields.push_back(kUserPort);
  if (hook.starts_with("sendmsg")) fields.push_back(is_ipv6 ? kSourceIp6 : kSourceIp4);
  return fields;
}

std::string context_field_type(const ContextField &field) {
  TypeStore types;
  std::map<std::string, TypeRef> made;
  return to_string(field_type(types, made, field));
}

TypeRef context_type(TypeStore &types, std::map<std::string, TypeRef> &made, ProbeFamily family,
                     std::string_view hook) {
  bool has_hooks = family == kCgroupSockAddr;
  std::string name = family_name(family) + (has_hooks ? ":" + std::string(hook) : "") + "_args";
  TypeRef &type = made[name];
  if (type) return type;
  StructDef *def = types.new_struct();
  def->name = name;
  def->origin = StructDef::Origin::kContext;
  for (const ContextField &field : context_fields(family, hook)) {
    StructDef::Member member;
    member.name = field.name;
    member.type = field_type(types, made, field);
    member.bit_offset = field.offset * 8;
    member.is_network_order = field.is_network_order;
    def->size = std::max(def->size, field.offset + types.size_of(member.type));
    def->members.push_back(std::move(member));
  }
  def->is_complete = true;
  TypeRef made_type = types.struct_type(def);
  return made[name] = made_type;
}

}  // namespace awl::frontend
