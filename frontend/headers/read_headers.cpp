#include "frontend/headers/read_headers.h"

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/dwarf/object_image.h"
#include "frontend/headers/clang.h"
#include "frontend/headers/kernel_headers.h"

namespace awl::frontend {
namespace {

constexpr int kCompileLimitS = 60;  // all of a kernel's headers take a second
constexpr const char *kSection = ".awl.macros";
constexpr std::string_view kTrue = "awl_condition_holds", kFalse = "awl_condition_fails";
constexpr size_t kMostFailures = 3;

// The unit that clang reads, and which of the request's lines each of its lines comes from.
class Unit {
 public:
  void add(const HeaderLine &line, size_t index) {
    if (!line.may_be_missing) {
      write(line.text, index);
      return;
    }
    const std::string name = line.text.substr(line.text.find_first_of("<\""));
    write("#if __has_include(" + name + ")", index);
    write(line.text, index);
    write("#else");
    record("missing", std::to_string(index), "", "\"\"");
    write("#endif");
  }

  // Writes the text of a macro into the object: its name, the call that was expanded, the result.
  void ask_for(const MacroUse &use) {
    std::string call = use.name;
    if (use.arguments) {
      call += "(";
      for (size_t i = 0; i < *use.arguments; ++i)
        call += (i ? ", awl_" : "awl_") + std::to_string(i);
      call += ")";
    }
    write("#ifdef " + use.name);
    record("macro", use.name, call, "AWL_TEXT(" + call + ")");
    write("#endif");
  }

  void begin_macros() {
    // What compilers are told besides the value.
    write("#define __builtin_expect(value, ...) (value)");
    write("#define __builtin_constant_p(...) 0");
    write("#define AWL_TEXT_(...) #__VA_ARGS__");
    write("#define AWL_TEXT(...) AWL_TEXT_(__VA_ARGS__)");
  }

  void write(const std::string &text, std::optional<size_t> index = std::nullopt) {
    text_ += text + "\n";
    lines_.insert(lines_.end(), 1 + std::count(text.begin(), text.end(), '\n'), index);
  }

  const std::string &text() const { return text_; }
  std::optional<size_t> request_line(uint32_t line) const {
    return line >= 1 && line <= lines_.size() ? lines_[line - 1] : std::nullopt;
  }

 private:
  // `result` is an expression, all else is text.
  void record(const std::string &kind, const std::string &name, const std::string &call,
              const std::string &result) {
    write("static const char awl_record_" + std::to_string(records_++) +
          "[] __attribute__((section(\"" + kSection + "\"), used, aligned(1))) = \"" + kind +
          "\\0\" \"" + name + "\\0\" \"" + call + "\\0\" " + result + ";");
  }

  std::string text_;
  std::vector<std::optional<size_t>> lines_;
  size_t records_ = 0;
};

bool has_kernel_header(const std::vector<HeaderLine> &lines) {
  return std::any_of(lines.begin(), lines.end(),
                     [](const HeaderLine &line) { return is_kernel_header(line.name); });
}

// The kernel's headers, where the lines name one of them.
class WantedKernelHeaders {
 public:
  explicit WantedKernelHeaders(const std::vector<HeaderLine> &lines)
      : is_wanted_(has_kernel_header(lines)) {
    utsname system{};
    ::uname(&system);
    machine_ = system.machine;
    if (is_wanted_) headers_ = find_kernel_headers(system.release);
    if (is_wanted_ && !headers_) headers_ = unpacked_.unpack();
  }

  bool are_missing() const { return is_wanted_ && !headers_; }
  std::vector<std::string> options() const {
    if (!headers_) return {};
    return kernel_include_options(headers_, machine_);
  }

 private:
  bool is_wanted_;
  std::string machine_;
  UnpackedHeaders unpacked_;
  KernelHeaders headers_;
};

std::vector<std::string> command(const std::string &clang, const WantedKernelHeaders &kernel,
                                 const HeaderOptions &options) {
  std::vector<std::string> words{clang, "-x", "c", "-std=gnu11", "-w", "-O0"};
  for (const std::string &path : options.include_paths) words.insert(words.end(), {"-I", path});
  if (options.has_btf) words.push_back("-DBPFTRACE_HAVE_BTF=1");
  const std::vector<std::string> more = kernel.options();
  words.insert(words.end(), more.begin(), more.end());
  words.insert(words.end(), {"-fno-color-diagnostics", "-fno-caret-diagnostics"});
  return words;
}

Result<HelperOutcome> run(const std::vector<std::string> &words, const Unit &unit,
                          const HeaderOptions &options) {
  if (options.on_compile) {
    std::string shown;
    for (const std::string &word : words) shown += (shown.empty() ? "" : " ") + word;
    options.on_compile(shown + "\n" + unit.text());
  }
  return run_helper(words, unit.text(), kCompileLimitS);
}

std::string hint_for(const std::string &message, const std::string &header) {
  if (message.find("file not found") == std::string::npos) return "";
  if (is_kernel_header(header)) return std::string(kInstallKernelHeaders);
  return "-I DIR adds a folder to look in";
}

std::vector<HeaderFailure> failures_of(const HelperOutcome &outcome, const Unit &unit,
                                       const HeaderRequest &request) {
  std::vector<HeaderFailure> failures;
  for (const ClangMessage &message : parse_clang_messages(outcome.messages)) {
    HeaderFailure failure;
    failure.line = unit.request_line(message.input_line);
    const bool is_own = message.file == "<stdin>";
    failure.message = is_own ? message.text
                             : message.file + ":" + std::to_string(message.line) + ":" +
                                   std::to_string(message.column) + ": " + message.text;
    if (failure.line) failure.hint = hint_for(message.text, request.lines[*failure.line].name);
    failures.push_back(std::move(failure));
    if (failures.size() == kMostFailures) break;
  }
  if (failures.empty()) {
    std::string_view text = outcome.messages;
    failures.push_back({"clang failed: " + std::string(text.substr(0, text.find('\n'))), {}, ""});
  }
  return failures;
}

// Takes a string off the front of a sequence of them; false at the end.
bool take(std::string_view *text, std::string_view *out) {
  const size_t end = text->find('\0');
  if (end == std::string_view::npos) return false;
  *out = text->substr(0, end);
  text->remove_prefix(end + 1);
  return true;
}

void read_records(std::string_view section, const HeaderRequest &request, HeaderProduct *product) {
  std::string_view kind, name, call, text;
  while (take(&section, &kind) && take(&section, &name) && take(&section, &call) &&
         take(&section, &text)) {
    if (kind == "missing") {
      size_t line = 0;
      std::from_chars(name.data(), name.data() + name.size(), line);
      if (line < request.lines.size()) product->missing.push_back(line);
    } else if (text != name && text != call && !text.empty()) {
      // One that stands for itself is there to be asked for by #ifdef.
      product->macros.push_back({std::string(call) + " " + std::string(text)});
    }
  }
}

HeaderProduct failed(std::string message, std::string hint = "") {
  HeaderProduct product;
  product.failures.push_back({std::move(message), std::nullopt, std::move(hint)});
  return product;
}

}  // namespace

HeaderProduct read_headers(const HeaderRequest &request, const HeaderOptions &options) {
  const std::string clang = find_clang();
  if (clang.empty())
    return failed("that needs clang, which is not here", std::string(kInstallClang));
  Unit unit;
  for (size_t i = 0; i < request.lines.size(); ++i) unit.add(request.lines[i], i);
  unit.begin_macros();
  for (const MacroUse &use : request.macros) unit.ask_for(use);

  const WantedKernelHeaders kernel(request.lines);
  std::vector<std::string> words = command(clang, kernel, options);
  words.insert(words.end(), {"-g", "-fno-eliminate-unused-debug-types", "-c", "-o", "-", "-"});
  Result<HelperOutcome> outcome = run(words, unit, options);
  if (!outcome) return failed(outcome.error().message);
  HeaderProduct product;
  if (outcome->exit_code != 0) {
    product.failures = failures_of(*outcome, unit, request);
    return product;
  }
  read_records(object_section(outcome->output, kSection), request, &product);
  Result<std::shared_ptr<const DwarfFile>> types =
      DwarfFile::parse_object(std::move(outcome->output));
  if (!types) return failed(types.error().message);
  product.types = std::move(*types);
  product.has_user_headers_only = kernel.are_missing();
  return product;
}

std::optional<bool> evaluate_with_headers(const std::vector<HeaderLine> &lines,
                                          const std::string &condition,
                                          const HeaderOptions &options) {
  const std::string clang = find_clang();
  if (clang.empty()) return std::nullopt;
  Unit unit;
  for (size_t i = 0; i < lines.size(); ++i) unit.add(lines[i], i);
  unit.write(condition);
  unit.write(std::string(kTrue));
  unit.write("#else");
  unit.write(std::string(kFalse));
  unit.write("#endif");
  const WantedKernelHeaders kernel(lines);
  std::vector<std::string> words = command(clang, kernel, options);
  words.insert(words.end(), {"-E", "-o", "-", "-"});
  Result<HelperOutcome> outcome = run(words, unit, options);
  if (!outcome || outcome->exit_code != 0) return std::nullopt;
  const bool holds = outcome->output.find(kTrue) != std::string::npos;
  const bool fails = outcome->output.find(kFalse) != std::string::npos;
  return holds == fails ? std::nullopt : std::optional(holds);
}

}  // namespace awl::frontend
