// The frontend's one entry: from the text of a script to a checked program.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frontend/checked_program.h"
#include "frontend/diagnostics/diagnostic.h"
#include "frontend/target/target.h"

namespace awl::frontend {

// What a script is run for: its `test` and `bench` probes count in a mode of their own only.
enum class Mode { kTrace, kTest, kBench };

struct Options {
  Mode mode = Mode::kTrace;
  bool allow_unsafe = false;
  bool is_ahead_of_time = false;  // `awl build`: refuse what only the build machine can know
  bool has_command = false;       // -c was given
  std::optional<int> pid;         // -p
  std::vector<std::string> include_paths;  // -I
  std::vector<std::string> includes;       // --include
  // Positional parameters when they are known at compile time (awl -e '…' a b): they tell whether
  // `$1` is a number or a string where its use does not.
  std::vector<std::string> parameters;
  // Environment lookup for configuration variables: AWL_X, then BPFTRACE_X. Null: none.
  std::function<const char *(const std::string &name)> environment;
  // Is told each call of a C compiler: the command and what it reads. Null: not called.
  std::function<void(const std::string &text)> on_compile;
  // Called after every pass with its name and the tree (for `-d ast`). Null: not called.
  std::function<void(const std::string &pass, const ast::Program &)> after_pass;
};

// A header that a script names and that could not be read, though the script may not need it.
struct UnreadHeader {
  Span span;
  std::string name, reason, hint;
};

// A BPF object that a script imports: compiled, or a `.bpf.c` that is to be.
struct ObjectFile {
  std::string path, name;  // name: as the script has it
  Span span;               // of the import
  bool is_compiled = false;
};

// Everything a compilation owns; `checked` points into it. Kept alive until code is generated.
struct Compilation {
  SourceManager sources;
  Diagnostics diagnostics;
  TypeStore types;
  std::unique_ptr<TypeStore::Resolver> resolver;
  ast::Context context;
  CheckedProgram checked;
  std::vector<UnreadHeader> unread_headers;
  std::vector<ObjectFile> object_files;
  // Answers conditional lines that ask for what headers define: `lines` are the #defines and
  // #includes before, `condition` is the #if, #ifdef or #ifndef. Null, or no value: cannot tell.
  std::function<std::optional<bool>(const std::string &lines, const std::string &condition)>
      ask_headers;
};

// Parses, resolves and checks. `name` is what messages call the script ("stdin" for -e).
// False when there are errors; warnings may be there in both cases.
bool compile(Compilation &compilation, std::string name, std::string text, Target &target,
             const Options &options);

// Parsing alone (for --fmt, tests and the fuzzer): null when there were errors.
ast::Program *parse(Compilation &compilation, std::string name, std::string text);

// The tree as indented text, one node a line, for `-d ast` and tests.
std::string dump(const ast::Program &program);

}  // namespace awl::frontend
