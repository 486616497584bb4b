// Families, targets and commands, as far as no kernel has to be asked.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "runtime/attach/attachments.h"
#include "runtime/attach/families.h"
#include "runtime/attach/nearest.h"
#include "runtime/attach/perf_event.h"
#include "runtime/child.h"
#include "runtime/plan.h"
#include "runtime/signals.h"
#include "runtime/syscalls.h"

namespace awl::runtime {
namespace {

object::AttachPoint make_point(const std::string &family, const std::string &target) {
  object::AttachPoint point;
  point.family = family;
  point.target = target;
  point.name = family + (target.empty() ? "" : ":" + target);
  return point;
}

object::Program make_program(const std::string &family, std::vector<std::string> targets) {
  object::Program program;
  program.name = family + "_1";
  for (const std::string &target : targets) {
    program.attach_points.push_back(make_point(family, target));
  }
  return program;
}

TEST(Families, HaveARecordForEachThatIsSupported) {
  for (const char *name : {"begin", "end", "self", "interval", "profile", "software", "hardware",
                           "tracepoint", "rawtracepoint", "uprobe", "uretprobe", "usdt", "kprobe",
                           "kretprobe", "fentry", "fexit", "watchpoint"}) {
    ASSERT_NE(find_family(name), nullptr) << name;
    EXPECT_NE(find_family(name)->expand, nullptr) << name;
  }
  EXPECT_EQ(find_family("no such family"), nullptr);
}

TEST(Families, EventsKnowTheirNamesAndAliases) {
  for (const char *name : {"faults", "page-faults", "cs", "cpu", "task-clock"}) {
    Result<Expansion> expansion = expand_software({}, make_point("software", name));
    ASSERT_TRUE(expansion);
    EXPECT_EQ(expansion->targets.size(), 1u) << name;
  }
  Result<Expansion> unknown = expand_software({}, make_point("software", "coffee"));
  ASSERT_TRUE(unknown);
  EXPECT_TRUE(unknown->targets.empty());
  EXPECT_NE(unknown->missing.find("page-faults"), std::string::npos);
}

TEST(Families, SelfKnowsItsSignals) {
  EXPECT_EQ(expand_self({}, make_point("self", "SIGUSR1"))->targets.size(), 1u);
  EXPECT_NE(expand_self({}, make_point("self", "SIGKILL"))->missing, "");
}

TEST(Families, UprobesFindFunctionsOfThisProgram) {
  object::AttachPoint point = make_point("uprobe", "no_such_function_anywhere");
  point.binary = "/proc/self/exe";
  Result<Expansion> expansion = expand_uprobe({}, point);
  ASSERT_TRUE(expansion) << expansion.error().message;
  EXPECT_TRUE(expansion->targets.empty());
  EXPECT_NE(expansion->missing.find("no_such_function_anywhere"), std::string::npos);
  point.target = "main";
  expansion = expand_uprobe({}, point);
  ASSERT_TRUE(expansion);
  ASSERT_EQ(expansion->targets.size(), 1u) << expansion->missing;
  EXPECT_NE(expansion->targets[0].file_offset, 0u);
  point.binary = "/no/such/file";
  EXPECT_NE(expand_uprobe({}, point)->missing, "");
}

TEST(Plan, NumbersTargetsInOrder) {
  object::Description description;
  description.programs = {make_program("begin", {""}), make_program("software", {"cs", "faults"})};
  AttachContext context;
  Result<Plan> plan = make_plan(description, {}, context);
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->names.size(), 3u);
  EXPECT_EQ(plan->names[0].name, "begin");
  EXPECT_EQ(plan->names[2].name, "software:faults");
  EXPECT_FALSE(plan->has_errors());
  ASSERT_EQ(plan->instances[1].size(), 1u);
  EXPECT_EQ(plan->instances[1][0].targets.size(), 2u);
}

TEST(Plan, CopiesAProgramThatCannotBeToldWhichTargetFired) {
  object::Description description;
  description.programs = {make_program("begin", {"", ""})};
  description.programs[0].uses_probe_id = true;
  description.programs[0].relocations.resize(1);
  AttachContext context;
  Result<Plan> plan = make_plan(description, {}, context);
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->instances[0].size(), 2u);
  EXPECT_EQ(plan->instances[0][0].patches, std::vector<int32_t>{0});
  EXPECT_EQ(plan->instances[0][1].patches, std::vector<int32_t>{1});
}

TEST(Plan, FollowsThePolicyForMissingProbes) {
  object::Description description;
  description.programs = {make_program("software", {"coffee"})};
  const auto problems = [&](const char *policy) {
    description.settings.missing_probes = policy;
    AttachContext context;
    Result<Plan> plan = make_plan(description, {}, context);
    return plan ? plan->problems : std::vector<Problem>();
  };
  ASSERT_EQ(problems("error").size(), 1u);
  EXPECT_FALSE(problems("error")[0].is_warning);
  ASSERT_EQ(problems("warn").size(), 1u);
  EXPECT_TRUE(problems("warn")[0].is_warning);
  EXPECT_TRUE(problems("ignore").empty());
}

TEST(Plan, FiltersByNameButKeepsBegin) {
  object::Description description;
  description.programs = {make_program("begin", {""}), make_program("software", {"cs", "faults"})};
  RunOptions options;
  options.probe_filter = "fau";
  AttachContext context;
  Result<Plan> plan = make_plan(description, options, context);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->names.size(), 2u);
  EXPECT_EQ(plan->names[1].name, "software:faults");
  options.probe_filter = "(";
  EXPECT_FALSE(make_plan(description, options, context));
}

TEST(Plan, RefusesTooManyProbesAndUnknownFamilies) {
  object::Description description;
  description.programs = {make_program("software", {"cs", "faults"})};
  description.settings.max_probes = 1;
  AttachContext context;
  Result<Plan> plan = make_plan(description, {}, context);
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("max_probes"), std::string::npos);
  description.programs = {make_program("teleport", {"x"})};
  EXPECT_FALSE(make_plan(description, {}, context));
}

TEST(Nearest, FindsWhatWasPerhapsMeant) {
  const std::vector<std::string> names = {"sys_enter_open", "sys_enter_openat", "sys_enter_close"};
  EXPECT_EQ(nearest_name("sys_enter_openta", names), "sys_enter_openat");
  EXPECT_EQ(nearest_name("sys_enter_clos", names), "sys_enter_close");
  EXPECT_EQ(nearest_name("zzz", names), "");
  EXPECT_EQ(nearest_name("", names), "");
}

TEST(Syscalls, KnowsTheKernelsNames) {
  EXPECT_EQ(syscall_number("openat"), SYS_openat);
  EXPECT_EQ(syscall_number("write"), SYS_write);
  EXPECT_EQ(syscall_number("no_such_call"), -1);
#ifdef __x86_64__
  EXPECT_EQ(syscall_number("newfstat"), SYS_fstat);
  EXPECT_EQ(syscall_number("fstat"), -1);  // no tracepoint has this name
  EXPECT_EQ(syscall_number("mseal"), 462);
#endif
}

TEST(Syscalls, NamesAreUniqueAndHaveNumbers) {
  const std::vector<std::string> names = syscall_names();
  EXPECT_GT(names.size(), 250u);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (const std::string &name : names) EXPECT_GE(syscall_number(name), 0) << name;
}

TEST(Child, SplitsCommandsIntoWords) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(*split_command("ls"), Words{"ls"});
  EXPECT_EQ(*split_command("  ls   -l\t/tmp "), (Words{"ls", "-l", "/tmp"}));
  EXPECT_EQ(*split_command("sh -c 'echo \"a  b\"'"), (Words{"sh", "-c", "echo \"a  b\""}));
  EXPECT_EQ(*split_command("a\"b c\"d '' \"\\\"\\n\""), (Words{"ab cd", "", "\"\\n"}));
  EXPECT_EQ(*split_command("a\\ b"), Words{"a b"});
  EXPECT_FALSE(split_command("sh -c 'echo"));
  EXPECT_FALSE(split_command("  "));
}

TEST(Child, IsHeldUntilItIsResumed) {
  Result<Child> child = Child::start("true", nullptr);
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_GT(child->pid(), 0);
  usleep(20000);
  EXPECT_FALSE(child->reap());
  ASSERT_TRUE(child->resume());
  bool has_ended = false;
  for (int i = 0; i < 500 && !has_ended; ++i) {
    usleep(10000);
    has_ended = child->reap();
  }
  EXPECT_TRUE(has_ended);
}

TEST(Child, SaysWhatCannotBeRun) {
  EXPECT_FALSE(Child::start("/no/such/program", nullptr));
  EXPECT_FALSE(Child::start("no-such-program-anywhere", nullptr));
  EXPECT_FALSE(Child::start("/", nullptr));
}

// A signal that ends the tracer at once may come when others have closed what is in the lists
// still.
TEST(Attachments, WhatIsLeftBehindEndsWithTheTracer) {
  int alive[2];  // held by the tracer and by what it leaves behind
  ASSERT_EQ(pipe(alive), 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t tracer = fork();
  ASSERT_GE(tracer, 0);
  if (tracer == 0) {
    close(alive[0]);
    Attachments attachments;
    attachments.add_event(FileDescriptor(alive[1]), /*is_slow=*/true);
    int next[2];
    if (pipe(next) != 0) _exit(1);
    attachments.add_link(FileDescriptor(next[1]));
    close(next[0]);
    close(next[1]);  // the numbers that a pipe gets now
    attachments.leave_behind();
    _exit(0);
  }
  close(alive[1]);
  int status = 0;
  waitpid(tracer, &status, 0);
  EXPECT_EQ(status, 0);
  pollfd end{alive[0], 0, 0};
  EXPECT_EQ(poll(&end, 1, 10000), 1) << "it waits for ever";
  pid_t left = 0;
  std::ifstream("/proc/thread-self/children") >> left;
  if (left > 0) kill(left, SIGKILL);
  waitpid(-1, nullptr, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  close(alive[0]);
}

TEST(Cpus, AtLeastOneIsOnline) { EXPECT_FALSE(online_cpus().empty()); }

}  // namespace
}  // namespace awl::runtime
