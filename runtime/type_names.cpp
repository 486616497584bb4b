#include "runtime/type_names.h"

#include <cassert>
#include <utility>

namespace awl::runtime {
namespace {

// A kernel has some 20,000 such types.
constexpr size_t kBuckets = 1u << 14;

bool is_relocatable(uint32_t kind) {
  switch (kind) {
    case BTF_KIND_INT:
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_ENUM:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_FLOAT:
    case kBtfEnum64:
      return true;
    default:
      return false;
  }
}

// FNV-1a (the hash of Fowler, Noll and Vo, 32 bits).
size_t bucket_of(std::string_view name) {
  uint32_t hash = 2166136261;
  for (char byte : name) hash = (hash ^ static_cast<uint8_t>(byte)) * 16777619;
  return (hash ^ hash >> 16) % kBuckets;
}

}  // namespace

TypeNames::TypeNames(const BtfView &btf) : entries_(1), buckets_(kBuckets, 0) {
  // From the last: each entry goes before those of its bucket, which leaves ids ascending.
  for (uint32_t id = btf.type_count(); id-- > 1;) {
    const btf_type *type = btf.type(id);
    if (type->name_off == 0 || !is_relocatable(BtfView::kind(type))) continue;
    uint32_t &first = buckets_[bucket_of(btf.string(type->name_off))];
    entries_.push_back({id, first});
    first = static_cast<uint32_t>(entries_.size() - 1);
  }
}

std::vector<uint32_t> TypeNames::find(const BtfView &btf, std::string_view name) const {
  std::vector<uint32_t> ids;
  for (uint32_t at = buckets_[bucket_of(name)]; at != 0; at = entries_[at].next) {
    const uint32_t id = entries_[at].id;
    assert(id < btf.type_count());
    if (btf.string(btf.type(id)->name_off) == name) ids.push_back(id);
  }
  return ids;
}

Result<NamedKernelBtf> NamedKernelBtf::open() {
  Result<KernelBtf> btf = KernelBtf::open();
  if (!btf) return btf.error();
  TypeNames names(btf->view());
  return NamedKernelBtf{std::move(*btf), std::move(names)};
}

}  // namespace awl::runtime
