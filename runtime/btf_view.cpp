#include "runtime/btf_view.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/file.h"

namespace awl::runtime {
namespace {

constexpr size_t kMaxKernelBtf = 256u << 20;

}  // namespace

size_t BtfView::size(const btf_type *type) {
  const size_t n = count(type);
  switch (kind(type)) {
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG:
      return sizeof(btf_type);
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG:
      return sizeof(btf_type) + sizeof(uint32_t);
    case BTF_KIND_ARRAY:
      return sizeof(btf_type) + sizeof(btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return sizeof(btf_type) + n * sizeof(btf_member);
    case BTF_KIND_ENUM:
      return sizeof(btf_type) + n * sizeof(btf_enum);
    case BTF_KIND_FUNC_PROTO:
      return sizeof(btf_type) + n * sizeof(btf_param);
    case BTF_KIND_DATASEC:
      return sizeof(btf_type) + n * sizeof(btf_var_secinfo);
    case kBtfEnum64:
      return sizeof(btf_type) + n * 3 * sizeof(uint32_t);
    default:
      return 0;
  }
}

Result<BtfView> BtfView::parse(const uint8_t *data, size_t size, const BtfView *base) {
  btf_header header;
  if (size < sizeof header) return Error{"this is not BTF"};
  memcpy(&header, data, sizeof header);
  if (header.magic != BTF_MAGIC || header.hdr_len < sizeof header || header.hdr_len > size) {
    return Error{"this is not BTF"};
  }
  const uint64_t room = size - header.hdr_len;
  if (uint64_t{header.type_off} + header.type_len > room ||
      uint64_t{header.str_off} + header.str_len > room || header.type_off % 4 != 0 ||
      header.hdr_len % 4 != 0) {
    return Error{"the BTF leads out of its bytes"};
  }
  BtfView view;
  view.types_ = data + header.hdr_len + header.type_off;
  view.strings_ = reinterpret_cast<const char *>(data) + header.hdr_len + header.str_off;
  view.strings_size_ = header.str_len;
  view.offsets_.reserve(header.type_len / 28 + 1);  // 28 bytes is what a kernel's types take
  view.base_ = base;
  if (base == nullptr) view.offsets_.push_back(0);  // void
  for (uint32_t at = 0; at < header.type_len;) {
    if (header.type_len - at < sizeof(btf_type)) return Error{"the BTF ends within a type"};
    const size_t length = BtfView::size(reinterpret_cast<const btf_type *>(view.types_ + at));
    if (length == 0) return Error{"the BTF has a type of an unknown kind"};
    if (length > header.type_len - at) return Error{"the BTF ends within a type"};
    view.offsets_.push_back(at);
    at += static_cast<uint32_t>(length);
  }
  return view;
}

const btf_type *BtfView::type(uint32_t id) const {
  if (id == 0 || id >= type_count()) return nullptr;
  if (id < first_id()) return base_->type(id);
  return reinterpret_cast<const btf_type *>(types_ + offsets_[id - first_id()]);
}

std::string_view BtfView::string(uint32_t offset) const {
  if (base_ != nullptr) {
    if (offset < base_->strings_size_) return base_->string(offset);
    offset -= base_->strings_size_;
  }
  if (offset >= strings_size_) return {};
  return {strings_ + offset, strnlen(strings_ + offset, strings_size_ - offset)};
}

// A name stands once among the strings: where it does is compared, not text.
std::vector<uint32_t> BtfView::find_functions(const std::vector<std::string> &names) const {
  constexpr uint32_t kNowhere = 0;
  const uint32_t offset = base_ != nullptr ? base_->strings_size_ : 0;
  std::vector<uint32_t> ids(names.size(), 0), places;
  for (const std::string &name : names) {
    const std::string with_ends = std::string(1, '\0') + name + '\0';
    const void *found = memmem(strings_, strings_size_, with_ends.data(), with_ends.size());
    const auto *text = static_cast<const char *>(found);
    places.push_back(text == nullptr ? kNowhere
                                     : offset + static_cast<uint32_t>(text + 1 - strings_));
  }
  for (uint32_t id = std::max(first_id(), 1u); id < type_count(); ++id) {
    const btf_type *candidate = type(id);
    if (kind(candidate) != BTF_KIND_FUNC) continue;
    for (size_t i = 0; i < places.size(); ++i)
      if (places[i] != kNowhere && candidate->name_off == places[i]) ids[i] = id;
  }
  return ids;
}

Result<KernelBtf> KernelBtf::open(const std::string &path, const BtfView *base) {
  Result<FileDescriptor> file = open_file(path);
  if (!file) return file.error();
  struct stat info {};
  if (fstat(file->get(), &info) != 0) return Error::from_errno("cannot read " + path);
  if (info.st_size <= 0 || static_cast<uint64_t>(info.st_size) > kMaxKernelBtf) {
    return Error{path + " has a strange size"};
  }
  KernelBtf btf;
  const auto size = static_cast<size_t>(info.st_size);
  const uint8_t *data = nullptr;
  void *mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file->get(), 0);
  if (mapped != MAP_FAILED) {
    btf.mapped_ = mapped;
    btf.mapped_size_ = size;
    data = static_cast<const uint8_t *>(mapped);
  } else {
    btf.bytes_.resize(size);
    if (!read_at(file->get(), 0, btf.bytes_.data(), size)) {
      return Error::from_errno("cannot read " + path);
    }
    data = btf.bytes_.data();
  }
  Result<BtfView> view = BtfView::parse(data, size, base);
  if (!view) return view.error().with_context(path);
  btf.view_ = std::move(*view);
  return btf;
}

KernelBtf::KernelBtf(KernelBtf &&other) noexcept
    : view_(std::move(other.view_)),
      bytes_(std::move(other.bytes_)),
      mapped_(std::exchange(other.mapped_, nullptr)),
      mapped_size_(other.mapped_size_) {}

KernelBtf::~KernelBtf() {
  if (mapped_ != nullptr) munmap(mapped_, mapped_size_);
}

}  // namespace awl::runtime
