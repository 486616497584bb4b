#include <gtest/gtest.h>

#include <map>
#include <set>

#include "frontend/stdlib/standard_library.h"
#include "test/unit/check_contract.h"
#include "test/unit/fake_target.h"

namespace awl::frontend {
namespace {

// For each builtin a use that is right, the type it gives to `$a` (empty: none), and one that is
// wrong with the kind of its error.
struct Example {
  std::string name, right, type, wrong, error;
};

const Example kExamples[] = {
    // Of iterators alone: a right use is run.
    {"path", "", "", "$a = path(1);", "builtin-probe"},
    {"ctx", "", "", "$a = ctx;", "builtin-probe"},
    {"pid", "$a = pid(init);", "uint32", "$a = pid(foo);", "argument-value"},
    {"tid", "$a = tid();", "uint32", "$a = tid(1, 2);", "too-many-arguments"},
    {"pid_namespace", "$a = pid_namespace;", "uint64", "$a = pid_namespace(1);",
     "too-many-arguments"},
    {"uid", "$a = uid;", "uint64", "$a = uid(1);", "too-many-arguments"},
    {"gid", "$a = gid;", "uint64", "$a = gid(1);", "too-many-arguments"},
    {"comm", "$a = comm;", "string[16]", "$a = comm(1, 2);", "too-many-arguments"},
    {"nsecs", "$a = nsecs(monotonic) + nsecs;", "uint64", "$a = nsecs(noon);", "argument-value"},
    {"elapsed", "$a = elapsed;", "uint64", "$a = elapsed.x;", "not-a-struct"},
    {"cpu", "$a = cpu;", "uint64", "$a = cpu(1);", "too-many-arguments"},
    {"ncpus", "$a = ncpus;", "uint64", "$a = ncpus(1);", "too-many-arguments"},
    {"curtask", "$a = curtask;", "uint64", "$a = curtask(1);", "too-many-arguments"},
    {"rand", "$a = rand;", "uint32", "$a = rand(1);", "too-many-arguments"},
    {"cgroup", "$a = cgroup;", "uint64", "$a = cgroup(1);", "too-many-arguments"},
    {"probe", "$a = probe;", "probe_t", "$a = probe + 1;", "type-mismatch"},
    {"probetype", "$a = probetype;", "string[7]", "$a = probetype + 1;", "type-mismatch"},
    {"func", "$a = func;", "usym_t", "$a = func + 1;", "type-mismatch"},
    {"argN", "$a = arg5;", "uint64", "$a = arg0.x;", "not-a-struct"},
    {"retval", "", "", "$a = retval;", "builtin-probe"},
    {"duration", "", "", "$a = duration;", "builtin-probe"},
    {"entry", "", "", "$a = entry.arg0;", "builtin-probe"},
    {"args", "", "", "$a = args;", "probe-arguments-unknown"},
    {"cpid", "$a = cpid;", "uint32", "$a = cpid(1);", "too-many-arguments"},
    {"has_cpid", "$a = has_cpid;", "bool", "$a = has_cpid(1);", "too-many-arguments"},
    {"numaid", "$a = numaid;", "uint32", "$a = numaid(1);", "too-many-arguments"},
    {"jiffies", "$a = jiffies;", "uint64", "$a = jiffies(1);", "too-many-arguments"},
    {"username", "$a = username;", "username_t", "$a = username + 1;", "type-mismatch"},
    {"usermode", "$a = usermode;", "uint8", "$a = usermode(1);", "too-many-arguments"},
    {"pkt", "", "", "$a = pkt.tcp.dport;", "builtin-probe"},
    {"socket_cookie", "", "", "$a = socket_cookie();", "builtin-probe"},
    {"skboutput", "", "", "$a = skboutput(\"x.pcap\", arg0, 1, 0);", "argument-type"},
    {"printf", "printf(\"%d %s\", pid, comm);", "", "printf(\"%d\", comm);", "format-type"},
    {"errorf", "errorf(\"%d\", 1);", "", "errorf(1);", "argument-type"},
    {"warnf", "warnf(\"%d\", 1);", "", "warnf(\"%d\");", "format-too-few-arguments"},
    {"debugf", "debugf(\"%d %s\", pid, comm);", "", "debugf(\"%d %d %d %d\", 1, 2, 3, 4);",
     "argument-value"},
    {"typeinfo", "$a = typeinfo(pid).full_type;", "string[7]", "$a = typeinfo(pid).name;",
     "no-such-field"},
    {"print", "@m[1] = 1; print(@m, 5, 2); print((1, comm));", "", "print(1, 2);", "print-one"},
    {"exit", "exit(pid);", "", "exit(comm);", "argument-type"},
    {"time", "time(\"%H\");", "", "time(1);", "argument-type"},
    {"strftime", "$a = strftime(\"%H\", nsecs);", "timestamp", "$a = strftime(\"%H\", -1);",
     "argument-value"},
    {"join", "join(arg0, \",\");", "", "join(comm);", "argument-type"},
    {"cat", "cat(\"/proc/%d\", pid);", "", "cat(comm);", "argument-type"},
    {"system", "system(\"ls %d\", pid);", "", "system(comm);", "argument-type"},
    {"clear", "@m = 1; clear(@m);", "", "clear(1);", "map-argument"},
    {"zero", "@m = 1; zero(@m);", "", "zero(1);", "map-argument"},
    {"delete", "@m[1] = 1; delete(@m[2]); $a = delete(@m, 1);", "bool", "@m[1] = 1; delete(@m);",
     "needs-scalar-map"},
    {"has_key", "@m[1] = 1; $a = has_key(@m, 1);", "bool", "@m = 1; $a = has_key(@m, 1);",
     "needs-keyed-map"},
    {"find", "@m[1] = comm; let $a; _ = find(@m, 1, $a);", "string[16]",
     "@m[1] = 1; _ = find(@m, 1, 2);", "argument-type"},
    {"len", "@m[1] = 1; $a = len(@m) + len(kstack);", "int64", "@m = 1; $a = len(@m);",
     "needs-keyed-map"},
    {"str", "$a = str(arg0, 5);", "string[6]", "$a = str(arg0, -1);", "argument-value"},
    {"buf", "$a = buf(arg0, 10);", "buffer[14]", "$a = buf(arg0);", "argument-value"},
    {"strncmp", "$a = strncmp(comm, \"x\", 2);", "uint64", "$a = strncmp(comm, \"x\", pid);",
     "argument-type"},
    {"strlen", "$a = strlen(comm);", "uint64", "$a = strlen(1);", "argument-type"},
    {"strcap", "$a = strcap(comm);", "uint64", "$a = strcap(1);", "argument-type"},
    {"str_concat", "$a = str_concat(comm, \"x\");", "string[17]", "$a = str_concat(comm, 1);",
     "argument-type"},
    {"config", "$a = config.max_strlen;", "uint64", "$a = config.nosuch;", "no-such-field"},
    {"fail", "if (1 == 2) { fail(\"%d\", 1); }", "", "fail(\"%5d|%-4x|%s\", 1, 255, \"x\");",
     "fail"},
    {"strstr", "$a = strstr(comm, \"x\");", "int64", "$a = strstr(comm, 1);", "argument-type"},
    {"memcmp", "$a = memcmp(comm, \"abc\", 3);", "int64", "$a = memcmp(comm, 1, 3);",
     "argument-type"},
    {"bswap", "$a = bswap((uint16)1);", "uint16", "$a = bswap(comm);", "argument-type"},
    {"strerror", "$a = strerror(2);", "string[64]", "$a = strerror(comm);", "argument-type"},
    {"signal_name", "$a = signal_name(2);", "string[64]", "$a = signal_name(comm);",
     "argument-type"},
    {"syscall_name", "$a = syscall_name(2);", "string[64]", "$a = syscall_name(comm);",
     "argument-type"},
    {"kstack", "$a = kstack(perf, 3);", "kstack_perf_3", "$a = kstack(build_id);",
     "argument-value"},
    {"dw_ustack", "$a = dw_ustack(perf);", "dw_ustack_perf_127", "$a = dw_ustack(1, 2);",
     "argument-value"},
    {"ustack", "$a = ustack(build_id);", "ustack_build_id_127", "$a = ustack(-1);",
     "argument-value"},
    {"ksym", "$a = ksym(arg0);", "ksym_t", "$a = ksym(comm);", "argument-type"},
    {"usym", "$a = usym(arg0);", "usym_t", "$a = usym(comm);", "argument-type"},
    {"kaddr", "$a = kaddr(\"x\");", "uint64", "$a = kaddr(comm);", "argument-type"},
    {"kptr", "$a = kptr((uint8 *)arg0);", "uint8 *", "$a = kptr(comm);", "argument-type"},
    {"is_err", "$a = is_err(arg0);", "bool", "$a = is_err(comm);", "argument-type"},
    {"uptr", "$a = uptr(arg0);", "uint64 *", "$a = uptr(comm);", "argument-type"},
    {"ntop", "$a = ntop(2, arg0);", "inet", "$a = ntop((uint8[2])1);", "argument-value"},
    {"pton", "$a = pton(\"::1\");", "uint8[16]", "$a = pton(\"x\");", "argument-value"},
    {"macaddr", "$a = macaddr((uint8 *)arg0);", "mac_address", "$a = macaddr(1);", "argument-type"},
    {"reg", "$a = reg(\"ip\");", "uint64", "$a = reg(\"xx\");", "argument-value"},
    {"uaddr", "$a = uaddr(\"counter\");", "uint32 *", "$a = uaddr(\"none\");", "argument-value"},
    {"signal", "signal(\"SIGUSR1\"); signal(9);", "", "signal(\"SIGFOO\");", "argument-value"},
    {"signal_thread", "signal_thread(\"USR1\");", "", "signal_thread(0);", "argument-value"},
    {"cgroupid", "$a = cgroupid(\"/x\");", "uint64", "$a = cgroupid(1);", "argument-type"},
    {"cgroup_path", "$a = cgroup_path(cgroup, \"x\");", "cgroup_path_t", "$a = cgroup_path(comm);",
     "argument-type"},
    {"write_user", "$a = write_user(arg0, \"abc\", 3);", "bool", "$a = write_user(arg0, 1, 3);",
     "argument-type"},
    {"count", "@m = count();", "", "@m = count(1);", "too-many-arguments"},
    {"sum", "@m = sum(pid);", "", "@m = sum(comm);", "argument-type"},
    {"min", "@m = min(pid);", "", "@m = min(comm);", "argument-type"},
    {"max", "@m = max(pid);", "", "@m = max(comm);", "argument-type"},
    {"avg", "@m = avg(pid);", "", "@m = avg(comm);", "argument-type"},
    {"stats", "@m = stats(pid);", "", "@m = stats(comm);", "argument-type"},
    {"hist", "@m = hist(pid, 2);", "", "@m = hist(pid, 6);", "argument-value"},
    {"lhist", "@m = lhist(pid, 0, 100, 10);", "", "@m = lhist(pid, 0, 100, 0);", "argument-value"},
    {"tseries", "@m = tseries(pid, 1s, 5, \"avg\");", "", "@m = tseries(pid, 1s, 5, \"sun\");",
     "argument-value"},
    {"is_literal", "$a = is_literal(1);", "bool", "$a = is_literal();", "too-few-arguments"},
    {"is_str", "$a = is_str(comm);", "bool", "$a = is_str();", "too-few-arguments"},
    {"is_integer", "$a = is_integer(pid);", "bool", "$a = is_integer();", "too-few-arguments"},
    {"is_unsigned_integer", "$a = is_unsigned_integer(pid);", "bool", "$a = is_unsigned_integer();",
     "too-few-arguments"},
    {"is_ptr", "$a = is_ptr(arg0);", "bool", "$a = is_ptr();", "too-few-arguments"},
    {"is_array", "$a = is_array(comm);", "bool", "$a = is_array();", "too-few-arguments"},
    {"override", "", "", "override(1);", "builtin-probe"},
    {"unwatch", "unwatch(arg0);", "", "unwatch(comm);", "argument-type"},
    {"kfunc_exist", "$a = kfunc_exist(\"bpf_rcu_read_lock\");", "bool",
     "$a = kfunc_exist(\"a b\");", "argument-value"},
    {"kfunc_allowed", "$a = kfunc_allowed(\"bpf_rcu_read_lock\");", "bool",
     "$a = kfunc_allowed(comm);", "argument-type"},
    {"getopt", "$a = getopt(\"x\", \"y\", \"what\");", "string[256]", "$a = getopt(comm);",
     "argument-type"},
};

// The same for the macros of the standard library.
const Example kMacros[] = {
    {"assert", "assert(pid > 0, \"text\");", "", "assert(comm, \"text\");", "bad-operand"},
    {"assert_str", "assert_str(comm);", "", "assert_str(1);", "fail"},
    {"static_assert", "static_assert(1 == 1, \"text\");", "", "static_assert(pid == 1, \"text\");",
     "not-comptime"},
    {"ppid", "$a = ppid; $b = ppid(curtask);", "uint32", "$a = ppid(1);", "not-a-struct"},
    {"pcomm", "$a = pcomm; $b = pcomm(curtask);", "string[16]", "$a = pcomm(1, 2);",
     "macro-argument-count"},
    {"leader_tid", "$a = leader_tid; $b = leader_tid(curtask);", "uint32", "$a = leader_tid(comm);",
     "not-a-struct"},
    {"leader_comm", "$a = leader_comm; $b = leader_comm(curtask);", "string[16]",
     "$a = leader_comm(1);", "not-a-struct"},
    {"default_str_length", "$a = default_str_length;", "uint64", "$a = default_str_length(1);",
     "macro-argument-count"},
    {"strcontains", "$a = strcontains(comm, \"x\");", "bool", "$a = strcontains(comm, 1);", "fail"},
    {"comm", "$a = comm(1);", "string[16]", "$a = comm(\"x\");", "bad-cast"},
    {"percpu_kaddr", "$a = percpu_kaddr(\"x\"); $b = percpu_kaddr(\"x\", 1);", "uint64 *",
     "$a = percpu_kaddr(1);", "argument-type"},
    {"container_of", "$a = container_of(arg0, typeof(struct task_struct), pid);",
     "struct task_struct *", "$a = container_of(arg0, typeof(struct task_struct), nosuch);",
     "no-such-field"},
};

struct BuiltinsTest : testing::Test {
  BuiltinsTest() {
    target.binaries["/bin/app"] = {"f"};
    options.allow_unsafe = true;
    options.has_command = true;
  }
  bool compile(const std::string &body, const std::string &head = "") {
    compilation = std::make_unique<Compilation>();
    return frontend::compile(*compilation, "test.bt", head + "uprobe:/bin/app:f { " + body + " }",
                             target, options);
  }
  std::string first_error() {
    for (const Diagnostic &diagnostic : compilation->diagnostics.all()) {
      if (diagnostic.severity == Severity::kError) return diagnostic.kind->id;
    }
    return "";
  }
  FakeTarget target;
  Options options;
  std::unique_ptr<Compilation> compilation;
};

TEST_F(BuiltinsTest, RecordsAreWhole) {
  std::set<std::string_view> names;
  for (const Builtin &builtin : all_builtins()) {
    EXPECT_TRUE(names.insert(builtin.name).second) << builtin.name;
    EXPECT_TRUE(builtin.check) << builtin.name;
    EXPECT_FALSE(builtin.signature.empty()) << builtin.name;
    EXPECT_TRUE(builtin.description.ends_with('.')) << builtin.name;
    EXPECT_TRUE(builtin.max_arguments == -1 || builtin.min_arguments <= builtin.max_arguments)
        << builtin.name;
    if (builtin.map_argument == MapArgument::kAlways) {
      EXPECT_GE(builtin.min_arguments, 1) << builtin.name;
    }
    EXPECT_EQ(find_builtin(builtin.name), &builtin);
  }
  EXPECT_EQ(find_builtin("arg3"), find_builtin("argN"));
  EXPECT_EQ(find_builtin("arg"), nullptr);
  EXPECT_EQ(find_builtin("argx"), nullptr);
  EXPECT_EQ(find_builtin("nosuch"), nullptr);
}

TEST_F(BuiltinsTest, EachHasExamplesAndTheyAreJudgedRight) {
  std::map<std::string_view, const Example *> examples;
  for (const Example &example : kExamples) examples[example.name] = &example;
  for (const Builtin &builtin : all_builtins()) {
    ASSERT_TRUE(examples.contains(builtin.name)) << builtin.name << " has no example here";
    const Example &example = *examples[builtin.name];
    if (!example.right.empty()) {
      EXPECT_TRUE(compile(example.right)) << builtin.name << ": " << first_error();
      EXPECT_EQ(ContractChecker(*compilation).run(), "") << builtin.name;
      const auto &variables = compilation->checked.programs.at(0).clause->variables;
      if (!example.type.empty()) {
        ASSERT_FALSE(variables.empty());
        EXPECT_EQ(to_string(variables[0]->type), example.type) << builtin.name;
      }
    }
    EXPECT_FALSE(compile(example.wrong)) << builtin.name;
    EXPECT_EQ(first_error(), example.error) << builtin.name;
  }
}

TEST_F(BuiltinsTest, EachMacroHasExamplesAndTheyAreJudgedRight) {
  const std::string kTask =
      "struct hlist_node { struct hlist_node *next; };\n"
      "struct xa_node { unsigned char shift; void *slots[64]; };\n"
      "struct pid_namespace { struct { struct { void *xa_head; } idr_rt; } idr; unsigned level; "
      "struct { unsigned inum; } ns; };\n"
      "struct upid { int nr; struct pid_namespace *ns; };\n"
      "struct pid { unsigned level; struct { struct hlist_node *first; } tasks[4]; struct upid "
      "numbers[1]; };\n"
      "struct task_struct { int pid, tgid; char comm[16]; struct task_struct *group_leader; "
      "struct task_struct *real_parent; struct pid *thread_pid; struct hlist_node pid_links[4]; "
      "};\n";
  std::map<std::string_view, const Example *> examples;
  for (const Example &example : kMacros) examples[example.name] = &example;
  for (const StandardName &macro : standard_names()) {
    ASSERT_TRUE(examples.contains(macro.name)) << macro.name << " has no example here";
    const Example &example = *examples[macro.name];
    EXPECT_TRUE(compile(example.right, kTask)) << macro.name << ": " << first_error();
    EXPECT_EQ(ContractChecker(*compilation).run(), "") << macro.name;
    // A macro has variables of its own.
    for (const auto &variable : compilation->checked.programs.at(0).clause->variables) {
      if (variable->name != "$a") continue;
      EXPECT_EQ(to_string(variable->type), example.type) << macro.name;
    }
    EXPECT_FALSE(compile(example.wrong, kTask)) << macro.name;
    EXPECT_EQ(first_error(), example.error) << macro.name;
  }
}

TEST_F(BuiltinsTest, UnsafeOnesNeedLeave) {
  options.allow_unsafe = false;
  EXPECT_FALSE(compile("signal(9);"));
  EXPECT_EQ(first_error(), "unsafe-function");
}

// Wrong arguments of any kind are errors, never more.
TEST_F(BuiltinsTest, NoArgumentsBreakACheck) {
  const char *const values[] = {"1",    "-1",        "comm", "\"x\"", "(1, comm)", "@k",
                                "@s",   "@agg",      "$v",   "arg0",  "kstack",    "(uint8 *)1",
                                "true", "clear(@s)", "()",   "$1"};
  for (const Builtin &builtin : all_builtins()) {
    int most = builtin.max_arguments < 0 ? 2 : std::min(builtin.max_arguments, 2);
    for (const char *first : values) {
      for (const char *second : values) {
        if (most < 1 && first != values[0]) continue;
        if (most < 2 && second != values[0]) continue;
        std::string call = std::string(builtin.name) + "(" + (most > 0 ? first : "") +
                           (most > 1 ? std::string(", ") + second : "") + ")";
        std::string prefix = "$v = 1; @k[1] = 1; @s = 1; @agg = hist(1); ";
        if (compile(prefix + (builtin.is_aggregation ? "@m = " : "_ = ") + call + ";")) {
          EXPECT_EQ(ContractChecker(*compilation).run(), "") << call;
        }
      }
    }
  }
}

}  // namespace
}  // namespace awl::frontend
