// A Target of a few made-up facts, for tests of the frontend: no root, nothing of the host.
#pragma once

#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frontend/target/target.h"

namespace awl::frontend {

class FakeTarget : public Target {
 public:
  // -- what a test puts in
  bool btf = true;
  std::map<std::string, TracepointFormat> formats;             // by "category:event"
  std::map<std::string, std::vector<std::string>> raw_events;  // event: names of its parameters
  // "module:function": names of its parameters. It returns an int.
  std::map<std::string, std::vector<std::string>> functions;
  std::map<std::string, std::vector<std::string>> binaries;    // path: its functions
  std::map<std::string, std::string> libraries;                // name: path

  // Adds a field behind those that are there, aligned to its size.
  void add_field(const std::string &event, const std::string &type, const std::string &name,
                 uint32_t size, bool is_signed = false) {
    TracepointFormat &format = formats[event];
    format.id = static_cast<uint32_t>(formats.size());
    uint32_t end = 8;
    if (!format.fields.empty()) end = format.fields.back().offset + format.fields.back().size;
    uint32_t alignment = size == 2 || size == 4 || size == 8 ? size : 1;
    TracepointField field;
    field.name = name;
    field.type_text = type;
    field.offset = (end + alignment - 1) / alignment * alignment;
    field.size = size;
    field.is_signed = is_signed;
    field.is_data_loc = type.starts_with("__data_loc");
    format.fields.push_back(field);
  }

  // -- Target
  bool has_btf() override { return btf; }

  std::unique_ptr<TypeStore::Resolver> type_resolver(TypeStore &) override {
    struct Nothing : TypeStore::Resolver {
      TypeRef find_struct(const std::string &, bool) override { return nullptr; }
      TypeRef find_enum(const std::string &) override { return nullptr; }
      TypeRef find_typedef(const std::string &) override { return nullptr; }
      bool find_constant(const std::string &, TypeStore::Constant *) override { return false; }
      void complete(StructDef *) override {}
    };
    return std::make_unique<Nothing>();
  }

  std::optional<FunctionSignature> kernel_function(TypeStore &store, const std::string &module,
                                                   const std::string &name) override {
    for (const auto &[full, parameters] : functions) {
      const std::string in = full.substr(0, full.find(':'));
      if (full.substr(in.size() + 1) != name || (!module.empty() && module != in)) continue;
      FunctionSignature signature;
      signature.module = in == "vmlinux" ? "" : in;
      signature.return_type = store.integer(4, true);
      for (const std::string &parameter : parameters) {
        signature.parameters.push_back({parameter, store.uint64(), "u64"});
      }
      return signature;
    }
    return std::nullopt;
  }

  std::vector<std::string> kernel_functions(const std::string &module,
                                            const std::string &name) override {
    std::vector<std::string> names;
    for (const auto &[full, parameters] : functions) {
      const std::string in = full.substr(0, full.find(':'));
      if ((module.empty() || matches_pattern(module, in)) &&
          matches_pattern(name, full.substr(in.size() + 1))) {
        names.push_back(full);
      }
    }
    return names;
  }
  std::vector<std::string> typed_functions(const std::string &module,
                                           const std::string &name) override {
    return kernel_functions(module, name);
  }
  bool has_kernel_function(const std::string &module, const std::string &name) override {
    return !kernel_functions(module, name).empty();
  }

  std::optional<FunctionSignature> raw_tracepoint(TypeStore &store,
                                                  const std::string &name) override {
    auto found = raw_events.find(name);
    if (!btf || found == raw_events.end()) return std::nullopt;
    FunctionSignature signature;
    for (const std::string &parameter : found->second) {
      signature.parameters.push_back({parameter, store.uint64(), "u64"});
    }
    return signature;
  }

  std::vector<std::string> raw_tracepoints() override {
    std::vector<std::string> names;
    for (const auto &[name, parameters] : raw_events) names.push_back(name);
    return names;
  }

  std::vector<std::string> tracepoints(const std::string &category,
                                       const std::string &event) override {
    std::vector<std::string> names;
    for (const auto &[name, format] : formats) {
      size_t colon = name.find(':');
      if (matches_pattern(category, name.substr(0, colon)) &&
          matches_pattern(event, name.substr(colon + 1))) {
        names.push_back(name);
      }
    }
    return names;
  }

  Result<TracepointFormat> tracepoint_format(const std::string &category,
                                             const std::string &event) override {
    auto found = formats.find(category + ":" + event);
    if (found == formats.end()) return Error{"no such tracepoint", ENOENT};
    return found->second;
  }

  std::optional<uint64_t> kernel_symbol(const std::string &) override { return std::nullopt; }

  Result<std::string> resolve_binary(const std::string &name) override {
    if (auto found = libraries.find(name); found != libraries.end()) return found->second;
    if (binaries.contains(name)) return name;
    return Error{"cannot find '" + name + "'", ENOENT};
  }

  Result<std::vector<std::string>> binary_functions(const std::string &path,
                                                    const std::string &pattern) override {
    auto found = binaries.find(path);
    if (found == binaries.end()) return Error{"cannot open " + path, ENOENT};
    std::vector<std::string> names;
    for (const std::string &name : found->second) {
      if (matches_pattern(pattern, name)) names.push_back(name);
    }
    return names;
  }

  std::optional<uint64_t> binary_symbol_size(const std::string &,
                                             const std::string &name) override {
    return name == "counter" ? std::optional<uint64_t>(4) : std::nullopt;
  }
  Result<uint64_t> cgroup_id(const std::string &) override { return Error{"no cgroups", ENOENT}; }
  std::string architecture() override { return "x86_64"; }
};

}  // namespace awl::frontend
