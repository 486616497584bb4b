// Joins the tables of the other files, and finds records by name.
#include <unordered_map>

#include "frontend/builtins/check_builtin.h"

namespace awl::frontend {
namespace {

std::vector<Builtin> join_tables() {
  std::vector<Builtin> all;
  for (auto table :
       {value_builtins, output_builtins, map_builtins, string_builtins, symbol_builtins,
        network_builtins, process_builtins, aggregation_builtins, compile_time_builtins}) {
    for (Builtin &builtin : table()) {
      builtin.is_value |= table == value_builtins;
      all.push_back(builtin);
    }
  }
  return all;
}

std::unordered_map<std::string_view, const Builtin *> index_by_name() {
  std::unordered_map<std::string_view, const Builtin *> index;
  for (const Builtin &builtin : all_builtins()) index.emplace(builtin.name, &builtin);
  return index;
}

// `arg0`, `arg1`, …: one record for all.
bool is_argument_name(std::string_view name) {
  return name.size() > 3 && name.size() <= 5 && name.starts_with("arg") &&
         name.find_first_not_of("0123456789", 3) == std::string_view::npos;
}

}  // namespace

bool takes(const Builtin &builtin, size_t count) {
  int given = static_cast<int>(count);
  return given >= builtin.min_arguments &&
         (builtin.max_arguments < 0 || given <= builtin.max_arguments);
}

const std::vector<Builtin> &all_builtins() {
  static const std::vector<Builtin> all = join_tables();
  return all;
}

const Builtin *find_builtin(std::string_view name) {
  static const std::unordered_map<std::string_view, const Builtin *> index = index_by_name();
  auto found = index.find(is_argument_name(name) ? "argN" : name);
  return found == index.end() ? nullptr : found->second;
}

}  // namespace awl::frontend
