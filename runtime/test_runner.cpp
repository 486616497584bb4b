#include "runtime/test_runner.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "runtime/attach/perf_event.h"
#include "runtime/drain_beside.h"
#include "runtime/print/json.h"

namespace awl::runtime {
namespace {

struct TestResult {
  std::string name, output;
  uint64_t duration_ns = 0;
  bool has_passed = false;
};

uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

const char *plural(size_t count) { return count == 1 ? "" : "s"; }

std::string time_text(uint64_t ns) {
  if (ns < 10'000) return fmt::format("{} ns", ns);
  if (ns < 10'000'000) return fmt::format("{} us", ns / 1000);
  return fmt::format("{} ms", ns / 1'000'000);
}

// The table of results as text; green and red on a terminal.
class Report {
 public:
  explicit Report(Writer &writer) : writer_(writer), has_color_(isatty(STDOUT_FILENO) == 1) {}

  void line(const char *label, bool is_good, const std::string &text) {
    const char *color = is_good ? "\033[32m" : "\033[31m";
    writer_.buffer() += fmt::format("{}[{}]{} {}\n", has_color_ ? color : "", label,
                                    has_color_ ? "\033[0m" : "", text);
    writer_.flush();
  }

 private:
  Writer &writer_;
  const bool has_color_;
};

constexpr const char *kRuler = "==========", *kRun = " RUN      ", *kOk = "       OK ",
                     *kPassed = "  PASSED  ", *kFailed = "  FAILED  ";

TestResult run_test(const NamedProgram &test, Consumer &consumer, Output &output) {
  TestResult result;
  result.name = test.name;
  const uint64_t errors = consumer.error_count(), messages = output.error_messages();
  LIBBPF_OPTS(bpf_test_run_opts, run);
  int code = 0;
  {
    const DrainBeside drain(consumer);
    const uint64_t start = now_ns();
    code = bpf_prog_test_run_opts(test.program, &run) != 0 ? errno : 0;
    result.duration_ns = now_ns() - start;
  }
  consumer.drain_completely();
  if (code != 0) output.warning("cannot run test:" + test.name + ": " + strerror(code));
  const bool has_failed_exit = consumer.has_exited() && consumer.exit_code() != 0;
  if (consumer.has_exited()) consumer.drop_output();
  consumer.forget_exit();
  result.has_passed = code == 0 && run.retval == 0 && !has_failed_exit &&
                      consumer.error_count() == errors && output.error_messages() == messages;
  if (consumer.error_count() != errors) consumer.report_errors(false);
  result.output = output.writer().take_captured();
  return result;
}

void print_json(const std::vector<TestResult> &results, Writer &writer) {
  std::string &out = writer.buffer();
  out += R"({"type": "test_result", "data": {)";
  for (size_t i = 0; i < results.size(); ++i) {
    const TestResult &result = results[i];
    if (i > 0) out += ", ";
    append_json_string(out, result.name);
    out += fmt::format(R"(: {{"duration": {}, "passed": {}, "output": )", result.duration_ns,
                       result.has_passed);
    append_json_string(out, result.output);
    out += '}';
  }
  out += "}}\n";
  writer.flush();
}

void print_summary(const std::vector<TestResult> &results, size_t failed, Report &report) {
  const size_t passed = results.size() - failed;
  report.line(kRuler, true, fmt::format("{} test{} ran.", results.size(), plural(results.size())));
  report.line(kPassed, true, fmt::format("{} test{}.", passed, plural(passed)));
  if (failed == 0) return;
  report.line(kFailed, false, fmt::format("{} test{}, listed below:", failed, plural(failed)));
  for (const TestResult &result : results) {
    if (!result.has_passed) report.line(kFailed, false, result.name);
  }
}

// What the kernel counts of a program while statistics are on.
struct RunStatistics {
  uint64_t time_ns = 0, runs = 0;
};

RunStatistics read_statistics(int program) {
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(program, &info, &size) != 0) return {};
  return {info.run_time_ns, info.run_cnt};
}

struct Average {
  uint64_t ns = 0, runs = 0;
};

// Runs for a while; `drop` is called now and then to get rid of output.
template <class Drop>
Result<Average> measure(int program, Drop drop) {
  constexpr uint64_t kTimeNs = 200'000'000, kMostRuns = 200'000, kBatch = 1000;
  const RunStatistics before = read_statistics(program);
  const uint64_t start = now_ns();
  for (uint64_t i = 0; i < kMostRuns; ++i) {
    LIBBPF_OPTS(bpf_test_run_opts, run);
    if (bpf_prog_test_run_opts(program, &run) != 0) return Error::from_errno("cannot run it");
    if ((i + 1) % kBatch != 0) continue;
    drop();
    if (now_ns() - start > kTimeNs) break;
  }
  const RunStatistics after = read_statistics(program);
  const uint64_t runs = after.runs - before.runs;
  return Average{runs == 0 ? 0 : (after.time_ns - before.time_ns) / runs, runs};
}

}  // namespace

int run_tests(const std::vector<NamedProgram> &tests, bool is_json, Consumer &consumer,
              Output &output) {
  Writer &writer = output.writer();
  Report report(writer);
  if (!is_json) {
    report.line(kRuler, true, fmt::format("Running {} test{}.", tests.size(), plural(tests.size())));
  }
  std::vector<TestResult> results;
  size_t failed = 0;
  for (const NamedProgram &test : tests) {
    if (!is_json) report.line(kRun, true, test.name);
    writer.start_capture();
    results.push_back(run_test(test, consumer, output));
    const TestResult &result = results.back();
    failed += !result.has_passed;
    if (is_json) continue;
    if (!result.has_passed) writer.buffer() += result.output;
    report.line(result.has_passed ? kOk : kFailed, result.has_passed,
                fmt::format("{} ({})", test.name, time_text(result.duration_ns)));
  }
  if (is_json) {
    print_json(results, writer);
  } else {
    print_summary(results, failed, report);
  }
  return failed == 0 ? 0 : 1;
}

Result<int> run_benchmarks(const std::vector<NamedProgram> &benchmarks, bool is_json,
                           Consumer &consumer, Output &output) {
  const FileDescriptor statistics(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (!statistics) return Error::from_errno("the kernel cannot measure programs");
  // The kernel's own measuring takes part of the time: that of a program which does nothing.
  const FileDescriptor empty = load_empty_program(BPF_PROG_TYPE_RAW_TRACEPOINT);
  Result<Average> base = measure(empty.get(), [] {});
  if (!base) return base.error();
  Writer &writer = output.writer();
  std::string json;
  if (!is_json) {
    writer.buffer() += fmt::format("{:<40} {:<14} {}\n{}\n", "Benchmark", "Time(ns)", "Iterations",
                                   std::string(66, '-'));
  }
  for (const NamedProgram &benchmark : benchmarks) {
    writer.start_capture();
    Result<Average> average = measure(benchmark.program, [&] {
      consumer.drain();
      consumer.forget_exit();
      writer.take_captured();
      writer.start_capture();
    });
    writer.take_captured();
    if (!average) return average.error().with_context("bench:" + benchmark.name);
    const uint64_t ns = average->ns - std::min(average->ns, base->ns);
    if (!is_json) {
      writer.buffer() += fmt::format("{:<40} {:<14} {}\n", benchmark.name, ns, average->runs);
      writer.flush();
      continue;
    }
    json += json.empty() ? "" : ", ";
    append_json_string(json, benchmark.name);
    json += fmt::format(R"(: {{"average": {}, "iters": {}}})", ns, average->runs);
  }
  if (is_json) {
    writer.buffer() += R"({"type": "benchmark_result", "data": {)" + json + "}}\n";
  }
  writer.flush();
  return 0;
}

}  // namespace awl::runtime
