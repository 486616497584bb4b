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

#include "base/debug_file.h"
#include "base/result.h"
#include "base/tracefs.h"
#include "base/usdt_notes.h"
#include "frontend/probes/probe.h"
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

// A function of a user binary, as its debug information describes it.
struct UserFunction {
  FunctionSignature signature;
  std::vector<UserArgumentPlace> places;  // of the parameters
  UserArgumentPlace result;               // of what it returns, when it returns; kRegister: retval
  std::string build_id;                   // of the binary; empty: it has none
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

  // -- kernel functions; two shell patterns, of which an empty `module` stands for any and
  // "vmlinux" is the kernel itself. "module:name", sorted, each once.
  // Those that can be traced.
  virtual std::vector<std::string> kernel_functions(const std::string & /*module*/,
                                                    const std::string & /*name*/) {
    return {};
  }
  // Those that BTF describes and that take a known number of arguments, traceable or not.
  virtual std::vector<std::string> typed_functions(const std::string & /*module*/,
                                                   const std::string & /*name*/) {
    return {};
  }
  // Whether there is a function of that name, traceable or not; where nobody can tell, true.
  virtual bool has_kernel_function(const std::string & /*module*/, const std::string & /*name*/) {
    return true;
  }

  // Names of the functions (else structs) of vmlinux that start with a prefix, without it.
  virtual std::vector<std::string> btf_names(const std::string &prefix, bool is_function) {
    (void)prefix, (void)is_function;
    return {};
  }

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
  // A function by its symbol. Types are made in `store`, for which type_resolver() was called.
  // Only for someone who needs it are `files` fetched.
  virtual Result<UserFunction> user_function(TypeStore &, const std::string &path,
                                             const std::string &, DebugFiles) {
    return Error{"the debug information of " + path + " is not known here"};
  }
  // Names of functions that match a pattern, as C++ writes them, without their parameters.
  virtual Result<std::vector<std::string>> demangled_functions(const std::string &path,
                                                               const std::string &) {
    return Error{"the functions of " + path + " are not known here"};
  }
  // Whether a statement begins at a line (and column, if not 0) of a source file. A failure says
  // what there is instead.
  virtual Status find_statement(const std::string &path, const std::string &, uint32_t, uint32_t) {
    return Error{"the debug information of " + path + " is not known here"};
  }
  // The places of the static probes that a binary declares.
  virtual Result<std::vector<UsdtPlace>> usdt_places(const std::string &path) {
    return Error{"the static probes of " + path + " are not known here"};
  }
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
