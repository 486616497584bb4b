// The ids of a BTF's types by their names: one pass over all types, which costs a millisecond, and
// none for each question.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/btf_view.h"

namespace awl::runtime {

// Of types that CO-RE relocations can name: no functions, no pointers.
class TypeNames {
 public:
  explicit TypeNames(const BtfView &btf);

  // The types of that name, ids ascending. `btf` is what this was made of, which may have moved.
  std::vector<uint32_t> find(const BtfView &btf, std::string_view name) const;

 private:
  struct Entry {
    uint32_t id, next;  // next: of the same bucket, 0: none
  };
  std::vector<Entry> entries_;
  std::vector<uint32_t> buckets_;  // the first entry of each, by the name's hash
};

// The kernel's BTF with the names in it.
struct NamedKernelBtf {
  KernelBtf btf;
  TypeNames names;

  static Result<NamedKernelBtf> open();
};

}  // namespace awl::runtime
