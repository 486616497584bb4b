#include <gtest/gtest.h>

#include "fake_target.h"
#include "frontend/passes/resolve_probes.h"
#include "frontend/probes/families.h"
#include "frontend/probes/probe_text.h"
#include "frontend/probes/tracepoint_arguments.h"

namespace awl::frontend {
namespace {

struct ProbesTest : testing::Test {
  ProbesTest() {
    target.add_field("syscalls:sys_enter_openat", "int", "__syscall_nr", 4, true);
    target.add_field("syscalls:sys_enter_openat", "int", "dfd", 8);
    target.add_field("syscalls:sys_enter_openat", "const char *", "filename", 8);
    target.add_field("syscalls:sys_enter_open", "int", "__syscall_nr", 4, true);
    target.add_field("syscalls:sys_enter_open", "const char *", "filename", 8);
    target.add_field("syscalls:sys_exit_openat", "int", "__syscall_nr", 4, true);
    target.add_field("syscalls:sys_exit_openat", "long", "ret", 8, true);
    target.add_field("sched:sched_switch", "char[16]", "comm", 16);
    target.add_field("sched:sched_switch", "pid_t", "pid", 4, true);
    target.add_field("sched:sched_wakeup", "char[16]", "comm", 16);
    target.add_field("sched:sched_wakeup", "pid_t", "pid", 4, true);
    target.add_field("sched:sched_wait", "int", "reason", 4, true);
    target.raw_events = {{"sched_switch", {"preempt", "prev", "next"}}, {"sched_exit", {"p"}}};
    target.functions = {{"vmlinux:vfs_read", {"file", "buf", "count"}},
                        {"vmlinux:vfs_write", {"file", "buf", "count"}},
                        {"vmlinux:vfs_open", {"path", "file"}},
                        {"ext4:ext4_open", {"inode"}}};
    target.binaries = {{"/bin/app", {"main", "do_work", "do_rest"}},
                       {"/lib/libc.so.6", {"malloc"}}};
    target.libraries = {{"libc", "/lib/libc.so.6"}};
  }

  // "a:b,c:d" as one clause, with `args.<field>` for each of the fields.
  ast::Clause *clause(const std::string &text, const std::vector<std::string> &fields = {}) {
    auto *result = make<ast::Clause>();
    for (size_t begin = 0; begin <= text.size();) {
      size_t end = std::min(text.find(',', begin), text.size());
      result->attach_points.push_back(point(text.substr(begin, end - begin)));
      begin = end + 1;
    }
    result->body = make<ast::Block>();
    for (const std::string &field : fields) {
      auto *args = compilation.context.make<ast::Identifier>(Span{}, "args");
      ast::Expr *expr = args;
      if (field != "*") {
        expr = compilation.context.make<ast::FieldAccess>(Span{}, args, field, Span{});
      }
      result->body->statements.push_back(compilation.context.make<ast::ExprStmt>(Span{}, expr));
    }
    return result;
  }

  ast::AttachPoint *point(const std::string &text) {
    auto *result = make<ast::AttachPoint>();
    result->text = text;
    size_t colon = std::min(text.find(':'), text.size());
    result->provider = text.substr(0, colon);
    while (colon < text.size()) {
      size_t next = std::min(text.find(':', colon + 1), text.size());
      result->parts.push_back(text.substr(colon + 1, next - colon - 1));
      result->part_spans.push_back(Span{});
      colon = next;
    }
    return result;
  }

  const std::vector<ProgramInfo> &resolve(std::vector<ast::Clause *> clauses) {
    program.clauses = std::move(clauses);
    compilation.checked.programs.clear();
    resolve_probes(compilation, program, target, options);
    return compilation.checked.programs;
  }

  // The spec of a single attach point; empty name when there is none.
  ProbeSpec spec(const std::string &text) {
    compilation.diagnostics = {};
    const auto &programs = resolve({clause(text)});
    return programs.empty() ? ProbeSpec{} : programs[0].probes[0];
  }
  std::string name(const std::string &text) { return spec(text).name; }
  std::string error(const std::string &text) {
    spec(text);
    return first_error();
  }
  std::string first_error() {
    return compilation.diagnostics.all().empty() ? "" : compilation.diagnostics.all()[0].kind->id;
  }

  template <class T>
  T *make() {
    return compilation.context.make<T>(Span{});
  }

  Compilation compilation;
  ast::Program program{Span{}};
  FakeTarget target;
  Options options;
};

TEST_F(ProbesTest, CanonicalNames) {
  EXPECT_EQ(name("BEGIN"), "begin");
  EXPECT_EQ(name("end"), "end");
  EXPECT_EQ(name("i:s:1"), "interval:s:1");
  EXPECT_EQ(name("interval:1s"), "interval:us:1000000");
  EXPECT_EQ(name("interval:1e8"), "interval:us:100000");
  EXPECT_EQ(name("interval:ms:0x10"), "interval:ms:16");
  EXPECT_EQ(name("p:hz:99"), "profile:hz:99");
  EXPECT_EQ(name("s:cpu:1e6"), "software:cpu:1000000");
  EXPECT_EQ(name("s:faults"), "software:faults");
  EXPECT_EQ(name("s:faults:"), "software:faults");
  EXPECT_EQ(name("t:sched:sched_switch"), "tracepoint:sched:sched_switch");
  EXPECT_EQ(name("rt:sched_switch"), "rawtracepoint:vmlinux:sched_switch");
  EXPECT_EQ(name("u:/bin/app:main"), "uprobe:/bin/app:main");
  EXPECT_EQ(name("uprobe:/bin/app:main+0x4"), "uprobe:/bin/app:main+4");
  EXPECT_EQ(name("u:/bin/app:0x1139"), "uprobe:/bin/app:4409");
  EXPECT_EQ(name("ur:libc:malloc"), "uretprobe:/lib/libc.so.6:malloc");
  EXPECT_EQ(name("self:signal:SIGUSR1"), "self:signal:SIGUSR1");
  EXPECT_EQ(name("syscall:newfstat:exit"), "syscall:fstat:exit");
  EXPECT_EQ(name("syscall:open*:enter"), "syscall:open*:enter");
  EXPECT_EQ(name("h:cycles:1e6"), "hardware:cycles:1000000");
  EXPECT_EQ(name("k:vfs_read"), "kprobe:vfs_read");
  EXPECT_EQ(name("kprobe:vfs_read+0x8"), "kprobe:vfs_read+0x8");
  EXPECT_EQ(name("kr:ext4:ext4_*"), "kretprobe:ext4:ext4_*");
  EXPECT_EQ(name("f:vfs_read"), "fentry:vfs_read");
  EXPECT_EQ(name("kretfunc:vmlinux:vfs_read"), "fexit:vmlinux:vfs_read");
  EXPECT_EQ(name("fentry:bpf:12:f"), "fentry:bpf:12:f");
  EXPECT_EQ(name("w:0x1000:4:wr"), "watchpoint:0x1000:4:rw");
  EXPECT_EQ(name("aw:main+arg1:4:wr"), "watchpoint:main+arg1:4:rw");
  EXPECT_EQ(first_error(), "");
}

TEST_F(ProbesTest, ReadsTheParts) {
  EXPECT_EQ(spec("interval:ms:5").period_ns, 5'000'000u);
  EXPECT_EQ(spec("profile:hz:99").frequency, 99u);
  EXPECT_EQ(spec("s:faults:100").sample_period, 100u);
  ProbeSpec function = spec("u:/bin/app:do_work+8");
  EXPECT_EQ(function.binary, "/bin/app");
  EXPECT_EQ(function.target, "do_work");
  EXPECT_EQ(function.offset, 8u);
  ProbeSpec address = spec("u:/bin/app:0x10");
  EXPECT_TRUE(address.has_address);
  EXPECT_EQ(address.address, 16u);
  EXPECT_TRUE(spec("u:/bin/app:do_*").has_wildcard);
  EXPECT_NE(spec("ur:/bin/app:main").retval_type, nullptr);
  EXPECT_TRUE(spec("t:sched:*").has_wildcard);
  EXPECT_EQ(spec("k:vfs_read+0x8").offset, 8u);
  EXPECT_EQ(spec("k:ext4:ext4_*").category, "ext4");
  EXPECT_EQ(spec("f:bpf:12:f*").address, 12u);
  EXPECT_EQ(spec("watchpoint:4096:8:x").mode, "x");
}

TEST_F(ProbesTest, Errors) {
  EXPECT_EQ(error("kprbe:x"), "probe-unknown-provider");
  EXPECT_EQ(error("U:/bin/app:x"), "probe-binary-not-found");
  EXPECT_EQ(error("iter:task"), "probe-missing-target");
  EXPECT_EQ(error("hardware:cycle"), "probe-unknown-event");
  EXPECT_EQ(error("interval"), "probe-argument-count");
  EXPECT_EQ(error("interval:s:1:2"), "probe-argument-count");
  EXPECT_EQ(error("begin:1"), "probe-argument-count");
  EXPECT_EQ(error("interval:s:x"), "probe-bad-number");
  EXPECT_EQ(error("interval:s:1s"), "probe-bad-number");
  EXPECT_EQ(error("interval:s:0"), "probe-bad-period");
  EXPECT_EQ(error("interval:s:-1"), "probe-bad-period");
  EXPECT_EQ(error("interval:999"), "probe-short-period");
  EXPECT_EQ(error("interval:d:1"), "probe-unknown-unit");
  EXPECT_EQ(error("s:fault"), "probe-unknown-event");
  EXPECT_EQ(error("s:cpu*"), "probe-wildcard-not-allowed");
  EXPECT_EQ(error("s:"), "probe-missing-part");
  EXPECT_EQ(error("self:signal:SIGFOO"), "probe-unknown-signal");
  EXPECT_EQ(error("self:sig:SIGUSR1"), "probe-unknown-trigger");
  EXPECT_EQ(error("t:sched:"), "probe-missing-part");
  EXPECT_EQ(error("t:sched:sched_swich"), "probe-missing-target");
  EXPECT_EQ(compilation.diagnostics.all()[0].hint, "did you mean 'sched:sched_switch'?");
  EXPECT_EQ(error("t:nosuch:*"), "probe-missing-target");
  EXPECT_EQ(error("rt:nosuch"), "probe-missing-target");
  EXPECT_EQ(error("rt:sched:sched_switch"), "probe-missing-target");
  EXPECT_EQ(error("u:/bin/app:do_wrk"), "probe-missing-target");
  EXPECT_EQ(compilation.diagnostics.all()[0].hint, "did you mean 'do_work'?");
  EXPECT_EQ(error("u:/bin/none:main"), "probe-binary-not-found");
  EXPECT_EQ(error("u:/bin/app:main+x"), "probe-bad-number");
  EXPECT_EQ(error("ur:/bin/app:main+4"), "probe-offset-not-allowed");
  EXPECT_EQ(error("u:/bin/app:cp:main"), "probe-unknown-qualifier");
  EXPECT_EQ(error("ur:/bin/app@a.c:3"), "probe-offset-not-allowed");
  EXPECT_EQ(error("u:/bin/app@a.c:0"), "probe-bad-number");
  EXPECT_EQ(error("u:/bin/app@a.c:3"), "probe-missing-target");
  EXPECT_EQ(error("test:x"), "no-probes");
  EXPECT_EQ(error("kprobe:"), "probe-missing-part");
  EXPECT_EQ(error("kprobe:f+x"), "probe-bad-number");
  EXPECT_EQ(error("kretprobe:f+4"), "probe-offset-not-allowed");
  EXPECT_EQ(error("kprobe:f*+4"), "probe-wildcard-not-allowed");
  EXPECT_EQ(error("kprobe:0xffffffff81000000"), "probe-address-unsafe");
  EXPECT_EQ(error("kprobe:vfs_raed"), "probe-missing-target");
  EXPECT_EQ(compilation.diagnostics.all()[0].hint, "did you mean 'vfs_read'?");
  EXPECT_EQ(error("fentry:no_such_function"), "probe-missing-target");
  EXPECT_EQ(error("fentry:f+4"), "probe-offset-not-allowed");
  EXPECT_EQ(error("fentry:a:b:c"), "probe-argument-count");
  EXPECT_EQ(error("fexit:bpf:x:f"), "probe-bad-number");
  EXPECT_EQ(error("watchpoint:main:8:w"), "probe-bad-number");
  EXPECT_EQ(error("watchpoint:main+arg6:8:w"), "probe-bad-number");
  EXPECT_EQ(error("watchpoint:m*+arg1:8:w"), "probe-bad-number");
  EXPECT_EQ(error("watchpoint:0x1000:3:w"), "probe-bad-number");
  EXPECT_EQ(error("watchpoint:0x1000:8:wx"), "probe-watch-mode");
  EXPECT_EQ(error("watchpoint:0x1001:8:w"), "probe-unaligned-watch");
}

TEST_F(ProbesTest, FunctionsHaveTypedArguments) {
  const auto &programs = resolve({clause("fentry:vfs_read", {"count"})});
  ASSERT_EQ(programs.size(), 1u);
  TypeRef args = programs[0].probes[0].args_type;
  ASSERT_NE(args, nullptr);
  const StructDef &def = compilation.types.complete(args->struct_def);
  EXPECT_EQ(def.members.at(2).name, "count");
  EXPECT_EQ(def.members.at(2).bit_offset, 128u);
  EXPECT_EQ(def.size, 24u);
}

TEST_F(ProbesTest, APatternOfFunctionsIsDividedByWhatIsUsedOfTheArguments) {
  // `file` is the first argument of two and the second of one: the loader finds it.
  const auto &alike = resolve({clause("fentry:vfs_*", {"file"})});
  ASSERT_EQ(alike.size(), 1u);
  EXPECT_EQ(alike[0].probes.at(0).name, "fentry:vfs_*");
  const auto &parted = resolve({clause("fentry:vfs_*", {"count"})});
  ASSERT_EQ(parted.size(), 2u);
  const auto &whole = resolve({clause("fentry:*", {})});
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_EQ(whole[0].probes.at(0).args_type, nullptr);
}

TEST_F(ProbesTest, MissingProbesMayBeLeftOut) {
  compilation.checked.config.missing_probes = "warn";
  resolve({clause("t:sched:nosuch,begin"), clause("t:sched:nosuch")});
  EXPECT_FALSE(compilation.diagnostics.has_errors());
  EXPECT_EQ(first_error(), "probe-missing-target-skipped");
  ASSERT_EQ(compilation.checked.programs.size(), 1u);
  EXPECT_EQ(compilation.checked.programs[0].probes.size(), 1u);
  EXPECT_EQ(program.clauses.size(), 1u);
}

TEST_F(ProbesTest, AheadOfTimeKeepsWhatTheRuntimeFinds) {
  options.is_ahead_of_time = true;
  EXPECT_EQ(spec("u:libc:malloc").binary, "libc");
  EXPECT_EQ(spec("t:other:machine").name, "tracepoint:other:machine");
  EXPECT_EQ(spec("u:/bin/app:$1").target, "$1");
}

TEST_F(ProbesTest, ParametersArePutIn) {
  options.parameters = {"main", "s:3"};
  EXPECT_EQ(name("u:/bin/app:$1"), "uprobe:/bin/app:main");
  EXPECT_EQ(name("interval:$2"), "interval:s:3");
  EXPECT_EQ(error("u:/bin/app:$3"), "probe-parameter-missing");  // then probe-missing-part
}

TEST_F(ProbesTest, OneProgramForAttachPointsOfOneFamily) {
  const auto &programs =
      resolve({clause("t:sched:sched_switch,t:sched:sched_wait,begin,t:syscalls:sys_enter_open")});
  ASSERT_EQ(programs.size(), 3u);
  EXPECT_EQ(programs[0].probes.size(), 2u);
  EXPECT_EQ(programs[1].probes[0].family, ProbeFamily::kBegin);
  EXPECT_EQ(programs[2].probes[0].category, "syscalls");
  EXPECT_NE(programs[0].clause, programs[1].clause);
  EXPECT_EQ(programs[2].clause_index, 0u);
  EXPECT_EQ(program.clauses.size(), 3u);
}

TEST_F(ProbesTest, PatternsOfSystemCallsAreSplit) {
  const auto &programs = resolve({clause("t:syscalls:*open*")});
  ASSERT_EQ(programs.size(), 2u);
  EXPECT_EQ(programs[0].probes[0].target, "sys_enter_*open*");
  EXPECT_EQ(programs[1].probes[0].target, "sys_exit_*open*");
  EXPECT_EQ(patterns_with_prefix("*", "sys_enter_"), std::vector<std::string>{"sys_enter_*"});
  EXPECT_EQ(patterns_with_prefix("sys_exit_x", "sys_enter_"), std::vector<std::string>{});
  EXPECT_EQ(patterns_with_prefix("*enter_open", "sys_enter_"),
            (std::vector<std::string>{"sys_enter_*enter_open", "sys_enter_open"}));
}

TEST_F(ProbesTest, SystemCallsHaveTwoEnds) {
  const auto &programs = resolve({clause("syscall:openat", {"flags", "filename"})});
  ASSERT_EQ(programs.size(), 2u);
  EXPECT_EQ(programs[0].probes[0].name, "syscall:openat:enter");
  EXPECT_FALSE(is_exit_probe(programs[0].probes[0]));
  ASSERT_TRUE(programs[0].probes[0].args_type);
  EXPECT_EQ(programs[0].probes[0].args_type->struct_def->origin,
            StructDef::Origin::kProbeArguments);
  EXPECT_TRUE(is_exit_probe(programs[1].probes[0]));
  EXPECT_TRUE(programs[1].probes[0].retval_type);
  ASSERT_TRUE(programs[1].probes[0].args_type);
  const StructDef &entry = *programs[1].probes[0].entry_type->struct_def;
  EXPECT_EQ(entry.origin, StructDef::Origin::kEntryArguments);
  ASSERT_EQ(entry.members.size(), 4u);
  EXPECT_EQ(entry.members[2].name, "flags");
  EXPECT_EQ(to_string(entry.members[2].type), "int32");
  EXPECT_EQ(entry.members[2].bit_offset, 128u);
}

TEST(SyscallTable, IsInOrder) {
  std::vector<std::string> names = matching_syscalls("*");
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const std::string &name : names) {
    std::vector<SyscallParameter> parameters;
    EXPECT_TRUE(find_syscall_parameters(name, &parameters)) << name;
    EXPECT_LE(parameters.size(), 6u) << name;
    for (const SyscallParameter &parameter : parameters) {
      EXPECT_FALSE(parameter.type_text.empty() || parameter.name.empty()) << name;
    }
  }
}

TEST_F(ProbesTest, ArgumentsOfTracepoints) {
  const auto &programs = resolve({clause("t:syscalls:sys_enter_openat", {"filename"})});
  ASSERT_EQ(programs.size(), 1u);
  TypeRef args = programs[0].probes[0].args_type;
  ASSERT_NE(args, nullptr);
  EXPECT_EQ(to_string(args), "struct tracepoint:syscalls:sys_enter_openat_args");
  MemberPath path;
  ASSERT_TRUE(find_member(compilation.types, args->struct_def, "filename", &path));
  EXPECT_EQ(path.bit_offset, 24u * 8);
  EXPECT_EQ(path.members[0]->type->address_space, AddressSpace::kUser);
  ASSERT_TRUE(find_member(compilation.types, args->struct_def, "dfd", &path));
  EXPECT_EQ(path.members[0]->type, compilation.types.uint64());
}

TEST_F(ProbesTest, EqualArgumentsShareAProgram) {
  const auto &same = resolve({clause("t:sched:sched_sw*,t:sched:sched_wakeup", {"pid"})});
  ASSERT_EQ(same.size(), 1u);
  EXPECT_EQ(same[0].probes.size(), 2u);
  EXPECT_TRUE(same[0].probes[0].has_wildcard);
}

TEST_F(ProbesTest, DifferentArgumentsAreSplit) {
  const auto &split = resolve({clause("t:syscalls:sys_enter_open*", {"filename"})});
  ASSERT_EQ(split.size(), 2u);
  for (const ProgramInfo &info : split) {
    EXPECT_EQ(info.probes.size(), 1u);
    EXPECT_FALSE(info.probes[0].has_wildcard);
  }
  // Where a field is missing, the type says so, under the name of the event.
  const auto &missing = resolve({clause("t:sched:*", {"pid"})});
  ASSERT_EQ(missing.size(), 2u);
  bool has_lack = false;
  for (const ProgramInfo &info : missing) {
    MemberPath path;
    StructDef *def = info.probes[0].args_type->struct_def;
    if (find_member(compilation.types, def, "pid", &path)) continue;
    has_lack = true;
    EXPECT_EQ(def->name, "tracepoint:sched:sched_wait_args");
  }
  EXPECT_TRUE(has_lack);
}

TEST_F(ProbesTest, ArgumentsOfRawTracepoints) {
  const auto &programs = resolve({clause("rt:sched_switch", {"prev"})});
  ASSERT_EQ(programs.size(), 1u);
  MemberPath path;
  ASSERT_TRUE(
      find_member(compilation.types, programs[0].probes[0].args_type->struct_def, "prev", &path));
  EXPECT_EQ(path.bit_offset, 64u);
}

TEST_F(ProbesTest, ArgumentsThatCannotBeKnown) {
  target.btf = false;
  resolve({clause("rt:sched_switch", {"prev"})});
  EXPECT_EQ(first_error(), "probe-arguments-unknown");
}

TEST(TracepointFieldType, FollowsTheFormat) {
  TypeStore types;
  auto type = [&](const char *text, uint32_t size, bool is_signed = false) {
    TracepointField field{"x",  text,      8,
                          size, is_signed, std::string_view(text).starts_with("__data_loc")};
    return tracepoint_field_type(types, field, AddressSpace::kKernel, 64);
  };
  EXPECT_EQ(type("char[16]", 16), types.array(types.integer(1, true), 16));
  EXPECT_EQ(type("unsigned long[6]", 48), types.array(types.uint64(), 6));
  EXPECT_EQ(type("pid_t", 4, true), types.integer(4, true));
  EXPECT_EQ(type("int", 8), types.uint64());
  EXPECT_EQ(type("bool", 1), types.boolean());
  EXPECT_EQ(type("nosuch_t", 2, true), types.integer(2, true));
  EXPECT_EQ(type("const char *const *", 8),
            types.pointer(types.pointer(types.integer(1, true), AddressSpace::kKernel),
                          AddressSpace::kKernel));
  EXPECT_EQ(type("struct nosuch *", 8), types.pointer(types.void_type(), AddressSpace::kKernel));
  EXPECT_EQ(type("__data_loc char[]", 4), types.string(64));
  EXPECT_EQ(type("struct nosuch", 12), types.array(types.integer(1, false), 12));
  EXPECT_EQ(type("u8[TASK_COMM_LEN]", 16), types.array(types.integer(1, false), 16));
}

TEST(ProbeNumber, ReadsWhatTheLanguageWrites) {
  EXPECT_EQ(parse_probe_number("1_000")->value, 1000u);
  EXPECT_EQ(parse_probe_number("017")->value, 15u);
  EXPECT_EQ(parse_probe_number("0x1F")->value, 31u);
  EXPECT_EQ(parse_probe_number("2e3")->value, 2000u);
  EXPECT_EQ(parse_probe_number("3ms")->value, 3'000'000u);
  EXPECT_TRUE(parse_probe_number("3ms")->has_unit);
  EXPECT_TRUE(parse_probe_number("-3")->is_negative);
  for (const char *text :
       {"", "-", "x", "1x", "0x", "1e99", "99999999999999999999", "1 ", "1e", "08"}) {
    EXPECT_FALSE(parse_probe_number(text)) << text;
  }
}

TEST(Families, NamesAndAliasesAreUnique) {
  std::map<std::string_view, const char *> names;
  for (const FamilyInfo &family : all_families()) {
    EXPECT_TRUE(names.emplace(family.name, family.name).second) << family.name;
    for (std::string_view alias : family.aliases) {
      EXPECT_TRUE(names.emplace(alias, family.name).second) << alias;
    }
    EXPECT_EQ(find_family(family.name), &family_info(family.family));
  }
}

}  // namespace
}  // namespace awl::frontend
