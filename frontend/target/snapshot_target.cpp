// A Target that answers from a snapshot alone: no root, no kernel, the same on every machine.
#include <algorithm>

#include "base/file.h"
#include "frontend/target/btf_target.h"
#include "frontend/target/snapshot.h"
#include "frontend/target/snapshot_data.h"

namespace awl::frontend {
namespace {

constexpr size_t kMaxDocumentSize = 64u << 20;

class SnapshotBtf : public KernelBtf {
 public:
  explicit SnapshotBtf(std::string path) : path_(std::move(path)) {}

 protected:
  Result<BtfRef> open_vmlinux() override { return Btf::open(path_); }
  std::vector<BtfRef> open_modules(const BtfRef &) override { return {}; }

 private:
  std::string path_;
};

class SnapshotTarget : public BtfTarget {
 public:
  SnapshotTarget(SnapshotData data, const std::string &folder)
      : BtfTarget(std::make_unique<SnapshotBtf>(folder + "/" + kSnapshotBtf)),
        data_(std::move(data)) {}

  bool has_btf() override { return data_.has_btf; }

  // The types that were asked for hold the functions of the machine which one may trace.
  std::vector<std::string> kernel_functions(const std::string &module,
                                            const std::string &name) override {
    return typed_functions(module, name);
  }

  bool has_kernel_function(const std::string &module, const std::string &name) override {
    return data_.kernel_symbols.contains(name) || !typed_functions(module, name).empty();
  }

  std::vector<std::string> tracepoints(const std::string &category,
                                       const std::string &event) override {
    std::vector<std::string> names;
    for (const auto &[name, format] : data_.tracepoints) {
      const size_t colon = name.find(':');
      if (colon != std::string::npos && matches_pattern(category, name.substr(0, colon)) &&
          matches_pattern(event, name.substr(colon + 1))) {
        names.push_back(name);
      }
    }
    return names;
  }

  Result<TracepointFormat> tracepoint_format(const std::string &category,
                                             const std::string &event) override {
    const std::string name = category + ":" + event;
    const auto found = data_.tracepoints.find(name);
    if (found == data_.tracepoints.end()) {
      return Error{"tracepoint " + name + " does not exist", ENOENT};
    }
    return found->second;
  }

  std::optional<uint64_t> kernel_symbol(const std::string &name) override {
    const auto found = data_.kernel_symbols.find(name);
    return found == data_.kernel_symbols.end() ? std::nullopt : std::optional(found->second);
  }

  Result<std::string> resolve_binary(const std::string &name) override {
    const auto found = data_.paths.find(name);
    if (found != data_.paths.end()) return found->second;
    if (data_.binaries.contains(name)) return name;
    return Error{"no program or library " + name + " in the snapshot", ENOENT};
  }

  Result<std::vector<std::string>> binary_functions(const std::string &path,
                                                    const std::string &pattern) override {
    const auto found = data_.binaries.find(path);
    if (found == data_.binaries.end()) return Error{path + " is not in the snapshot", ENOENT};
    std::vector<std::string> names;
    for (const std::string &name : found->second.functions) {
      if (matches_pattern(pattern, name)) names.push_back(name);
    }
    return names;
  }

  std::optional<uint64_t> binary_symbol_size(const std::string &path,
                                             const std::string &name) override {
    const auto binary = data_.binaries.find(path);
    if (binary == data_.binaries.end()) return std::nullopt;
    const auto object = binary->second.objects.find(name);
    return object == binary->second.objects.end() ? std::nullopt : std::optional(object->second);
  }

  Result<uint64_t> cgroup_id(const std::string &path) override {
    const auto found = data_.cgroups.find(path);
    if (found == data_.cgroups.end()) return Error{path + " is not in the snapshot", ENOENT};
    return found->second;
  }

  std::string architecture() override { return data_.architecture; }

 private:
  SnapshotData data_;
};

}  // namespace

Result<std::unique_ptr<Target>> load_snapshot_target(const std::string &path) {
  const std::string document = path + "/" + kSnapshotDocument;
  const Result<std::string> json = read_file(document, kMaxDocumentSize);
  if (!json) return json.error();
  Result<SnapshotData> data = parse_snapshot(*json);
  if (!data) return data.error().with_context(document);
  // Better to find out now than in the middle of a compilation, where it would look like a
  // machine without BTF.
  if (data->has_btf) {
    const auto btf = Btf::open(path + "/" + kSnapshotBtf);
    if (!btf) return btf.error();
    if (const Status status = (*btf)->check(); !status) {
      return status.error().with_context(path + "/" + kSnapshotBtf);
    }
  }
  return std::unique_ptr<Target>(std::make_unique<SnapshotTarget>(std::move(*data), path));
}

}  // namespace awl::frontend
