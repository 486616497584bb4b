#include "frontend/headers/include_lines.h"

#include <filesystem>

#include "frontend/headers/kernel_headers.h"

namespace awl::frontend {
namespace {

namespace fs = std::filesystem;

// Empty: in none of the folders of -I.
std::string find_in_include_paths(const std::string &name, const Options &options) {
  for (const std::string &path : options.include_paths) {
    std::error_code ignored;
    if (fs::exists(fs::path(path) / name, ignored)) return fs::path(path) / name;
  }
  return "";
}

}  // namespace

std::string header_beside(const std::string &name, const std::string &from) {
  std::error_code error;
  const fs::path beside = fs::path(from).parent_path() / name;
  if (!fs::exists(beside, error) || error) return "";
  return fs::absolute(beside, error).string();
}

std::string header_file(const std::string &name, bool is_system, const std::string &from,
                        const Options &options) {
  std::string path = is_system ? "" : header_beside(name, from);
  if (path.empty()) path = find_in_include_paths(name, options);
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return error ? "" : real.string();
}

HeaderLine include_line(const std::string &name, bool is_system, Span span, const std::string &from,
                        bool has_btf, const Options &options) {
  HeaderLine line;
  line.name = name;
  line.span = span;
  line.text = is_system ? "#include <" + name + ">" : "#include \"" + name + "\"";
  if (!is_system) {
    // clang reads from its standard input, which lies in no folder.
    const std::string beside = header_beside(name, from);
    if (!beside.empty()) {
      line.text = "#include \"" + beside + "\"";
      return line;
    }
  }
  // The kernel has the types of <sys/socket.h>, too.
  line.may_be_missing = has_btf && (is_kernel_header(name) || name == "sys/socket.h") &&
                        find_in_include_paths(name, options).empty();
  return line;
}

HeaderLine directive_line(std::string_view text, Span span) {
  HeaderLine line;
  line.text = text;
  line.span = span;
  return line;
}

HeaderLine written_line(std::string_view text, bool has_btf, const Options &options) {
  const size_t open = text.find_first_of("<\"");
  const size_t word = text.find_first_not_of(" \t", 1);
  const size_t close = open == std::string_view::npos ? open : text.find_first_of(">\"", open + 1);
  if (close == std::string_view::npos || word > open || !text.substr(word).starts_with("include"))
    return directive_line(text, Span{});
  return include_line(std::string(text.substr(open + 1, close - open - 1)), text[open] == '<',
                      Span{}, "", has_btf, options);
}

HeaderOptions header_options(const Options &options, bool has_btf) {
  HeaderOptions result;
  result.include_paths = options.include_paths;
  result.has_btf = has_btf;
  result.on_compile = options.on_compile;
  return result;
}

}  // namespace awl::frontend
