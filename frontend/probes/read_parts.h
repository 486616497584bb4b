// The functions that read the parts of attach points, one for each family or kind of families.
// They are named in the table in families.cpp and fill in what ProbeSpec says about the target.
#pragma once

#include <string>

#include "frontend/probes/families.h"
#include "frontend/probes/probe_diagnostics.h"

namespace awl::frontend {

// interval:UNIT:COUNT, profile:UNIT:RATE
bool read_timer(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// software:EVENT:COUNT, hardware:EVENT:COUNT
bool read_perf_event(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// watchpoint:ADDRESS:LENGTH:MODE, watchpoint:[BINARY:]FUNCTION+argN:LENGTH:MODE
bool read_watched_function(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
bool read_watchpoint(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// self:signal:SIGUSR1
bool read_self(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// test:NAME, bench:NAME
bool read_named(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// tracepoint:CATEGORY:EVENT
bool read_tracepoint(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// rawtracepoint:[MODULE:]EVENT
bool read_raw_tracepoint(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// syscall:NAME[:enter|exit]
bool read_syscall(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// kprobe:[MODULE:]FUNCTION[+OFFSET], kprobe:ADDRESS
bool read_kprobe(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// fentry:[MODULE:]FUNCTION, fentry:bpf:[ID:]FUNCTION
bool read_fentry(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// iter:OBJECT[:PIN]
bool read_iter(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// lsm:HOOK
bool read_lsm(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// uprobe:BINARY:FUNCTION[+OFFSET], uprobe:BINARY:ADDRESS
bool read_user_function(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// usdt:BINARY:[PROVIDER:]NAME
bool read_usdt(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// xdp:INTERFACE, tc:INTERFACE:DIRECTION
bool read_interface(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);
// cgroup_skb:PATH:DIRECTION, sock_ops:PATH[:OPERATION], cgroup_sock_addr:PATH:HOOK
bool read_cgroup(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec);

// The place of a part, the whole attach point where the builder gave none.
Span part_span(const ast::AttachPoint &point, size_t index);

// Says that what is to be traced does not exist ("tracepoint sched:foo"), as the configuration
// variable missing_probes wants it. Always false: the attach point is left out.
bool report_missing(ProbeContext &context, Span span, const std::string &what,
                    const std::string &hint = "");

// "did you mean X?" or nothing.
std::string suggestion(const std::string &nearest);

}  // namespace awl::frontend
