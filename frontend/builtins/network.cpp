// Network addresses.
//
// After the checks: the argument of macaddr is an array of 6 bytes or a pointer to them; the address of ntop is a uint32, an array of 4 or 16 bytes, or a string of that
// size; its family, when given, is uint64. pton's argument is a string literal that holds an address.
#include <arpa/inet.h>

#include "frontend/builtins/check_builtin.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kPacketWhole, Error, "packet-whole", "pkt is no value by itself");

namespace {

constexpr uint32_t kIpv4Bytes = 4, kIpv6Bytes = 16, kMacBytes = 6;

bool is_bytes(TypeRef type) {
  return type->is_string() ||
         (type->kind == TypeKind::kArray && type->element->is_integral());
}

TypeRef check_ntop(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  size_t position = arguments.size() - 1;
  if (position == 1 && !c.integer(arguments, 0, c.checker.uint64())) return nullptr;
  TypeRef type = arguments[position]->type;
  if (type->is_integer()) {
    c.checker.convert(arguments[position], c.checker.integer(kIpv4Bytes, false));
  } else if (!is_bytes(type)) {
    c.refuse_type(*arguments[position], "an integer or array", position);
    return nullptr;
  } else if (type->size != kIpv4Bytes && type->size != kIpv6Bytes) {
    return c.refuse(arguments[position]->span, "the address must be 4 or 16 bytes in size");
  }
  return c.types().simple(TypeKind::kInet);
}

TypeRef check_pton(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  const std::string *text = c.text(arguments, 0);
  if (!text) return nullptr;
  uint8_t bytes[kIpv6Bytes];
  bool is_ipv6 = text->find(':') != std::string::npos;
  if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text->c_str(), bytes) != 1) {
    return c.refuse(arguments[0]->span, "'" + *text + "' is no IPv4 or IPv6 address");
  }
  return c.types().array(c.checker.integer(1, false), is_ipv6 ? kIpv6Bytes : kIpv4Bytes);
}

TypeRef check_macaddr(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  TypeRef type = arguments[0]->type;
  if (type->is_pointer()) return c.types().simple(TypeKind::kMacAddress);
  if (!is_bytes(type) || type->size != kMacBytes) {
    c.refuse_type(*arguments[0], "an array of 6 bytes or a pointer", 0);
    return nullptr;
  }
  return c.types().simple(TypeKind::kMacAddress);
}

TypeRef check_pkt(BuiltinContext &c, ast::Expr &expr, Arguments &) {
  if (!c.is_in({ProbeFamily::kXdp, ProbeFamily::kTc, ProbeFamily::kCgroupSkb})) return nullptr;
  if (c.checker.is_member_object(expr)) return c.probe().packet_type;
  c.report(expr.span, kPacketWhole).hint("read a header or a field of it: pkt.tcp, pkt.len");
  return nullptr;
}

TypeRef check_socket_cookie(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  bool is_right =
      arguments.empty() ? c.is_in({ProbeFamily::kTc, ProbeFamily::kCgroupSkb, ProbeFamily::kSockOps,
                                   ProbeFamily::kCgroupSockAddr})
                        : c.is_in({ProbeFamily::kFentry, ProbeFamily::kFexit}) &&
                              c.address(arguments, 0);
  return is_right ? c.checker.uint64() : nullptr;
}

TypeRef check_skboutput(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (!c.text(arguments, 0)) return nullptr;
  TypeRef packet = arguments[1]->type;
  bool is_packet = packet->is_pointer() && packet->element && packet->element->is_struct() &&
                   packet->element->struct_def->name == "sk_buff";
  if (!is_packet) {
    c.refuse_type(*arguments[1], "a struct sk_buff *", 1);
    return nullptr;
  }
  bool is_right = c.integer(arguments, 2, c.checker.uint64()) && c.integer(arguments, 3, c.checker.uint64());
  return is_right ? c.checker.integer(4, false) : nullptr;
}

}  // namespace

std::vector<Builtin> network_builtins() {
  return {
      {.name = "ntop", .signature = "inet ntop([int64 family, ] int|char[4]|char[16] address)",
       .description = "An IPv4 or IPv6 address as text.", .min_arguments = 1, .max_arguments = 2,
       .check = check_ntop},
      {.name = "pton", .signature = "uint8[4]|uint8[16] pton(const string address)",
       .description = "An address written as text as bytes.", .min_arguments = 1, .max_arguments = 1, .check = check_pton},
      {.name = "macaddr", .signature = "macaddr_t macaddr(char[6]|void * address)",
       .description = "A hardware address.", .min_arguments = 1, .max_arguments = 1, .check = check_macaddr},
      {.name = "pkt", .signature = "struct pkt pkt",
       .description = "The packet: its headers, length and payload.", .is_value = true, .check = check_pkt},
      {.name = "socket_cookie", .signature = "uint64 socket_cookie([struct sock * socket])",
       .description = "The cookie of a socket; in network probes, of the packet's or call's.",
       .max_arguments = 1, .check = check_socket_cookie},
      {.name = "skboutput", .signature = "uint32 skboutput(const string path, struct sk_buff * packet, uint64 length, uint64 offset)",
       .description = "Writes a packet to a pcap file.", .min_arguments = 4, .max_arguments = 4,
       .is_async = true, .check = check_skboutput},
  };
}

}  // namespace awl::frontend
