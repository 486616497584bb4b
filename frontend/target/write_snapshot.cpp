// Collects what a request asks for from this host and writes it down.
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>

#include "base/file.h"
#include "base/pattern.h"
#include "frontend/target/btf_subset.h"
#include "frontend/target/kernel_btf.h"
#include "frontend/target/snapshot.h"
#include "frontend/target/snapshot_data.h"

namespace awl::frontend {
namespace {

constexpr const char *kVmlinux = "/sys/kernel/btf/vmlinux";
constexpr size_t kMaxBtfSize = 256u << 20;

Status write_file(const std::string &path, const std::string &content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) return Error::from_errno("cannot write " + path);
  return ok();
}

// "struct task_struct" → STRUCT and "task_struct"; a bare name is a typedef or integer.
uint32_t find_type(const Btf &btf, const std::string &text) {
  struct Keyword {
    std::string_view word;
    uint32_t kinds;
  };
  const Keyword keywords[] = {
      {"struct ", kind_bit(BTF_KIND_STRUCT)},
      {"union ", kind_bit(BTF_KIND_UNION)},
      {"enum ", kind_bit(BTF_KIND_ENUM) | kind_bit(kBtfEnum64)},
  };
  for (const Keyword &keyword : keywords) {
    if (text.starts_with(keyword.word)) {
      return btf.find(std::string_view(text).substr(keyword.word.size()), keyword.kinds);
    }
  }
  return btf.find(text, kind_bit(BTF_KIND_TYPEDEF) | kind_bit(BTF_KIND_INT));
}

Error missing(const std::string &what) {
  return Error{what + " is not in the BTF of this kernel", ENOENT};
}

// A raw tracepoint is its typedef, and a function that names its parameters.
Status add_raw_tracepoint(const Btf &btf, const std::string &name, BtfSubset *subset) {
  const uint32_t id = btf.find("btf_trace_" + name, kind_bit(BTF_KIND_TYPEDEF));
  const btf_type *type = id ? btf.type(id) : nullptr;
  const btf_type *pointer = type ? btf.type(type->type) : nullptr;
  if (pointer == nullptr || kind_of(*pointer) != BTF_KIND_PTR) {
    return missing("raw tracepoint " + name);
  }
  subset->add(id);
  subset->add(pointer->type);
  for (const char *prefix : {"__probestub_", "__traceiter_"}) {
    if (const uint32_t function = btf.find(prefix + name, kind_bit(BTF_KIND_FUNC))) {
      subset->add(function);
      break;
    }
  }
  return ok();
}

Result<std::string> collect_btf(const SnapshotRequest &request) {
  if (request.all_types) return read_file(kVmlinux, kMaxBtfSize);
  const auto btf = Btf::open(kVmlinux);
  if (!btf) return btf.error();
  BtfSubset subset(**btf);
  for (const std::string &name : request.types) {
    const uint32_t id = find_type(**btf, name);
    if (id == 0) return missing(name);
    subset.add(id);
  }
  for (const std::string &name : request.constants) {
    uint32_t id = 0;
    int64_t value = 0;
    if (!(*btf)->find_enumerator(name, &id, &value)) return missing(name);
    subset.add(id);
  }
  for (const std::string &name : request.functions) {
    const uint32_t id = (*btf)->find(name, kind_bit(BTF_KIND_FUNC));
    if (id == 0) return missing("function " + name);
    subset.add(id);
  }
  for (const std::string &name : request.raw_tracepoints) {
    if (const Status status = add_raw_tracepoint(**btf, name, &subset); !status) {
      return status.error();
    }
  }
  return subset.write();
}

Status collect_tracepoints(Target &host, const SnapshotRequest &request, SnapshotData *data) {
  for (const std::string &pattern : request.tracepoints) {
    const size_t colon = pattern.find(':');
    if (colon == std::string::npos) return Error{pattern + " is not category:event", EINVAL};
    for (const std::string &name :
         host.tracepoints(pattern.substr(0, colon), pattern.substr(colon + 1))) {
      const size_t split = name.find(':');
      Result<TracepointFormat> format =
          host.tracepoint_format(name.substr(0, split), name.substr(split + 1));
      if (!format) return format.error();
      data->tracepoints[name] = std::move(*format);
    }
  }
  return ok();
}

Status collect_binaries(Target &host, const SnapshotRequest &request, SnapshotData *data) {
  for (const SnapshotRequest::Binary &wanted : request.binaries) {
    const Result<std::string> path = host.resolve_binary(wanted.name);
    if (!path) return path.error();
    data->paths[wanted.name] = *path;
    SnapshotData::Binary &binary = data->binaries[*path];
    for (const std::string &pattern : wanted.patterns) {
      const Result<std::vector<std::string>> names = host.binary_functions(*path, pattern);
      if (!names) return names.error();
      binary.functions.insert(binary.functions.end(), names->begin(), names->end());
    }
    std::sort(binary.functions.begin(), binary.functions.end());
    binary.functions.erase(std::unique(binary.functions.begin(), binary.functions.end()),
                           binary.functions.end());
    for (const std::string &name : wanted.objects) {
      const std::optional<uint64_t> size = host.binary_symbol_size(*path, name);
      if (!size) return Error{*path + " has no data symbol " + name, ENOENT};
      binary.objects[name] = *size;
    }
  }
  return ok();
}

Result<SnapshotData> collect(const SnapshotRequest &request) {
  const std::unique_ptr<Target> host = make_live_target();
  SnapshotData data;
  struct utsname names {};
  if (::uname(&names) != 0) return Error::from_errno("uname");
  data.architecture = names.machine;
  data.kernel = names.release;
  data.has_btf = host->has_btf();
  if (const Status status = collect_tracepoints(*host, request, &data); !status) {
    return status.error();
  }
  for (const std::string &name : request.kernel_symbols) {
    const std::optional<uint64_t> address = host->kernel_symbol(name);
    if (!address) return Error{"no address of kernel symbol " + name, ENOENT};
    data.kernel_symbols[name] = *address;
  }
  if (const Status status = collect_binaries(*host, request, &data); !status) {
    return status.error();
  }
  for (const std::string &path : request.cgroups) {
    const Result<uint64_t> id = host->cgroup_id(path);
    if (!id) return id.error();
    data.cgroups[path] = *id;
  }
  return data;
}

}  // namespace

Status write_snapshot(const SnapshotRequest &request, const std::string &folder) {
  const Result<SnapshotData> data = collect(request);
  if (!data) return data.error();
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
    return Error::from_errno("cannot make " + folder);
  }
  if (data->has_btf) {
    const Result<std::string> btf = collect_btf(request);
    if (!btf) return btf.error();
    if (Status status = write_file(folder + "/" + kSnapshotBtf, *btf); !status) return status;
  }
  return write_file(folder + "/" + kSnapshotDocument, to_json(*data));
}

}  // namespace awl::frontend
