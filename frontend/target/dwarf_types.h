// DWARF → the language's types.
//
// As with BTF, structs are made with their size and completed when a member is asked for. Members
// lie where the compiler has put them: for such types there is nothing to relocate. The types are
// those of a user binary, whose pointers point to user memory, or those of C headers, whose
// pointers are what a script makes of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/dwarf/dwarf_file.h"
#include "frontend/types/type.h"

namespace awl::frontend {

class DwarfTypes {
 public:
  enum class Origin { kBinary, kHeaders };
  DwarfTypes(std::shared_ptr<const DwarfFile> file, TypeStore &store,
             Origin origin = Origin::kBinary)
      : file_(std::move(file)), store_(store), origin_(origin) {}

  const DwarfFile &file() const { return *file_; }
  TypeStore &store() const { return store_; }

  // By name, among the types of all units; null: none.
  TypeRef find_struct(const std::string &tag, bool is_union);
  TypeRef find_enum(const std::string &tag);
  TypeRef find_typedef(const std::string &name);
  bool find_constant(const std::string &name, TypeStore::Constant *out);
  // The file that defines what a name stands for, as the compiler knew it; empty: none does.
  std::string file_of_struct(const std::string &tag, bool is_union);
  std::string file_of_enum(const std::string &tag);
  std::string file_of_typedef(const std::string &name);

  // The type of an entry.
  TypeRef type_of(Dwarf_Die die);
  // The function whose code begins at an address; null: none is described.
  std::optional<Dwarf_Die> function_at(uint64_t address);
  // Fills in the members of a struct made here; false: it was not made here.
  bool complete(StructDef *def);

 private:
  TypeRef convert(Dwarf_Die die, uint32_t depth);
  TypeRef convert_new(Dwarf_Die die, uint32_t depth);
  TypeRef referred(Dwarf_Die die, uint32_t depth);
  TypeRef base_type(Dwarf_Die die);
  TypeRef array_type(Dwarf_Die die, uint32_t depth);
  TypeRef struct_type(Dwarf_Die die);
  TypeRef enum_type(Dwarf_Die die);
  void add_member(StructDef &def, Dwarf_Die &die);
  // A definition with a name, not a declaration.
  std::optional<Dwarf_Die> find_entry(const std::string &name, const std::vector<int> &tags);
  TypeRef find(const std::string &name, const std::vector<int> &tags);
  std::string file_of(const std::string &name, const std::vector<int> &tags);
  // Takes note of the names in those units that may have this one.
  void index_units_with(const std::string &name);
  void index_enumerators(Dwarf_Die &enumeration);
  static std::vector<int> struct_tags(bool is_union);
  std::vector<int> typedef_tags() const;

  const std::shared_ptr<const DwarfFile> file_;
  TypeStore &store_;
  const Origin origin_;
  std::map<const void *, TypeRef> types_;  // by the address of the entry in libdw's memory
  std::unordered_map<const StructDef *, Dwarf_Die> structs_;
  using Functions = std::unordered_map<uint64_t, Dwarf_Die>;  // by their first address
  std::unordered_map<const void *, Functions> functions_;     // by unit
  std::optional<DwarfUnit> last_unit_;
  std::unordered_set<const void *> indexed_units_;
  std::unordered_set<std::string> asked_;                   // names whose units are
  bool is_indexed_ = false;                                 // all of them
  std::unordered_multimap<std::string, Dwarf_Die> names_;   // of types
  std::unordered_map<std::string, Dwarf_Die> enumerators_;  // the enumeration of each
};

// A type as C writes it, for listings: "const char* ", "struct test_point*", "int[4]".
std::string dwarf_type_text(Dwarf_Die die);

}  // namespace awl::frontend
