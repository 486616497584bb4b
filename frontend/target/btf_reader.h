// Reading BTF, the kernel's own description of its types (Documentation/bpf/btf.rst).
//
// A script needs a handful of the kernel's 130,000 types, so nothing is decoded ahead of time.
// Opening checks the header alone. Where a type starts is only known from the one before it; the
// walk goes as far as it has to, which is not far for the types that most of the kernel uses, and
// is remembered. Names are found by looking for their bytes in the string section, where each
// stands once, and then for the types that refer to that place: no string is compared 130,000
// times and no table is built, until so many names have been asked for that a table pays.
//
// A module's BTF is "split": it continues the ids and strings of vmlinux.
//
// Every id, count and offset handed out here is inside the data. A malformed type ends the walk, as
// if it were the last; a reference from one type to another may be to nothing, for which type()
// returns null. Not for use from several threads at once.
#pragma once

#include <linux/btf.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl::frontend {

// ENUM64 and DECL_TAG, TYPE_TAG are younger than some systems' headers.
inline constexpr uint32_t kBtfDeclTag = 17, kBtfTypeTag = 18, kBtfEnum64 = 19, kBtfLastKind = 19;

// A set of kinds, for find(): `kind_bit(BTF_KIND_STRUCT) | kind_bit(BTF_KIND_UNION)`.
constexpr uint32_t kind_bit(uint32_t kind) { return 1u << kind; }

inline uint32_t kind_of(const btf_type &type) { return (type.info >> 24) & 0x1f; }
inline uint32_t count_of(const btf_type &type) { return type.info & 0xffff; }
inline bool kind_flag_of(const btf_type &type) { return (type.info >> 31) != 0; }

class Btf {
 public:
  // `module` is empty for vmlinux; a module's needs the `base` that it continues.
  static Result<std::shared_ptr<const Btf>> open(const std::string &path, std::string module = "",
                                                 std::shared_ptr<const Btf> base = nullptr);
  static Result<std::shared_ptr<const Btf>> parse(std::string bytes, std::string module = "",
                                                  std::shared_ptr<const Btf> base = nullptr);
  ~Btf();
  Btf(const Btf &) = delete;
  Btf &operator=(const Btf &) = delete;

  // Walks to the end. Fails when a type is malformed.
  Status check() const;

  const std::string &module() const { return module_; }
  const Btf *base() const { return base_.get(); }
  uint32_t first_id() const { return first_id_; }  // 1 without a base; id 0 is void
  uint32_t end_id() const;                         // one past the last; walks to the end

  // The type of an id here or in the base. Null: void, or no such type.
  const btf_type *type(uint32_t id) const;
  // The string at an offset; empty when there is none.
  std::string_view string(uint32_t offset) const;
  std::string_view name(const btf_type &type) const { return string(type.name_off); }

  // What follows a type of the matching kind.
  std::span<const btf_member> members(const btf_type &type) const;    // STRUCT, UNION
  std::span<const btf_enum> enumerators(const btf_type &type) const;  // ENUM
  struct Enum64 {
    uint32_t name_off, low, high;
  };
  std::span<const Enum64> enumerators64(const btf_type &type) const;  // ENUM64
  std::span<const btf_param> parameters(const btf_type &type) const;  // FUNC_PROTO
  const btf_array &array(const btf_type &type) const;                 // ARRAY
  uint32_t integer_bits(const btf_type &type) const;                  // INT: BTF_INT_*

  // The first type of one of the kinds with that name, defined here (not in the base). 0: none.
  uint32_t find(std::string_view name, uint32_t kinds) const;
  // The enumeration with an enumerator of that name, and its value. False: none.
  bool find_enumerator(std::string_view name, uint32_t *enum_id, int64_t *value) const;
  // Of one of an enumeration's enumerators: the offset of its name, and its value.
  uint32_t enumerator_name(const btf_type &type, uint32_t index) const;
  int64_t enumerator_value(const btf_type &type, uint32_t index) const;
  // Calls `visit(id, type)` for every type defined here.
  template <class Visitor>
  void for_each(Visitor visit) const {
    for (uint32_t i = 0; is_known(i); ++i) visit(first_id_ + i, *at(offsets_[i]));
  }

 private:
  Btf() = default;
  Status read_header();
  // One step of the walk. False at the end.
  bool advance() const;
  // Whether there is a type of that index, walking there if need be.
  bool is_known(uint32_t index) const {
    while (offsets_.size() <= index) {
      if (!advance()) return false;
    }
    return true;
  }
  const btf_type *at(uint32_t offset) const {
    return reinterpret_cast<const btf_type *>(types_ + offset);
  }
  template <class T>
  std::span<const T> trailing(const btf_type &type) const {
    return {reinterpret_cast<const T *>(&type + 1), count_of(type)};
  }
  bool any_place_of(std::string_view text, const std::function<bool(uint32_t place)> &visit) const;
  uint32_t find_named(uint32_t place, uint32_t kinds) const;
  bool find_enumerator_named(uint32_t place, uint32_t *enum_id, int64_t *value) const;
  void build_name_table() const;
  uint32_t find_in_table(std::string_view name, uint32_t kinds) const;

  std::string module_;
  std::shared_ptr<const Btf> base_;
  std::string bytes_;           // when read
  const char *data_ = nullptr;  // bytes_, or a mapping
  size_t size_ = 0, mapped_ = 0;
  const char *types_ = nullptr, *strings_ = nullptr;
  uint32_t strings_size_ = 0;
  uint32_t first_id_ = 1, first_string_ = 0;
  uint32_t types_size_ = 0;
  // What the walk has seen: offsets of types in the type section, ids of ENUM and ENUM64, how far
  // it came, and why it ended early.
  mutable std::vector<uint32_t> offsets_;
  mutable std::vector<uint32_t> enumerations_;
  mutable uint32_t walked_ = 0;
  mutable const char *problem_ = nullptr;
  // How often find() searched, and the table that it builds once that was often: ids by hash of
  // the name, open addressing, 0 is free.
  mutable uint32_t searches_ = 0;
  mutable std::vector<uint32_t> name_table_;
};

}  // namespace awl::frontend
