// uprobe and uretprobe: a place in a user binary, by symbol, symbol and offset, or address.
#include <set>
#include <utility>

#include "base/cpp_names.h"
#include "base/dwarf/source_lines.h"
#include "base/elf_symbols.h"
#include "base/pattern.h"
#include "runtime/attach/families.h"
#include "runtime/attach/nearest.h"
#include "runtime/attach/uprobe_events.h"
#include "runtime/attach/user_files.h"
#include "runtime/attach/x86_instruction.h"

namespace awl::runtime {
namespace {

// "malloc", "malloc+8"
std::string place_in(const ElfSymbol &symbol, uint64_t offset) {
  return std::string(symbol.name) + (offset == 0 ? "" : "+" + std::to_string(offset));
}

// Finds the targets of an attach point in one file.
class FileExpansion {
 public:
  FileExpansion(const AttachContext &context, const object::AttachPoint &point,
                const std::string &path, Expansion &expansion)
      : context_(context), point_(point), path_(path), expansion_(expansion) {}

  // Errors: the file is not one that can be traced. What is not in it is told in `missing`.
  Status run() {
    auto file = ElfSymbols::open(context_.binary_root + path_);
    if (!file) return try_flat_file(file.error());
    symbols_ = *file;
    if (!point_.build_id.empty() && point_.build_id != symbols_->build_id()) {
      miss(
          "it is another build than the one whose debug information said where arguments are "
          "(build id " +
          point_.build_id + "); compile the script for this one");
    } else if (!point_.source_file.empty()) {
      add_statements();
    } else if (point_.has_address) {
      add_address();
    } else if (point_.is_demangled || has_wildcard(point_.target)) {
      add_functions();
    } else {
      add_function();
    }
    return ok();
  }

 private:
  void miss(const std::string &why) {
    expansion_.missing = "No matches for " + point_.name + (why.empty() ? "" : ": " + why);
  }

  // Code that is in no ELF file, such as an image that a program loads by itself.
  Status try_flat_file(const Error &error) {
    if (!point_.has_address || error.code != ENOEXEC) return error;
    if (!context_.is_unsafe) {
      return Error{error.message + "; --unsafe allows to probe any file at an offset", error.code};
    }
    Target target = plain_target(point_);
    target.path = path_;
    target.file_offset = target.address = point_.address;
    expansion_.targets.push_back(std::move(target));
    return ok();
  }

  // False: there is no code at the address.
  bool add(const std::string &symbol, uint64_t address) {
    const std::optional<uint64_t> offset = symbols_->file_offset(address);
    if (!offset) return false;
    Target target = plain_target(point_);
    if (!point_.source_file.empty()) {
      target.name = point_.family + ":" + path_ + ":" + std::to_string(address);
    } else if (has_wildcard(point_.target) || point_.is_demangled ||
               (path_ != point_.binary && !symbol.empty())) {
      target.name = point_.family + ":" + path_ + ":" + symbol;
      if (point_.offset != 0) target.name += "+" + std::to_string(point_.offset);
    }
    target.path = path_.substr(0, path_.find("!/"));
    target.symbols_path = path_;
    target.file_offset = *offset;
    target.address = address;
    expansion_.targets.push_back(std::move(target));
    return true;
  }

  void add_functions() {
    for (const ElfSymbol *symbol :
         symbols_->functions(point_.is_demangled ? "_Z*" : point_.target)) {
      if (point_.is_demangled && !matches_cpp_name(point_.target, symbol->name)) continue;
      if (point_.offset == 0 || point_.offset < symbol->size) add_place(*symbol, point_.offset);
    }
    if (point_.is_demangled && expansion_.targets.empty() && !has_wildcard(point_.binary)) miss("");
  }

  void add_function() {
    const ElfSymbol *symbol = symbols_->find_function(point_.target);
    if (symbol == nullptr) {
      if (!has_wildcard(point_.binary)) explain_missing_function();
    } else if (symbol->size != 0 && point_.offset >= symbol->size) {
      miss(point_.target + " has only " + std::to_string(symbol->size) + " bytes");
    } else {
      add_place(*symbol, point_.offset);
    }
  }

  void add_address() {
    const ElfSymbol *symbol = symbols_->containing(point_.address);
    const uint64_t offset = symbol == nullptr ? 0 : point_.address - symbol->address;
    if (symbol != nullptr && !is_instruction(*symbol, offset)) return;
    if (!add("", point_.address)) return miss("the address is not in code of " + path_);
    if (symbol == nullptr) warn("no symbol of " + path_ + " covers the address");
  }

  void add_place(const ElfSymbol &symbol, uint64_t offset) {
    if (is_instruction(symbol, offset)) add(std::string(symbol.name), symbol.address + offset);
  }

  // Whether an instruction begins at an offset in a function, as far as one can tell. False: it
  // does not, and a breakpoint there would change what the traced program does.
  bool is_instruction(const ElfSymbol &symbol, uint64_t offset) {
#if defined(__x86_64__)
    if (offset == 0 || context_.is_unsafe) return true;
    const std::string name(symbol.name);
    if (symbol.size == 0) {
      warn("the size of " + name + " is not known");
      return true;
    }
    const std::optional<InstructionBounds> bounds = find_x86_instruction(read_code(symbol), offset);
    if (!bounds) warn(name + " holds what is no known instruction");
    if (!bounds || bounds->before == offset) return true;
    expansion_.refused = "cannot attach " + point_.name + ": no instruction of " + name +
                         " begins there, but at " + place_in(symbol, bounds->before);
    if (bounds->after < symbol.size)
      expansion_.refused += " and " + place_in(symbol, bounds->after);
    expansion_.refused += ". --unsafe attaches all the same, and the traced program may break";
    return false;
#else
    // Instructions are aligned, and the kernel refuses what is not; or nobody here can tell.
    (void)symbol, (void)offset;
    return true;
#endif
  }

  std::vector<uint8_t> read_code(const ElfSymbol &symbol) const {
    constexpr uint64_t kMaxFunctionSize = 16u << 20;  // bytes; longer ones are not looked into
    const std::optional<uint64_t> offset = symbols_->file_offset(symbol.address);
    Result<ElfFile> file = ElfFile::open(context_.binary_root + path_);
    if (!offset || !file || symbol.size > kMaxFunctionSize) return {};
    std::vector<uint8_t> code(symbol.size);
    if (!file->read(*offset - file->start(), code.data(), code.size())) return {};
    return code;
  }

  // Why it cannot be told whether an instruction begins at the place.
  void warn(const std::string &why) {
    expansion_.warning =
        point_.name + ": " + why +
        ", so it is not known whether an instruction begins there. If none does, the "
        "traced program breaks";
  }

  void explain_missing_function() {
    expansion_.missing = "No matches for " + point_.family + " " + path_ + ":" + point_.target;
    std::vector<std::string> names;
    for (const ElfSymbol &known : symbols_->symbols()) {
      if (known.is_function) names.emplace_back(known.name);
    }
    const std::string nearest = nearest_name(point_.target, names);
    if (!nearest.empty()) {
      expansion_.missing += "; did you mean " + nearest + "?";
    } else if (symbols_->is_stripped()) {
      expansion_.missing += "; " + path_ + " is stripped: it names only what it exports";
    }
  }

  // A statement may have been compiled into several functions; in each, its first code counts.
  void add_statements() {
    Result<std::shared_ptr<const DwarfFile>> dwarf =
        DwarfFile::open(context_.binary_root + path_, DebugFiles::kFetched);
    if (!dwarf) return miss(dwarf.error().message);
    Result<std::vector<uint64_t>> addresses =
        find_statement(**dwarf, point_.source_file, point_.source_line, point_.source_column);
    if (!addresses) return miss(addresses.error().message);
    std::set<const ElfSymbol *> known;
    for (const uint64_t address : *addresses) {
      if (known.insert(symbols_->containing(address)).second) add("", address);
    }
  }

  const AttachContext &context_;
  const object::AttachPoint &point_;
  const std::string &path_;
  Expansion &expansion_;
  std::shared_ptr<const ElfSymbols> symbols_;
};

}  // namespace

AWL_EXPANDS(expand_uprobe) {
  Result<Expansion> expansion =
      expand_user_files(context, point, [&](const std::string &path, Expansion &found) {
        return FileExpansion(context, point, path, found).run();
      });
  // Of what a pattern matches, the rest is attached to.
  if (expansion && has_wildcard(point.target) && !expansion->targets.empty() &&
      !expansion->refused.empty()) {
    expansion->warning = std::exchange(expansion->refused, {});
  }
  return expansion;
}

AWL_ATTACHES(attach_uprobe) {
  attach_uprobes(context, program, targets, false, attachments, failures);
}

AWL_ATTACHES(attach_uretprobe) {
  attach_uprobes(context, program, targets, true, attachments, failures);
}

}  // namespace awl::runtime
