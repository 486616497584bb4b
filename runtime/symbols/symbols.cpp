#include "runtime/symbols/symbols.h"

#include <sys/stat.h>

#include <charconv>
#include <unordered_map>

#include "base/file.h"
#include "base/kernel_symbols.h"
#include "runtime/symbols/cgroup_path.h"
#include "runtime/symbols/process_symbols.h"

namespace awl::runtime {
namespace {

// Beyond these the caches start anew.
constexpr size_t kMaxProcesses = 4096;
constexpr size_t kMaxCgroups = 65536;

// Names by number of an /etc/passwd: "name:x:uid:…". Read by ourselves, since the C library's
// look-up loads plugins, which a static program cannot.
std::unordered_map<uint32_t, std::string> read_users() {
  std::unordered_map<uint32_t, std::string> users;
  Result<std::string> text = read_file("/etc/passwd", 16u << 20);
  if (!text) return users;
  std::string_view rest = *text;
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    size_t name_end = line.find(':');
    if (name_end == line.npos) continue;
    size_t password_end = line.find(':', name_end + 1);
    if (password_end == line.npos) continue;
    uint32_t uid = 0;
    auto result = std::from_chars(line.data() + password_end + 1, line.data() + line.size(), uid);
    if (result.ec == std::errc()) users.try_emplace(uid, line.substr(0, name_end));
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

// True also where one cannot tell.
bool is_in_our_mount_namespace(uint32_t pid) {
  struct stat ours, theirs;
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/mnt";
  return stat("/proc/self/ns/mnt", &ours) != 0 || stat(path.c_str(), &theirs) != 0 ||
         ours.st_ino == theirs.st_ino;
}

}  // namespace

struct Symbols::State {
  bool demangle = true;
  std::shared_ptr<const KernelSymbols> kernel;
  bool is_kernel_read = false;
  SymbolFiles files;
  std::unordered_map<uint32_t, ProcessSymbols> processes;
  std::unordered_map<uint32_t, std::string> users;
  bool are_users_read = false;
  std::unordered_map<std::string, std::string> cgroups;  // by id and filter

  const KernelSymbols *kernel_symbols() {
    if (!is_kernel_read) {
      is_kernel_read = true;
      if (auto symbols = KernelSymbols::read()) kernel = *symbols;
    }
    return kernel.get();
  }

  ProcessSymbols &process(uint32_t pid) {
    if (processes.size() >= kMaxProcesses && !processes.contains(pid)) processes.clear();
    auto [it, is_new] = processes.try_emplace(pid, pid, files);
    if (is_new) it->second.read_mappings();
    return it->second;
  }
};

Symbols::Symbols(bool demangle) : s_(std::make_unique<State>()) { s_->demangle = demangle; }
Symbols::~Symbols() = default;

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

Symbol Symbols::user(uint64_t address, uint32_t pid, const std::string &binary) {
  Symbol out;
  ProcessSymbols &process = s_->process(pid);
  bool is_found = process.resolve(address, out);
  if (!is_found && !process.has_mappings() && !binary.empty()) {
    // The process is gone. Where its program stands at fixed addresses the file tells enough.
    std::shared_ptr<const ElfSymbols> file = s_->files.open(binary, binary);
    const ElfSymbol *symbol =
        file && !file->is_position_independent() ? file->containing(address) : nullptr;
    if (symbol) {
      out.name = symbol->name;
      out.offset = address - symbol->address;
      out.module = binary;
      out.build_id = file->build_id();
      out.file_offset = file->file_offset(address, true).value_or(0);
    }
  }
  if (s_->demangle && !out.name.empty()) out.name = demangle(out.name);
  return out;
}

void Symbols::remember_process(uint32_t pid) {
  ProcessSymbols &process = s_->process(pid);
  // The files will still be there, but a container's only as long as it lives.
  if (!is_in_our_mount_namespace(pid)) process.read_files();
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
