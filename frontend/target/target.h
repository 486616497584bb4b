// Target: all that the compiler may ask about the machine that is traced.
//
// Two implementations: LiveTarget (this host) and SnapshotTarget (a file, so that tests are
// hermetic and need no root). Everything is looked up lazily; what a script does not need is not
// read. Names come back unsorted unless said otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tracefs.h"
#include "frontend/types/type.h"

namespace awl::frontend {

// A tracepoint's record: defined where the runtime finds them too.
using awl::TracepointField;
using awl::TracepointFormat;

// A parameter of a kernel function or raw tracepoint, from BTF; or of a user function, from DWARF.
struct FunctionParameter {
  std::string name;
  TypeRef type = nullptr;
  std::string type_text;
};
struct FunctionSignature {
  std::vector<FunctionParameter> parameters;
  TypeRef return_type = nullptr;
  std::string return_type_text;
  std::string module;  // empty: vmlinux
};

class Target {
 public:
  virtual ~Target() = default;

  // -- kernel types; types are made in `store` and refer to its resolver for what is inside
  virtual bool has_btf() = 0;
  virtual std::unique_ptr<TypeStore::Resolver> type_resolver(TypeStore &store) = 0;
  // Of a function in vmlinux or a module (empty: any).
  virtual std::optional<FunctionSignature> kernel_function(TypeStore &store,
                                                           const std::string &module,
                                                           const std::string &name) = 0;
  // Arguments of a raw tracepoint, from the btf_trace_<name> typedef without its first parameter.
  virtual std::optional<FunctionSignature> raw_tracepoint(TypeStore &store,
                                                          const std::string &name) = 0;
  // Names of all raw tracepoints known to BTF, "event" or "module:event" when not in vmlinux.
  virtual std::vector<std::string> raw_tracepoints() = 0;

  // -- tracefs
  // "category:event" of every tracepoint that matches two shell patterns.
  virtual std::vector<std::string> tracepoints(const std::string &category,
                                               const std::string &event) = 0;
  virtual Result<TracepointFormat> tracepoint_format(const std::string &category,
                                                     const std::string &event) = 0;

  // -- kernel symbols
  virtual std::optional<uint64_t> kernel_symbol(const std::string &name) = 0;

  // -- user binaries
  // The path of a binary or library named as a user does: a path, a name in $PATH, or a library
  // ("c", "libc", "libc.so.6") as the dynamic loader finds it. A failure says where was looked.
  virtual Result<std::string> resolve_binary(const std::string &name) = 0;
  // Names of the functions in a binary that match a shell pattern.
  virtual Result<std::vector<std::string>> binary_functions(const std::string &path,
                                                            const std::string &pattern) = 0;
  // Size in bytes of a data symbol, for uaddr.
  virtual std::optional<uint64_t> binary_symbol_size(const std::string &path,
                                                     const std::string &name) = 0;

  // -- others
  virtual Result<uint64_t> cgroup_id(const std::string &path) = 0;
  virtual std::string architecture() = 0;  // as uname -m
};

// This host. Opens nothing yet.
std::unique_ptr<Target> make_live_target();
// A snapshot file (JSON index beside raw BTF in one directory or archive, see snapshot.h).
Result<std::unique_ptr<Target>> load_snapshot_target(const std::string &path);

// Shell pattern match with `*`, `?` and `[...]`.
bool matches_pattern(const std::string &pattern, const std::string &text);
// Whether the text holds a wildcard.
bool has_wildcard(const std::string &text);

}  // namespace awl::frontend
