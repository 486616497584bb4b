#include "runtime/symbols/symbols.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/file.h"
#include "base/folder.h"
#include "base/kernel_symbols.h"
#include "base/process_root.h"
#include "base/text.h"
#include "runtime/symbols/cgroup_path.h"
#include "runtime/symbols/process_events.h"
#include "runtime/symbols/process_symbols.h"

namespace awl::runtime {
namespace {

constexpr size_t kMaxProcesses = 8192;
constexpr size_t kMaxFiles = 65536;
constexpr size_t kMaxCgroups = 65536;  // beyond these the cache starts anew

// Names by number of an /etc/passwd: "name:x:uid:…". Read by ourselves, since the C library's
// look-up loads plugins, which a static program cannot.
std::unordered_map<uint32_t, std::string> read_users() {
  std::unordered_map<uint32_t, std::string> users;
  Result<std::string> text = read_file("/etc/passwd", 16u << 20);
  if (!text) return users;
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    const std::string_view name = take_until(line, ':');
    take_until(line, ':');  // the password
    uint32_t uid = 0;
    if (parse_digits(take_until(line, ':'), 10, &uid)) users.try_emplace(uid, name);
  }
  return users;
}

// Of several names for one address the last, which is the one people know: __x64_sys_vfork stands
// behind __do_sys_vfork, and _text behind _stext. Names of position-independent start-up code
// (__pi_…) do not count.
const KernelSymbol *best_alias(const KernelSymbols &symbols, const KernelSymbol *first) {
  const KernelSymbol *end = symbols.symbols().data() + symbols.symbols().size();
  const KernelSymbol *best = first;
  for (const KernelSymbol *next = first + 1; next < end && next->address == first->address;
       ++next) {
    if (!next->name.starts_with("__pi_")) best = next;
  }
  return best;
}

}  // namespace

struct Symbols::State : ProcessEventHandler {
  bool demangle = true, keeps_files = true;
  std::shared_ptr<const KernelSymbols> kernel;
  bool is_kernel_read = false;
  std::function<void()> on_hidden_kernel;
  MappedFiles files;
  struct Process {
    ProcessSymbols symbols;
    uint64_t last_use = 0;
    bool is_kept = false;  // the one that is traced
  };
  std::unordered_map<uint32_t, Process> processes;
  uint64_t uses = 0;
  std::unique_ptr<ProcessEvents> events;
  std::optional<ProcessCalls> calls;
  bool is_followed = false;  // and nothing was lost
  std::unordered_map<uint32_t, std::string> users;
  bool are_users_read = false;
  std::unordered_map<std::string, std::string> cgroups;  // by id and filter

  const KernelSymbols *kernel_symbols() {
    if (!is_kernel_read) {
      is_kernel_read = true;
      if (auto symbols = KernelSymbols::read()) kernel = *symbols;
      if (kernel && kernel->symbols().empty() && on_hidden_kernel) on_hidden_kernel();
    }
    return kernel.get();
  }

  // For two more processes. Of those there are the half that was used last stays, but none where
  // too many files are known by them.
  void make_room() {
    if (processes.size() + 2 <= kMaxProcesses) return;
    if (files.size() > kMaxFiles) {
      processes.clear();
      files.clear();
      return;
    }
    std::vector<uint64_t> times;
    for (const auto &[pid, process] : processes) times.push_back(process.last_use);
    const auto middle = times.begin() + static_cast<ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    std::erase_if(processes, [&](const auto &entry) {
      return entry.second.last_use < *middle && !entry.second.is_kept;
    });
  }

  // `reads`: what it has mapped by now, when it is new here.
  ProcessSymbols &process(uint32_t pid, bool reads = true) {
    auto [it, is_new] = processes.try_emplace(pid, Process{ProcessSymbols(pid, files)});
    it->second.last_use = ++uses;
    if (is_new && reads) it->second.symbols.read_mappings();
    return it->second.symbols;
  }

  void on_map(const Map &map) override {
    make_room();
    process(map.pid).add_mapping({map.start, map.start + map.size, map.offset,
                                  files.find(map.path, map.major, map.minor, map.inode)});
    if (calls) calls->on_map(map.pid);
  }
  void on_exec(uint32_t pid) override {
    make_room();
    process(pid, false).start_program();
    if (calls) calls->on_exec(pid);
  }
  void on_fork(uint32_t pid, uint32_t parent) override {
    make_room();
    const ProcessSymbols &from = process(parent);
    process(pid, false).copy_from(from);
    if (calls) calls->on_fork(pid, parent);
  }
  void on_thread(uint32_t pid) override {
    if (calls) calls->on_thread(pid);
  }
  void on_exit(uint32_t pid) override {
    if (calls) calls->on_exit(pid);
  }
  void on_lost() override {
    is_followed = false;
    if (calls) calls->on_lost();
  }

  void read_events() {
    if (events) events->read(*this);
  }
};

Symbols::Symbols(bool demangle, bool keeps_files) : s_(std::make_unique<State>()) {
  s_->demangle = demangle;
  s_->keeps_files = keeps_files;
}
Symbols::~Symbols() = default;

void Symbols::follow_processes() {
  s_->events = ProcessEvents::open(/*is_urgent=*/s_->calls.has_value());
  s_->is_followed = s_->events != nullptr;
}

void Symbols::follow_processes(ProcessCalls calls) {
  s_->calls = std::move(calls);
  follow_processes();
}

std::vector<int> Symbols::process_event_descriptors() const {
  return s_->events ? s_->events->descriptors() : std::vector<int>();
}

void Symbols::read_process_events() { s_->read_events(); }

void Symbols::set_on_hidden_kernel(std::function<void()> then) {
  s_->on_hidden_kernel = std::move(then);
}

Symbol Symbols::kernel(uint64_t address) {
  Symbol out;
  const KernelSymbols *symbols = s_->kernel_symbols();
  if (!symbols) return out;
  if (const KernelSymbol *symbol = symbols->containing(address)) {
    symbol = best_alias(*symbols, symbol);
    out.name = symbol->name;
    out.offset = address - symbol->address;
    out.module = symbol->module;
  }
  return out;
}

Symbol Symbols::user(uint64_t address, uint32_t pid) {
  Symbol out;
  s_->read_events();
  s_->make_room();
  s_->process(pid).resolve(address, s_->is_followed, out);
  if (!s_->keeps_files) s_->files.forget_symbols();
  if (s_->demangle && !out.name.empty()) out.name = demangle(out.name);
  return out;
}

void Symbols::remember_process(uint32_t pid) {
  ProcessSymbols &process = s_->process(pid);
  s_->processes.at(pid).is_kept = true;
  // The files will still be there, but a container's only as long as it lives, and those that have
  // been deleted.
  process.read_files(/*only_deleted=*/process_root(static_cast<int>(pid)).empty());
}

void Symbols::remember_all_processes() {
  s_->read_events();
  for (const int pid : numbers_in_folder("/proc")) {
    if (s_->processes.size() >= kMaxProcesses / 2) break;
    s_->process(static_cast<uint32_t>(pid)).read_files(/*only_deleted=*/true);
  }
}

std::string Symbols::username(uint32_t uid) {
  if (!s_->are_users_read) {
    s_->are_users_read = true;
    s_->users = read_users();
  }
  auto it = s_->users.find(uid);
  return it == s_->users.end() ? std::to_string(uid) : it->second;
}

std::string Symbols::cgroup_path(uint64_t id, const std::string &filter) {
  std::string key = std::to_string(id) + ":" + filter;
  auto it = s_->cgroups.find(key);
  if (it != s_->cgroups.end()) return it->second;
  if (s_->cgroups.size() >= kMaxCgroups) s_->cgroups.clear();
  return s_->cgroups.emplace(key, find_cgroup_paths(id, filter)).first->second;
}

}  // namespace awl::runtime
