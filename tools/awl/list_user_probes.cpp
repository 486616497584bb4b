#include "tools/awl/list_user_probes.h"

#include <algorithm>
#include <tuple>

#include "base/mapped_files.h"
#include "base/usdt_arguments.h"

namespace awl::tools {
namespace {

using Arguments = std::vector<std::pair<std::string, std::string>>;

// "family:BINARY:rest", where a binary may be quoted and hold colons.
struct UserPattern {
  std::string family, binary, rest;
};

UserPattern split(std::string pattern) {
  UserPattern parts;
  std::erase(pattern, '"');
  const size_t first = pattern.find(':');
  parts.family = pattern.substr(0, first);
  size_t second = pattern.find(':', first + 1);
  parts.binary =
      pattern.substr(first + 1, second == std::string::npos ? second : second - first - 1);
  parts.rest = second == std::string::npos ? "*" : pattern.substr(second + 1);
  return parts;
}

std::string usdt_type(const UsdtArgument &argument) {
  if (!argument.problem.empty()) return "(" + argument.problem + ")";
  return (argument.is_signed ? "int" : "uint") + std::to_string(argument.size * 8);
}

Arguments usdt_arguments(const UsdtPlace &place) {
  Arguments arguments;
  const auto no_symbols = [](const std::string &) { return std::optional<int64_t>(0); };
  for (const UsdtArgument &argument :
       parse_usdt_arguments(place.arguments, kUsdtMachine, no_symbols)) {
    arguments.emplace_back(usdt_type(argument), "arg" + std::to_string(arguments.size()));
  }
  return arguments;
}

Status list_static_probes(frontend::Target &target, const std::string &path,
                          const UserPattern &pattern, const PrintUserProbe &print) {
  Result<std::vector<UsdtPlace>> places = target.usdt_places(path);
  if (!places) return places.error();
  // Without a provider, any is meant.
  const bool has_provider = pattern.rest.find(':') != std::string::npos || pattern.rest == "*";
  const std::string wanted = has_provider ? pattern.rest : "*:" + pattern.rest;
  std::stable_sort(places->begin(), places->end(), [](const UsdtPlace &a, const UsdtPlace &b) {
    return std::tie(a.provider, a.name) < std::tie(b.provider, b.name);
  });
  std::string last;
  for (const UsdtPlace &place : *places) {
    const std::string name = place.provider + ":" + place.name;
    if (name == last || !frontend::matches_pattern(wanted, name)) continue;
    last = name;
    print("usdt:" + path + ":" + name, [&] { return usdt_arguments(place); });
  }
  return ok();
}

Status list_functions(frontend::Target &target, const std::string &path, const UserPattern &pattern,
                      const PrintUserProbe &print) {
  const bool is_demangled = pattern.rest.starts_with("cpp:");
  Result<std::vector<std::string>> names =
      is_demangled ? target.demangled_functions(path, pattern.rest.substr(4))
                   : target.binary_functions(path, pattern.rest);
  if (!names) return names.error();
  if (!std::is_sorted(names->begin(), names->end())) std::sort(names->begin(), names->end());
  names->erase(std::unique(names->begin(), names->end()), names->end());
  frontend::TypeStore store;
  const auto resolver = target.type_resolver(store);
  store.set_resolver(resolver.get());
  for (const std::string &name : *names) {
    print(pattern.family + ":" + path + ":" + name, [&] {
      Arguments arguments;
      if (pattern.family != "uprobe") return arguments;
      Result<frontend::UserFunction> function =
          target.user_function(store, path, name, DebugFiles::kInstalled);
      if (!function) return arguments;
      for (const frontend::FunctionParameter &parameter : function->signature.parameters) {
        arguments.emplace_back(parameter.type_text, parameter.name);
      }
      return arguments;
    });
  }
  return ok();
}

}  // namespace

Status list_user_probes(frontend::Target &target, const std::string &pattern,
                        std::optional<int> pid, const PrintUserProbe &print) {
  const UserPattern parts = split(pattern);
  std::vector<std::string> paths;
  const bool is_everything = parts.binary == "*" && pid.has_value();
  if (is_everything) {
    paths = mapped_files(*pid);
    if (paths.empty()) {
      return Error{"process " + std::to_string(*pid) + " runs no files that can be read", ESRCH};
    }
  } else if (frontend::has_wildcard(parts.binary)) {
    return Error{"name a binary to list its probes: " + parts.family +
                 ":/path/to/binary:*, or a process with -p"};
  } else {
    Result<std::string> path = target.resolve_binary(parts.binary);
    if (!path) return path.error();
    paths.push_back(*path);
  }
  for (const std::string &path : paths) {
    Status status = parts.family == "usdt" ? list_static_probes(target, path, parts, print)
                                           : list_functions(target, path, parts, print);
    if (!status && !is_everything) return status;
  }
  return ok();
}

}  // namespace awl::tools
