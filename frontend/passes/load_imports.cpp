#include "frontend/passes/load_imports.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kImportNotFound, Error, "import-not-found", "cannot import '{}': {}", std::string,
               std::string);
AWL_DIAGNOSTIC(kImportWorldWritable, Error, "import-world-writable",
               "cannot import from '{}': everybody may write to this folder", std::string);
AWL_DIAGNOSTIC(kImportUnknownFile, Error, "import-unknown-file",
               "cannot import '{}': it is neither a folder nor a .bt, .h, .bpf.c or .bpf.o file",
               std::string);
AWL_DIAGNOSTIC(kImportConfig, Error, "import-config",
               "an imported script cannot have a config block");

constexpr uintmax_t kMaxScriptBytes = 16u << 20;
constexpr int kMaxDepth = 64;

namespace fs = std::filesystem;

enum class FileKind { kScript, kHeader, kBpfSource, kBpfObject, kOther };

FileKind file_kind(const fs::path &path) {
  std::string name = path.filename().string();
  if (name.ends_with(".bt")) return FileKind::kScript;
  if (name.ends_with(".h")) return FileKind::kHeader;
  if (name.ends_with(".bpf.c")) return FileKind::kBpfSource;
  return name.ends_with(".bpf.o") ? FileKind::kBpfObject : FileKind::kOther;
}

template <class T>
void prepend(std::vector<T> &list, std::vector<T> front) {
  list.insert(list.begin(), front.begin(), front.end());
}

void append(ast::Program &to, const ast::Program &from) {
  auto add = [](auto &list, const auto &more) {
    list.insert(list.end(), more.begin(), more.end());
  };
  add(to.c_definitions, from.c_definitions);
  add(to.map_declarations, from.map_declarations);
  add(to.macros, from.macros);
  add(to.clauses, from.clauses);
}

class Importer {
 public:
  explicit Importer(Compilation &compilation)
      : compilation_(compilation), diagnostics_(compilation.diagnostics), all_(Span{}) {}

  void run(ast::Program &program) {
    std::error_code ignored;
    fs::path own = fs::canonical(folder_of(program).first, ignored);
    if (!ignored) done_.insert(own / folder_of(program).second);
    load_all(program, 0);
    prepend(program.c_definitions, all_.c_definitions);
    prepend(program.map_declarations, all_.map_declarations);
    prepend(program.macros, all_.macros);
    prepend(program.clauses, all_.clauses);
    program.c_definitions.insert(program.c_definitions.end(), headers_.begin(), headers_.end());
  }

 private:
  // Folder and file name of a script.
  std::pair<fs::path, fs::path> folder_of(const ast::Program &program) {
    fs::path path = compilation_.sources.source(program.span.source).name();
    fs::path folder = path.parent_path();
    return {folder.empty() ? fs::path(".") : folder, path.filename()};
  }

  void load_all(const ast::Program &program, int depth) {
    fs::path folder = folder_of(program).first;
    for (const ast::Import *import : program.imports) {
      fs::path path = fs::path(import->path).is_absolute() ? fs::path(import->path)
                      : folder == "."                      ? fs::path(import->path)
                                                           : folder / import->path;
      load(path, *import, depth);
    }
  }

  void load(const fs::path &path, const ast::Import &import, int depth) {
    std::error_code error;
    fs::path real = fs::canonical(path, error);
    if (error) {
      diagnostics_.emit(import.span, kImportNotFound, import.path, error.message());
      return;
    }
    if (!done_.insert(real).second) return;
    if (depth > kMaxDepth) {
      diagnostics_.emit(import.span, kImportNotFound, import.path, "imports nest too deep");
      return;
    }
    if (!fs::is_directory(real, error)) {
      load_file(path, real, import, depth);
      return;
    }
    std::vector<fs::path> names;
    for (fs::directory_iterator entry(real, error), end; !error && entry != end;
         entry.increment(error)) {
      if (file_kind(entry->path()) != FileKind::kOther) names.push_back(entry->path().filename());
    }
    if (error) {
      diagnostics_.emit(import.span, kImportNotFound, import.path, error.message());
      return;
    }
    std::sort(names.begin(), names.end());
    for (const fs::path &name : names) {
      if (done_.insert(real / name).second) load_file(path / name, real / name, import, depth);
    }
  }

  void load_file(const fs::path &path, const fs::path &real, const ast::Import &import, int depth) {
    FileKind kind = file_kind(real);
    if (kind == FileKind::kOther) {
      diagnostics_.emit(import.span, kImportUnknownFile, import.path);
      return;
    }
    if (!is_folder_safe(real.parent_path(), import)) return;
    if (kind == FileKind::kHeader) {
      headers_.push_back(include_of(real, import));
      return;
    }
    if (kind != FileKind::kScript) {
      compilation_.object_files.push_back(
          {real.string(), import.path, import.span, kind == FileKind::kBpfObject});
      return;
    }
    std::optional<std::string> text = read(real, import);
    if (!text) return;
    ast::Program *program = parse(compilation_, path.string(), std::move(*text));
    if (!program) return;
    if (!program->config.empty()) {
      diagnostics_.emit(program->config.front()->span, kImportConfig)
          .note(import.span, "imported here");
    }
    load_all(*program, depth + 1);
    append(all_, *program);
  }

  // Importing a header is to include it, after what the script defines itself.
  ast::CDefinition *include_of(const fs::path &real, const ast::Import &import) {
    auto *include = compilation_.context.make<ast::CDefinition>(import.span);
    include->definition = ast::CDefinition::Kind::kInclude;
    include->name = real.string();
    include->is_import = true;
    return include;
  }

  bool is_folder_safe(const fs::path &folder, const ast::Import &import) {
    struct stat status;
    if (stat(folder.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) == 0) return true;
    diagnostics_.emit(import.span, kImportWorldWritable, folder.string());
    return false;
  }

  std::optional<std::string> read(const fs::path &path, const ast::Import &import) {
    std::error_code error;
    uintmax_t size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
    std::string reason = error ? error.message() : size > kMaxScriptBytes ? "it is too large" : "";
    std::ifstream file(path, std::ios::binary);
    if (reason.empty() && !file) reason = "it cannot be read";
    if (!reason.empty()) {
      diagnostics_.emit(import.span, kImportNotFound, import.path, reason);
      return std::nullopt;
    }
    std::string text(size, '\0');
    file.read(text.data(), static_cast<std::streamsize>(size));
    text.resize(static_cast<size_t>(file.gcount()));
    return text;
  }

  Compilation &compilation_;
  Diagnostics &diagnostics_;
  ast::Program all_;  // what the imports hold, in the order in which it counts
  std::vector<ast::CDefinition *> headers_;
  std::set<fs::path> done_;
};

}  // namespace

void load_imports(Compilation &compilation, ast::Program &program) {
  if (program.imports.empty()) return;
  Importer(compilation).run(program);
}

}  // namespace awl::frontend
