#include "frontend/passes/include_headers.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "frontend/builtins/builtin.h"
#include "frontend/headers/header_types.h"
#include "frontend/headers/include_lines.h"
#include "frontend/headers/kernel_headers.h"
#include "frontend/headers/read_headers.h"
#include "frontend/headers/socket_constants.h"
#include "frontend/passes/used_names.h"
#include "frontend/stdlib/standard_library.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kIncludeFailed, Error, "include-failed", "cannot include '{}': {}", std::string,
               std::string);
AWL_DIAGNOSTIC(kIncludeUnread, Error, "include-unread", "'{}' was not read: {}", std::string,
               std::string);

using Kind = ast::CDefinition::Kind;

class HeaderPass {
 public:
  HeaderPass(Compilation &compilation, ast::Program &program, Target &target,
             const Options &options)
      : compilation_(compilation), program_(program), target_(target), options_(options) {}

  void run() {
    find_lines();
    if (request_.lines.empty()) return;
    names_ = collect_used_names(program_);
    // What is left to BTF where BTF suffices.
    const bool is_optional = std::all_of(
        request_.lines.begin(), request_.lines.end(),
        [](const HeaderLine &line) { return line.name.empty() || line.may_be_missing; });
    if (is_optional && !has_unknown_name()) {
      define_families();
      return;
    }
    find_macros();
    HeaderProduct product = read_headers(request_, header_options(options_, target_.has_btf()));
    if (!product.failures.empty()) {
      fail(product.failures, is_optional);
      return;
    }
    keep_missing(product);
    add_macros(product.macros);
    auto types = std::make_unique<DwarfTypes>(std::move(product.types), compilation_.types,
                                              DwarfTypes::Origin::kHeaders);
    compilation_.resolver =
        make_header_resolver(std::move(types), std::move(compilation_.resolver));
    compilation_.types.set_resolver(compilation_.resolver.get());
  }

 private:
  // The lines up to the last #include; what is defined after it no header sees.
  void find_lines() {
    std::vector<HeaderLine> &lines = request_.lines;
    for (const std::string &name : options_.includes) {
      lines.push_back(include_line(name, true, Span{}, "", target_.has_btf(), options_));
    }
    size_t used = lines.size();
    const std::set<std::string> included = included_files();
    for (const ast::CDefinition *definition : program_.c_definitions) {
      // It says nothing new, and may be a header without a guard against coming twice.
      if (definition->is_import && included.contains(definition->name)) continue;
      if (definition->definition == Kind::kDefine || definition->definition == Kind::kUndef) {
        lines.push_back(
            directive_line(compilation_.sources.text(definition->span), definition->span));
      } else if (definition->definition == Kind::kInclude) {
        const std::string &from = compilation_.sources.source(definition->span.source).name();
        lines.push_back(include_line(definition->name, definition->is_system_include,
                                     definition->span, from, target_.has_btf(), options_));
        used = lines.size();
      }
    }
    lines.resize(used);
  }

  // What #include takes from files that import could name, too.
  std::set<std::string> included_files() const {
    std::set<std::string> files;
    for (const ast::CDefinition *definition : program_.c_definitions) {
      if (definition->definition != Kind::kInclude || definition->is_import) continue;
      const std::string &from = compilation_.sources.source(definition->span.source).name();
      files.insert(header_file(definition->name, definition->is_system_include, from, options_));
    }
    for (const std::string &name : options_.includes) {
      files.insert(header_file(name, true, "", options_));
    }
    return files;
  }

  // Whether the script has a name that neither it nor the language nor the kernel explains.
  bool has_unknown_name() {
    if (!target_.has_btf()) return true;
    return std::any_of(names_.values.begin(), names_.values.end(),
                       [&](const std::string &name) { return !is_known_value(name); }) ||
           std::any_of(names_.calls.begin(), names_.calls.end(),
                       [&](const auto &call) { return !is_of_language(call.first); }) ||
           std::any_of(names_.types.begin(), names_.types.end(), [&](const auto &type) {
             return !names_.defined.contains(type.second) && !find_type(type.first, type.second);
           });
  }

  bool is_of_language(const std::string &name) const {
    return names_.defined.contains(name) || find_builtin(name) || find_standard_name(name) ||
           compilation_.checked.find_function(name);
  }

  bool includes_families() const {
    return std::any_of(request_.lines.begin(), request_.lines.end(),
                       [](const HeaderLine &line) { return defines_address_families(line.name); });
  }

  // What the headers that were not read would have said of sockets.
  void define_families() {
    if (!includes_families()) return;
    for (const std::set<std::string> *names : {&names_.values, &names_.words}) {
      for (const std::string &name : *names) {
        const std::optional<int64_t> value = address_family(name);
        if (value && !names_.defined.contains(name))
          compilation_.types.define_constant(name, *value);
      }
    }
  }

  bool is_known_value(const std::string &name) {
    TypeStore::Constant ignored;
    return is_of_language(name) || (address_family(name) && includes_families()) ||
           compilation_.types.find_named(name) || compilation_.types.find_constant(name, &ignored);
  }

  TypeRef find_type(ast::TypeSpec::Base base, const std::string &name) {
    TypeStore &types = compilation_.types;
    switch (base) {
      case ast::TypeSpec::Base::kStruct:
        return types.find_struct(name, false);
      case ast::TypeSpec::Base::kUnion:
        return types.find_struct(name, true);
      case ast::TypeSpec::Base::kEnum:
        return types.find_enum(name);
      default:
        return types.find_named(name);
    }
  }

  // Macros of headers stand behind all that the script and the language define.
  void find_macros() {
    std::set<MacroUse> uses;
    auto add = [&](const std::string &name, std::optional<size_t> arguments) {
      if (!is_of_language(name) && name.find(' ') == std::string::npos)
        uses.insert({name, arguments});
    };
    for (const std::string &name : names_.values) add(name, std::nullopt);
    for (const std::string &name : names_.words) add(name, std::nullopt);
    for (const auto &[name, arguments] : names_.calls) add(name, arguments);
    for (const auto &[base, name] : names_.types) {
      if (base == ast::TypeSpec::Base::kNamed) add(name, std::nullopt);
    }
    request_.macros.assign(uses.begin(), uses.end());
  }

  void keep_missing(const HeaderProduct &product) {
    for (size_t i = 0; i < request_.lines.size(); ++i) {
      if (!request_.lines[i].may_be_missing) continue;
      const bool is_missing =
          std::find(product.missing.begin(), product.missing.end(), i) != product.missing.end();
      if (is_missing) {
        const bool is_kernels = is_kernel_header(request_.lines[i].name);
        keep_unread(i, "there is no such header",
                    is_kernels ? std::string(kInstallKernelHeaders)
                               : "install the headers of the C library (Debian and Ubuntu: "
                                 "libc6-dev; Fedora: glibc-devel)");
      } else if (product.has_user_headers_only && is_kernel_header(request_.lines[i].name)) {
        keep_unread(i, "only its version for programs is installed, which has less",
                    std::string(kInstallKernelHeaders));
      }
    }
  }

  // As if the script had them: their text is parsed as that of its own definitions.
  void add_macros(const std::vector<HeaderMacro> &macros) {
    if (macros.empty()) return;
    std::string text;
    for (const HeaderMacro &macro : macros) text += "#define " + macro.definition + "\n";
    ast::Program *parsed = parse(compilation_, "C headers", std::move(text));
    if (!parsed) return;
    std::vector<ast::CDefinition *> &all = program_.c_definitions;
    all.insert(all.begin(), parsed->c_definitions.begin(), parsed->c_definitions.end());
  }

  void fail(const std::vector<HeaderFailure> &failures, bool is_optional) {
    for (const HeaderFailure &failure : failures) {
      const size_t line = failure.line.value_or(first_include());
      if (is_optional) {
        keep_unread(line, failure.message, failure.hint);
        continue;
      }
      auto diagnostic = compilation_.diagnostics.emit(request_.lines[line].span, kIncludeFailed,
                                                      request_.lines[line].name, failure.message);
      if (!failure.hint.empty()) diagnostic.hint(failure.hint);
    }
  }

  // Where nobody can tell which line is to blame: what a script needs clang for.
  size_t first_include() const {
    const auto &lines = request_.lines;
    auto found = std::find_if(lines.begin(), lines.end(), [](const HeaderLine &line) {
      return !line.name.empty() && !line.may_be_missing;
    });
    if (found == lines.end()) {
      found = std::find_if(lines.begin(), lines.end(),
                           [](const HeaderLine &line) { return !line.name.empty(); });
    }
    return static_cast<size_t>(found - lines.begin());
  }

  void keep_unread(size_t line, const std::string &reason, const std::string &hint) {
    compilation_.unread_headers.push_back(
        {request_.lines[line].span, request_.lines[line].name, reason, hint});
  }

  Compilation &compilation_;
  ast::Program &program_;
  Target &target_;
  const Options &options_;
  HeaderRequest request_;
  UsedNames names_;
};

}  // namespace

void answer_from_headers(Compilation &compilation, Target &target, const Options &options) {
  compilation.ask_headers = [&target, &options](const std::string &lines,
                                                const std::string &condition) {
    std::vector<HeaderLine> all;
    for (const std::string &name : options.includes)
      all.push_back(include_line(name, true, Span{}, "", target.has_btf(), options));
    for (std::string_view rest = lines; !rest.empty();) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      all.push_back(written_line(rest.substr(0, end), target.has_btf(), options));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return evaluate_with_headers(all, condition, header_options(options, target.has_btf()));
  };
}

void include_headers(Compilation &compilation, ast::Program &program, Target &target,
                     const Options &options) {
  HeaderPass(compilation, program, target, options).run();
}

void report_unread_headers(Compilation &compilation) {
  for (const UnreadHeader &header : compilation.unread_headers) {
    auto diagnostic =
        compilation.diagnostics.emit(header.span, kIncludeUnread, header.name, header.reason);
    if (!header.hint.empty()) diagnostic.hint(header.hint);
  }
}

}  // namespace awl::frontend
