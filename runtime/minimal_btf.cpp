#include "runtime/minimal_btf.h"

#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace awl::runtime {
namespace {

constexpr std::string_view kTracePrefix = "btf_trace_";

// The header of `.BTF.ext` and a CO-RE relocation (tools/lib/bpf/libbpf_internal.h).
struct ExtHeader {
  uint16_t magic;
  uint8_t version, flags;
  uint32_t header_size;
  uint32_t function_offset, function_size;
  uint32_t line_offset, line_size;
  uint32_t relocation_offset, relocation_size;
};
struct CoreRelocation {
  uint32_t instruction, type, access_string, kind;
};

template <class T>
bool load(const uint8_t *data, size_t size, uint64_t offset, T *out) {
  if (offset > size || size - offset < sizeof(T)) return false;
  memcpy(out, data + offset, sizeof(T));
  return true;
}

// Copies types and all that they hold by value into a BTF of their own.
class Copier {
 public:
  explicit Copier(const BtfView &from) : from_(from) { strings_.push_back('\0'); }

  // The id in the new BTF. Types refer to each other in circles only through pointers, which are
  // not followed, so this ends.
  uint32_t copy(uint32_t id) {
    const btf_type *type = from_.type(id);
    if (type == nullptr) return 0;
    const auto known = ids_.find(id);
    if (known != ids_.end()) return known->second;
    std::vector<uint8_t> bytes(BtfView::size(type));
    memcpy(bytes.data(), type, bytes.size());
    auto *copied = reinterpret_cast<btf_type *>(bytes.data());
    copied->name_off = add_string(type->name_off);
    switch (BtfView::kind(type)) {
      case BTF_KIND_PTR:
        copied->type = 0;
        break;
      case BTF_KIND_TYPEDEF:
      case BTF_KIND_VOLATILE:
      case BTF_KIND_CONST:
      case BTF_KIND_RESTRICT:
      case BTF_KIND_TYPE_TAG:
        copied->type = copy(type->type);
        break;
      case BTF_KIND_ARRAY: {
        auto *array = reinterpret_cast<btf_array *>(copied + 1);
        array->type = copy(array->type);
        array->index_type = copy(array->index_type);
        break;
      }
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION: {
        auto *members = reinterpret_cast<btf_member *>(copied + 1);
        for (uint32_t i = 0; i < BtfView::count(type); ++i) {
          members[i].name_off = add_string(members[i].name_off);
          members[i].type = copy(members[i].type);
        }
        break;
      }
      case BTF_KIND_ENUM: {
        auto *values = reinterpret_cast<btf_enum *>(copied + 1);
        for (uint32_t i = 0; i < BtfView::count(type); ++i) {
          values[i].name_off = add_string(values[i].name_off);
        }
        break;
      }
      case kBtfEnum64: {
        auto *values = reinterpret_cast<uint32_t *>(copied + 1);
        for (uint32_t i = 0; i < BtfView::count(type); ++i) {
          values[3 * i] = add_string(values[3 * i]);
        }
        break;
      }
      case BTF_KIND_INT:
      case BTF_KIND_FWD:
      case BTF_KIND_FLOAT:
        break;
      default:
        return 0;  // functions and variables are held by nothing
    }
    const auto new_id = static_cast<uint32_t>(ids_.size() + 1);
    ids_.emplace(id, new_id);
    types_.insert(types_.end(), bytes.begin(), bytes.end());
    return new_id;
  }

  std::vector<uint8_t> finish() const {
    btf_header header{};
    header.magic = BTF_MAGIC;
    header.version = BTF_VERSION;
    header.hdr_len = sizeof header;
    header.type_len = static_cast<uint32_t>(types_.size());
    header.str_off = header.type_len;
    header.str_len = static_cast<uint32_t>(strings_.size());
    std::vector<uint8_t> bytes(sizeof header);
    memcpy(bytes.data(), &header, sizeof header);
    bytes.insert(bytes.end(), types_.begin(), types_.end());
    bytes.insert(bytes.end(), strings_.begin(), strings_.end());
    return bytes;
  }

 private:
  uint32_t add_string(uint32_t offset) {
    const std::string_view text = from_.string(offset);
    if (text.empty()) return 0;
    const auto [known, is_new] =
        string_offsets_.emplace(offset, static_cast<uint32_t>(strings_.size()));
    if (is_new) strings_.append(text).push_back('\0');
    return known->second;
  }

  const BtfView &from_;
  std::unordered_map<uint32_t, uint32_t> ids_, string_offsets_;
  std::vector<uint8_t> types_;
  std::string strings_;
};

}  // namespace

Result<std::vector<std::string>> relocated_type_names(const BtfView &btf, const uint8_t *ext,
                                                      size_t ext_size) {
  const Error damaged{"the object's .BTF.ext is damaged"};
  ExtHeader header{};
  std::vector<std::string> names;
  if (!load(ext, ext_size, 0, &header) || header.magic != BTF_MAGIC) return damaged;
  // Objects without CO-RE may have a header that ends before those members.
  if (header.header_size < sizeof header || header.relocation_size == 0) return names;
  uint64_t at = uint64_t{header.header_size} + header.relocation_offset;
  const uint64_t end = at + header.relocation_size;
  uint32_t record_size = 0;
  if (end > ext_size || !load(ext, end, at, &record_size)) return damaged;
  if (record_size < sizeof(CoreRelocation)) return damaged;
  at += sizeof record_size;
  std::unordered_set<uint32_t> seen;
  while (at < end) {
    struct {
      uint32_t name, count;
    } section{};
    if (!load(ext, end, at, &section)) return damaged;
    at += sizeof section;
    for (uint32_t i = 0; i < section.count; ++i, at += record_size) {
      CoreRelocation relocation{};
      if (!load(ext, end, at, &relocation)) return damaged;
      const btf_type *type = btf.type(relocation.type);
      if (type == nullptr || !seen.insert(relocation.type).second) continue;
      const std::string_view name = btf.string(type->name_off);
      names.emplace_back(name.substr(0, name.find("___")));
    }
  }
  return names;
}

KernelTypes extract_kernel_types(const BtfView &kernel, const TypeNames &type_names,
                                 const std::vector<std::string> &names,
                                 const std::vector<std::string> &raw_tracepoints) {
  KernelTypes found;
  Copier copier(kernel);
  for (const std::string &name : names) {
    const std::vector<uint32_t> ids = type_names.find(kernel, name);
    for (uint32_t id : ids) copier.copy(id);
    found.has_all_names &= !ids.empty();
  }
  found.btf = copier.finish();
  for (const std::string &tracepoint : raw_tracepoints) {
    std::optional<uint32_t> &trace_id = found.trace_ids.emplace_back();
    for (uint32_t id : type_names.find(kernel, std::string(kTracePrefix) + tracepoint)) {
      if (BtfView::kind(kernel.type(id)) == BTF_KIND_TYPEDEF) trace_id = id;
    }
  }
  return found;
}

}  // namespace awl::runtime
