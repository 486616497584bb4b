// BTF as it lies in memory: of the running kernel and of objects (kernel:
// Documentation/bpf/btf.rst).
//
// libbpf reads the kernel's 5 MiB of BTF twice over, in pieces of a page, before it relocates a
// single access. A script needs a handful of types of it, so we look for those in a mapping and
// hand libbpf a small BTF made of them (minimal_btf.h).
#pragma once

#include <linux/btf.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl::runtime {

inline constexpr uint32_t kBtfEnum64 = 19;  // BTF_KIND_ENUM64; the installed headers may lack it

class BtfView {
 public:
  // `data` and `base` must outlive the view. Fails on what is not BTF; every offset is checked. A
  // module's BTF is "split": it continues the ids and strings of vmlinux, its `base`.
  static Result<BtfView> parse(const uint8_t *data, size_t size, const BtfView *base = nullptr);

  uint32_t first_id() const { return base_ != nullptr ? base_->type_count() : 0; }
  // One past the last id; with a base's.
  uint32_t type_count() const { return first_id() + static_cast<uint32_t>(offsets_.size()); }
  // Null: no such type, or void.
  const btf_type *type(uint32_t id) const;
  // The bytes behind a type: members, enumerators, the array's or integer's description.
  template <class T>
  const T *details(const btf_type *type) const {
    return reinterpret_cast<const T *>(type + 1);
  }
  std::string_view string(uint32_t offset) const;  // empty: outside

  // The id of each function of its own, by name; 0: there is none.
  std::vector<uint32_t> find_functions(const std::vector<std::string> &names) const;

  static uint32_t kind(const btf_type *type) { return BTF_INFO_KIND(type->info); }
  static uint32_t count(const btf_type *type) { return BTF_INFO_VLEN(type->info); }
  // Bytes of a type with its details; 0: a kind that is not known.
  static size_t size(const btf_type *type);

 private:
  const uint8_t *types_ = nullptr;
  const char *strings_ = nullptr;
  uint32_t strings_size_ = 0;
  std::vector<uint32_t> offsets_;  // of types in types_, by id less first_id()
  const BtfView *base_ = nullptr;
};

// The kernel's or a module's BTF, mapped (6.16) or read.
class KernelBtf {
 public:
  static Result<KernelBtf> open(const std::string &path = "/sys/kernel/btf/vmlinux",
                                const BtfView *base = nullptr);
  KernelBtf(KernelBtf &&other) noexcept;
  KernelBtf &operator=(KernelBtf &&) = delete;
  ~KernelBtf();

  const BtfView &view() const { return view_; }

 private:
  KernelBtf() = default;
  BtfView view_;
  std::vector<uint8_t> bytes_;  // when it was read
  void *mapped_ = nullptr;
  size_t mapped_size_ = 0;
};

}  // namespace awl::runtime
