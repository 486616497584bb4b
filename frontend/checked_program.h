// The product of the frontend: a script that is right, with all that code generation needs to know.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frontend/ast/ast.h"
#include "frontend/probes/probe.h"
#include "frontend/source/source.h"
#include "frontend/types/type.h"

namespace awl::frontend {

enum class MapKind { kAuto, kHash, kLruHash, kPercpuHash, kPercpuLruHash };

struct MapInfo {
  std::string name;       // with the @
  uint32_t id = 0;        // index in CheckedProgram::maps
  TypeRef key = nullptr;  // null: scalar; several keys are one tuple
  TypeRef value = nullptr;
  MapKind declared = MapKind::kAuto;
  uint64_t max_entries = 0;  // 0: the config's max_map_keys
  Span span;                 // first use
  std::optional<Span> declaration;
};

// A clause and one or more of its attach points that share one program. A clause is split where
// its attach points differ in family or in the types of the arguments it uses; the body's AST is
// then a copy of its own for each.
struct ProgramInfo {
  ast::Clause *clause = nullptr;
  uint32_t clause_index = 0;      // in the script
  std::vector<ProbeSpec> probes;  // at least one, all of one family
  bool uses_probe_name = false;   // `probe`, or `func` of several targets
};

// `$1`, or getopt("name", default, "description").
struct ParameterInfo {
  enum class Kind { kInteger, kString, kBool, kPrinted };  // kPrinted: text, or a number's digits
  std::string name;                                        // "1" for $1
  bool is_positional = true;
  Kind kind = Kind::kInteger;
  int64_t default_integer = 0;
  std::string default_string;
  std::string description;
  uint32_t id = 0;  // index in CheckedProgram::parameters
};

// A bucket takes 16 bytes at least, and the kernel counts those of a table, a power of two that are
// not fewer than the entries, in 32 bits (kernel/bpf/hashtab.c, htab_map_alloc).
inline constexpr int64_t kMaxMapEntries = 1 << 27;

// Configuration after merging defaults, the script's block and the environment.
struct Config {
  uint64_t max_map_keys = 4096;
  uint64_t max_strlen = 1024;
  uint64_t max_probes = 1024;
  uint64_t max_bpf_progs = 1024;
  uint64_t max_cat_bytes = 10240;
  uint64_t log_size = 1000000;
  uint64_t on_stack_limit = 32;
  uint64_t perf_rb_pages = 0;  // 0: chosen by the runtime from the system's memory
  StackMode stack_mode = StackMode::kBpftrace;
  std::string str_trunc_trailer = "..";
  std::string missing_probes = "error";  // error, warn, ignore
  std::string cache_user_symbols;        // "", PER_PROGRAM, PER_PID, NONE
  std::string license = "GPL";
  bool print_maps_on_exit = true;
  bool cpp_demangle = true;
  bool lazy_symbolication = false;
  bool show_debug_info = false;
  std::string unstable_tseries = "warn";
  std::string unstable_dw_ustack = "warn";
};

// An object that the script imports, to be linked with its own.
struct ImportedObject {
  std::string path;
  std::string bytes;  // an ELF file
};

// A function of such an object.
struct ImportedFunction {
  struct Parameter {
    std::string name;
    TypeRef type = nullptr;
    std::string type_text;  // as C writes it
  };
  std::string name;
  std::vector<Parameter> parameters;
  TypeRef return_type = nullptr;
  Span span;  // of the import
};

struct CheckedProgram {
  SourceManager *sources = nullptr;
  ast::Context *context = nullptr;
  ast::Program *program = nullptr;
  TypeStore *types = nullptr;
  Config config;
  std::vector<ProgramInfo> programs;
  std::vector<MapInfo> maps;
  std::vector<ParameterInfo> parameters;
  std::vector<ImportedObject> objects;
  std::vector<ImportedFunction> functions;

  const ImportedFunction *find_function(const std::string &name) const;
  const MapInfo *find_map(const std::string &name) const;
  // A positional parameter has one entry per kind that it is used as; an option has one.
  const ParameterInfo *find_parameter(const std::string &name, bool is_positional,
                                      ParameterInfo::Kind kind) const;
};

}  // namespace awl::frontend
