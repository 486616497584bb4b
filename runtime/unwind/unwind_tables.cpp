#include "runtime/unwind/unwind_tables.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

#include "base/elf_file.h"
#include "base/process_maps.h"
#include "runtime/unwind/eh_frame.h"

namespace awl::runtime {
namespace {

constexpr uint32_t kRowsPerCall = 1u << 16;
constexpr uint64_t kMinPage = 4096;

// Where in the file's own addresses a part of it lies that is mapped from `offset` on.
const ElfSegment *segment_of(const ElfFile &file, uint64_t offset, uint64_t size) {
  for (const ElfSegment &segment : file.segments()) {
    const uint64_t start = segment.offset / kMinPage * kMinPage;
    const bool overlaps = offset < segment.offset + segment.file_size && start < offset + size;
    if (segment.is_executable && overlaps) return &segment;
  }
  return nullptr;
}

}  // namespace

FileDescriptor make_unwind_table(uint32_t rows) {
  LIBBPF_OPTS(bpf_map_create_opts, options);
  options.map_flags = BPF_F_INNER_MAP;  // tables of any length fit
  return FileDescriptor(bpf_map_create(BPF_MAP_TYPE_ARRAY, "awl_unwind_rows", sizeof(uint32_t),
                                       sizeof(uint64_t), std::max(rows, 1u), &options));
}

Status UnwindTables::fill(Table &table, const std::vector<uint64_t> &rows) {
  const auto count = static_cast<uint32_t>(rows.size());
  const FileDescriptor map = make_unwind_table(count);
  if (!map) return Error::from_errno("cannot make a table of rules to unwind by");
  std::vector<uint32_t> keys(std::min(count, kRowsPerCall));
  for (uint32_t done = 0; done < count;) {
    uint32_t part = std::min(count - done, kRowsPerCall);
    std::iota(keys.begin(), keys.end(), done);
    if (bpf_map_update_batch(map.get(), keys.data(), rows.data() + done, &part, nullptr) != 0) {
      return Error::from_errno("cannot fill a table of rules to unwind by");
    }
    done += part;
  }
  const int fd = map.get();
  if (bpf_map_update_elem(tables_map_, &table.index, &fd, BPF_ANY) != 0) {
    return Error::from_errno("cannot keep a table of rules to unwind by");
  }
  table.rows = count;
  return ok();
}

Status UnwindTables::make_table(const Mapping &mapping, uint32_t pid, Table &table) {
  Result<ElfFile> file = MappedFiles::open_elf(mapping, pid);
  if (!file) return Error::from_errno("it cannot be read", file.error().code);
  if (const ElfSegment *segment = segment_of(*file, mapping.offset, mapping.end - mapping.start)) {
    table.address_of_offset_0 = segment->address - segment->offset;
  }
  const Result<std::vector<uint64_t>> rows = read_unwind_rows(*file);
  if (!rows) return rows.error();
  if (next_table_ == object::kMaxUnwindTables) return Error{"there are too many files"};
  table.index = next_table_;
  if (Status status = fill(table, *rows); !status) return status;
  ++next_table_;
  return ok();
}

const UnwindTables::Table &UnwindTables::table_of(const Mapping &mapping, uint32_t pid) {
  auto [it, is_new] = tables_.try_emplace(mapping.file);
  if (!is_new) return it->second;
  if (Status status = make_table(mapping, pid, it->second); !status && on_problem_) {
    const std::string why = is_made_at_run_time(mapping)
                                ? "it was made while the program ran, without rules to unwind by"
                                : status.error().message;
    on_problem_(fmt::format("stacks end at code of {}: {}", mapping.file->path, why));
  }
  return it->second;
}

Status UnwindTables::add_process(uint32_t pid) {
  if (!is_used()) return ok();
  const std::string text = read_process_maps(pid);
  if (text.empty()) {
    return Error{fmt::format("cannot read what process {} has mapped", pid), ESRCH};
  }
  auto process = std::make_unique<object::UnwindProcess>();
  const Mappings mappings = Mappings::parse(text, files_);
  for (const Mapping &mapping : mappings.all()) {
    if (mapping.file == nullptr || process->count == object::kMaxUnwindMappings) continue;
    const Table &table = table_of(mapping, pid);
    if (table.rows == 0) continue;
    const uint64_t bias = mapping.start - mapping.offset - table.address_of_offset_0;
    process->mappings[process->count++] = {mapping.start, mapping.end, bias, table.index,
                                           table.rows};
  }
  if (bpf_map_update_elem(processes_map_, &pid, process.get(), BPF_ANY) != 0) {
    return Error::from_errno(fmt::format("cannot unwind stacks of process {}", pid));
  }
  processes_.try_emplace(pid);
  return ok();
}

void UnwindTables::inherit(uint32_t child, uint32_t parent) {
  if (!is_used() || !processes_.contains(parent)) return;
  auto process = std::make_unique<object::UnwindProcess>();
  if (bpf_map_lookup_elem(processes_map_, &parent, process.get()) != 0) return;
  if (bpf_map_update_elem(processes_map_, &child, process.get(), BPF_ANY) != 0) {
    if (on_problem_ && !has_told_full_) {
      on_problem_(
          fmt::format("stacks of process {}, a child, are not unwound, nor may others be: {}",
                      child, std::strerror(errno)));
    }
    has_told_full_ = true;
    return;
  }
  processes_[child] = {.is_inherited = true};
}

void UnwindTables::forget_inherited(uint32_t pid) {
  const auto found = processes_.find(pid);
  if (found == processes_.end() || !found->second.is_inherited) return;
  bpf_map_delete_elem(processes_map_, &pid);
  processes_.erase(found);
}

void UnwindTables::add_thread(uint32_t pid) {
  const auto found = processes_.find(pid);
  if (found != processes_.end()) ++found->second.threads;
}

void UnwindTables::end_thread(uint32_t pid) {
  const auto found = processes_.find(pid);
  if (found != processes_.end() && --found->second.threads == 0) forget_inherited(pid);
}

void UnwindTables::start_anew() {
  std::vector<uint32_t> inherited, others;
  for (const auto &[pid, process] : processes_) {
    (process.is_inherited ? inherited : others).push_back(pid);
  }
  for (const uint32_t pid : inherited) forget_inherited(pid);
  for (const uint32_t pid : others) (void)add_process(pid);  // it may have ended
  if (processes_.empty() || !on_problem_ || has_told_lost_) return;
  has_told_lost_ = true;
  on_problem_(
      "the kernel did not tell all that processes did: stacks of children that were started "
      "before may not be unwound");
}

}  // namespace awl::runtime
