#include "frontend/target/btf_subset.h"

#include <algorithm>

namespace awl::frontend {
namespace {

// info of a type with neither members nor flag.
uint32_t info_of(uint32_t kind, bool kind_flag = false) {
  return kind << 24 | (kind_flag ? 1u << 31 : 0);
}

bool refers_to_one(uint32_t kind) {
  switch (kind) {
    case BTF_KIND_PTR:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FUNC_PROTO:
    case kBtfTypeTag:
      return true;
    default:
      return false;
  }
}

}  // namespace

void BtfSubset::add(uint32_t id) { roots_.push_back(id); }

std::string BtfSubset::write() {
  string("");
  // All roots are numbered before anything that points to them is.
  for (const uint32_t id : roots_) map(id, Use::kValue);
  while (!pending_.empty()) {
    const auto [id, use] = pending_.front();
    pending_.pop_front();
    copy(id, use);
  }
  btf_header header{};
  header.magic = BTF_MAGIC;
  header.version = BTF_VERSION;
  header.hdr_len = sizeof header;
  header.type_len = static_cast<uint32_t>(types_.size());
  header.str_off = header.type_len;
  header.str_len = static_cast<uint32_t>(strings_.size());
  std::string file(reinterpret_cast<const char *>(&header), sizeof header);
  return file + types_ + strings_;
}

// The new id of a type; types get theirs in the order in which they are first referred to, which
// is the order in which they are written.
uint32_t BtfSubset::map(uint32_t id, Use use) {
  const btf_type *type = from_.type(id);
  if (type == nullptr) return 0;
  if (use == Use::kPointee) return map_pointee(id, *type);
  const auto [at, is_new] = ids_.try_emplace({id, use}, static_cast<uint32_t>(ids_.size() + 1));
  if (is_new) pending_.emplace_back(id, use);
  return at->second;
}

uint32_t BtfSubset::map_pointee(uint32_t id, const btf_type &type) {
  const uint32_t kind = kind_of(type);
  const bool is_struct = kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
  // What is there as a whole anyhow is referred to as that.
  if (const auto whole = ids_.find({id, Use::kValue}); whole != ids_.end()) return whole->second;
  if (kind == BTF_KIND_FUNC_PROTO || (is_struct && type.name_off == 0)) return 0;
  // Types that refer to others have to pass on that they are pointed to.
  if (!is_struct && kind != BTF_KIND_ARRAY && !refers_to_one(kind)) return map(id, Use::kValue);
  const auto [at, is_new] =
      ids_.try_emplace({id, Use::kPointee}, static_cast<uint32_t>(ids_.size() + 1));
  if (is_new) pending_.emplace_back(id, Use::kPointee);
  return at->second;
}

void BtfSubset::copy(uint32_t id, Use use) {
  const btf_type &type = *from_.type(id);
  const uint32_t kind = kind_of(type);
  btf_type out = type;
  out.name_off = string(from_.name(type));
  if (use == Use::kPointee && (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)) {
    out.info = info_of(BTF_KIND_FWD, kind == BTF_KIND_UNION);
    out.type = 0;
    append(&out, sizeof out);
    return;
  }
  if (refers_to_one(kind)) out.type = map(type.type, kind == BTF_KIND_PTR ? Use::kPointee : use);
  append(&out, sizeof out);
  copy_trailing(type, use);
}

void BtfSubset::copy_trailing(const btf_type &type, Use use) {
  switch (kind_of(type)) {
    case BTF_KIND_INT: {
      const uint32_t bits = from_.integer_bits(type);
      append(&bits, sizeof bits);
      break;
    }
    case BTF_KIND_ARRAY: {
      btf_array array = from_.array(type);
      array.type = map(array.type, use);
      array.index_type = map(array.index_type, Use::kValue);
      append(&array, sizeof array);
      break;
    }
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      for (btf_member member : from_.members(type)) {
        member.name_off = string(from_.string(member.name_off));
        member.type = map(member.type, Use::kValue);
        append(&member, sizeof member);
      }
      break;
    case BTF_KIND_ENUM:
      for (btf_enum value : from_.enumerators(type)) {
        value.name_off = string(from_.string(value.name_off));
        append(&value, sizeof value);
      }
      break;
    case kBtfEnum64:
      for (Btf::Enum64 value : from_.enumerators64(type)) {
        value.name_off = string(from_.string(value.name_off));
        append(&value, sizeof value);
      }
      break;
    case BTF_KIND_FUNC_PROTO:
      for (btf_param parameter : from_.parameters(type)) {
        parameter.name_off = string(from_.string(parameter.name_off));
        parameter.type = map(parameter.type, Use::kValue);
        append(&parameter, sizeof parameter);
      }
      break;
    default:
      break;
  }
}

uint32_t BtfSubset::string(std::string_view text) {
  const auto known = string_offsets_.find(text);
  if (known != string_offsets_.end()) return known->second;
  const auto offset = static_cast<uint32_t>(strings_.size());
  strings_.append(text);
  strings_.push_back('\0');
  string_offsets_.emplace(text, offset);
  return offset;
}

void BtfSubset::append(const void *data, size_t size) {
  types_.append(static_cast<const char *>(data), size);
}

}  // namespace awl::frontend
