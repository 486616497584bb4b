// Attach points of the network families.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/diagnostics/nearest_name.h"
#include "frontend/probes/network.h"
#include "frontend/probes/read_parts.h"

namespace awl::frontend {
namespace {

// Verdicts that are no enumerators in the kernel, for `return`
// (include/uapi/linux/pkt_cls.h, bpf.h).
constexpr std::pair<const char *, int64_t> kVerdicts[] = {
    {"TC_ACT_UNSPEC", -1}, {"TC_ACT_OK", 0}, {"TC_ACT_SHOT", 2}, {"XDP_ABORTED", 0},
    {"XDP_DROP", 1},       {"XDP_PASS", 2},  {"XDP_TX", 3},
};

// One of the words that may stand there, or an error.
bool read_word(ProbeContext &context, const ast::AttachPoint &point, size_t index,
               const std::vector<std::string> &words, const char *what, ProbeSpec &spec) {
  const std::string &word = point.parts[index];
  if (std::find(words.begin(), words.end(), word) != words.end()) {
    spec.category = word;
    return true;
  }
  std::string known;
  for (const std::string &one : words) known += (known.empty() ? "" : ", ") + one;
  std::string hint = suggestion(nearest_name(word, words));
  context.diagnostics
      .emit(part_span(point, index), kProbeUnknownHook, word, what, family_name(spec.family))
      .hint(hint.empty() ? "there are " + known : hint);
  return false;
}

std::vector<std::string> directions() { return {std::begin(kDirections), std::end(kDirections)}; }

void set_types(ProbeContext &context, ProbeSpec &spec) {
  spec.args_type = context_type(context.types, context.made_types, spec.family, spec.category);
  if (has_packet(spec.family)) spec.packet_type = packet_type(context.types, context.made_types);
  for (const auto &[name, value] : kVerdicts) {
    TypeStore::Constant known;
    if (!context.types.find_constant(name, &known)) context.types.define_constant(name, value);
  }
}

}  // namespace

bool read_interface(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  const std::string &interface = point.parts[0];
  if (interface.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family_name(spec.family),
                             "a network interface");
    return false;
  }
  spec.target = interface;
  spec.has_wildcard = has_wildcard(interface);
  bool is_right = true;
  if (point.parts.size() == 2 && point.parts[1] == "*") {
    spec.category = "*";
  } else if (point.parts.size() == 2) {
    is_right = read_word(context, point, 1, directions(), "a direction", spec);
  }
  if (is_right) set_types(context, spec);
  return is_right;
}

bool read_cgroup(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  const std::string &path = point.parts[0];
  if (path.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family_name(spec.family),
                             "the path of a cgroup");
    return false;
  }
  if (has_wildcard(path)) {
    context.diagnostics.emit(part_span(point, 0), kProbeWildcardNotAllowed,
                             family_name(spec.family));
    return false;
  }
  spec.target = path;
  bool is_right = true;
  if (spec.family == ProbeFamily::kCgroupSkb && point.parts[1] == "*") {
    spec.category = "*";
  } else if (spec.family == ProbeFamily::kCgroupSkb) {
    is_right = read_word(context, point, 1, directions(), "a direction", spec);
  } else if (spec.family == ProbeFamily::kCgroupSockAddr) {
    std::span<const std::string_view> hooks = socket_address_hooks();
    is_right = read_word(context, point, 1, {hooks.begin(), hooks.end()}, "a hook", spec);
  } else if (point.parts.size() > 1) {
    std::vector<std::string> names;
    for (const SocketOperation &operation : socket_operations()) names.emplace_back(operation.name);
    is_right = read_word(context, point, 1, names, "an operation", spec);
  }
  if (is_right) set_types(context, spec);
  return is_right;
}

}  // namespace awl::frontend
