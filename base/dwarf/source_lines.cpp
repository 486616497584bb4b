#include "base/dwarf/source_lines.h"

#include <dwarf.h>

#include <cstdlib>
#include <memory>
#include <set>

namespace awl {
namespace {

// "/a/b/c.c" is meant by "/a/b/c.c", "b/c.c" and "c.c", and "./c.c" is "c.c".
bool is_meant(std::string_view path, std::string_view file) {
  while (file.starts_with("./")) file.remove_prefix(2);
  if (!path.ends_with(file) || file.empty()) return false;
  return path.size() == file.size() || file.front() == '/' ||
         path[path.size() - file.size() - 1] == '/';
}

// What is known of the file, over all units that it has code in.
struct Search {
  const std::string &file;
  const uint32_t line, column;
  bool has_file = false;
  std::set<uint64_t> addresses;
  std::set<int> columns;      // of the line
  int before = 0, after = 0;  // the nearest lines with code; 0: none

  void look_in(Dwarf_Die &unit) {
    Dwarf_Lines *lines = nullptr;
    size_t count = 0;
    if (dwarf_getsrclines(&unit, &lines, &count) != 0) return;
    const char *last_path = nullptr;
    bool is_in_file = false;
    for (size_t i = 0; i < count; ++i) {
      Dwarf_Line *entry = dwarf_onesrcline(lines, i);
      const char *path = dwarf_linesrc(entry, nullptr, nullptr);
      if (path == nullptr) continue;
      if (path != last_path) is_in_file = is_meant(path, file);
      last_path = path;
      if (is_in_file) look_at(entry);
    }
  }

  void look_at(Dwarf_Line *entry) {
    has_file = true;
    int number = 0, at_column = 0;
    bool is_statement = false, is_end = false;
    Dwarf_Addr address = 0;
    if (dwarf_linebeginstatement(entry, &is_statement) != 0 || !is_statement ||
        dwarf_lineendsequence(entry, &is_end) != 0 || is_end || dwarf_lineno(entry, &number) != 0 ||
        dwarf_lineaddr(entry, &address) != 0 || number <= 0) {
      return;
    }
    const int wanted = static_cast<int>(line);
    if (number < wanted) before = std::max(before, number);
    if (number > wanted && (after == 0 || number < after)) after = number;
    if (number != wanted) return;
    if (dwarf_linecol(entry, &at_column) == 0) columns.insert(at_column);
    if (column == 0 || at_column == static_cast<int>(column)) addresses.insert(address);
  }

  Error explain(const std::string &binary) const {
    const std::string place = file + ":" + std::to_string(line);
    if (!has_file) return Error{"no code of " + binary + " comes from a file " + file, ENOENT};
    if (!columns.empty()) {
      std::string list;
      for (const int known : columns) list += (list.empty() ? "" : ", ") + std::to_string(known);
      return Error{"no statement begins at column " + std::to_string(column) + " of " + place +
                       ", but at " + list,
                   ENOENT};
    }
    std::string near;
    if (before != 0) near = "line " + std::to_string(before);
    if (after != 0) near += (near.empty() ? "line " : " and line ") + std::to_string(after);
    return Error{"no statement begins at " + place + (near.empty() ? "" : ", but at " + near),
                 ENOENT};
  }
};

// Where an inlined function was called. False: not told.
bool move_to_call(Dwarf_Die &unit, Dwarf_Die &inlined, SourcePlace &place) {
  Dwarf_Files *files = nullptr;
  size_t count = 0;
  const std::optional<uint64_t> file = dwarf_number(inlined, DW_AT_call_file);
  const std::optional<uint64_t> line = dwarf_number(inlined, DW_AT_call_line);
  if (!file || !line || dwarf_getsrcfiles(&unit, &files, &count) != 0 || *file >= count) {
    return false;
  }
  const char *path = dwarf_filesrc(files, *file, nullptr, nullptr);
  if (path == nullptr) return false;
  place.file = path;
  place.line = static_cast<uint32_t>(*line);
  return true;
}

}  // namespace

std::vector<SourcePlace> find_source(const DwarfFile &dwarf, uint64_t address) {
  std::optional<DwarfUnit> unit = dwarf.unit_at(address);
  Dwarf_Line *entry = unit ? dwarf_getsrc_die(&unit->skeleton, address) : nullptr;
  const char *path = entry ? dwarf_linesrc(entry, nullptr, nullptr) : nullptr;
  int line = 0;
  if (path == nullptr || dwarf_lineno(entry, &line) != 0 || line <= 0) return {};
  SourcePlace place{"", path, static_cast<uint32_t>(line)};
  std::vector<SourcePlace> places;
  Dwarf_Die *found = nullptr;
  const int count = dwarf_getscopes(&unit->die, address, &found);
  const std::unique_ptr<Dwarf_Die, decltype(&free)> scopes(found, free);
  for (int i = 0; i < count; ++i) {
    Dwarf_Die &scope = scopes.get()[i];
    if (dwarf_tag(&scope) != DW_TAG_inlined_subroutine) continue;
    places.push_back({dwarf_name(scope), place.file, place.line});
    if (!move_to_call(unit->die, scope, place)) return places;
  }
  places.push_back(std::move(place));
  return places;
}

Result<std::vector<uint64_t>> find_statement(const DwarfFile &dwarf, const std::string &file,
                                             uint32_t line, uint32_t column) {
  Search search{file, line, column};
  dwarf.visit_skeletons([&](Dwarf_Die &skeleton) {
    search.look_in(skeleton);
    return true;
  });
  if (search.addresses.empty()) return search.explain(dwarf.path());
  return std::vector<uint64_t>(search.addresses.begin(), search.addresses.end());
}

}  // namespace awl
