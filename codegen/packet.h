// What finding a packet's headers (lower_packet.cpp) and reading them (read_packet.cpp) share.
#pragma once

#include <cstddef>

#include "frontend/ast/ast.h"
#include "frontend/probes/network.h"

namespace awl::codegen {

// Where a header is in Packet::parts.
inline size_t index_of(frontend::PacketHeader header) { return static_cast<size_t>(header); }

// `pkt`, or null.
inline const frontend::ast::Identifier *as_packet(const frontend::ast::Expr *expr) {
  auto *name = frontend::ast::as<frontend::ast::Identifier>(expr);
  return name && name->name == "pkt" ? name : nullptr;
}

}  // namespace awl::codegen
