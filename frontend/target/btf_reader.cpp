#include "frontend/target/btf_reader.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>

#include "base/file.h"

namespace awl::frontend {
namespace {

constexpr size_t kMaxSize = 256u << 20;
// From this many names on, the table (about 10 ms for vmlinux) is cheaper than further searches.
constexpr uint32_t kSearchesBeforeTable = 24;

// Bytes that follow a type's first 12: some fixed, some for each of its `count`. A table, since
// the walk over all types spends its time here. 255 marks what is no kind.
struct Trailing {
  uint8_t fixed, each;
};
constexpr uint8_t kUnknown = 255;
constexpr std::array<Trailing, 32> kTrailing = [] {
  std::array<Trailing, 32> sizes{};
  sizes[BTF_KIND_UNKN] = {kUnknown, 0};
  for (uint32_t kind = kBtfLastKind + 1; kind < sizes.size(); ++kind) sizes[kind] = {kUnknown, 0};
  sizes[BTF_KIND_INT] = sizes[BTF_KIND_VAR] = sizes[kBtfDeclTag] = {4, 0};
  sizes[BTF_KIND_ARRAY] = {sizeof(btf_array), 0};
  sizes[BTF_KIND_STRUCT] = sizes[BTF_KIND_UNION] = {0, sizeof(btf_member)};
  sizes[BTF_KIND_ENUM] = {0, sizeof(btf_enum)};
  sizes[kBtfEnum64] = {0, sizeof(Btf::Enum64)};
  sizes[BTF_KIND_FUNC_PROTO] = {0, sizeof(btf_param)};
  sizes[BTF_KIND_DATASEC] = {0, sizeof(btf_var_secinfo)};
  return sizes;
}();

size_t slot_of(std::string_view name, size_t slots) {
  return std::hash<std::string_view>{}(name) & (slots - 1);
}

}  // namespace

Btf::~Btf() {
  if (mapped_ > 0) ::munmap(const_cast<char *>(data_), mapped_);
}

Result<std::shared_ptr<const Btf>> Btf::open(const std::string &path, std::string module,
                                             std::shared_ptr<const Btf> base) {
  const Result<FileDescriptor> fd = open_file(path);
  if (!fd) return fd.error();
  // The kernel's own can be mapped (since 6.16) and never changes. Other files are read, since
  // they could be cut short while we look at them.
  struct stat status {};
  const bool is_kernels = path.starts_with("/sys/");
  if (is_kernels && ::fstat(fd->get(), &status) == 0 && status.st_size > 0) {
    const auto size = static_cast<size_t>(status.st_size);
    void *data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd->get(), 0);
    if (data != MAP_FAILED) {
      std::shared_ptr<Btf> btf(new Btf());
      btf->data_ = static_cast<const char *>(data);
      btf->size_ = btf->mapped_ = size;
      btf->module_ = std::move(module);
      btf->base_ = std::move(base);
      if (const Status status = btf->read_header(); !status)
        return status.error().with_context(path);
      return std::shared_ptr<const Btf>(std::move(btf));
    }
  }
  Result<std::string> bytes = read_file(path, kMaxSize);
  if (!bytes) return bytes.error();
  auto btf = parse(std::move(*bytes), std::move(module), std::move(base));
  if (!btf) return btf.error().with_context(path);
  return btf;
}

Result<std::shared_ptr<const Btf>> Btf::parse(std::string bytes, std::string module,
                                              std::shared_ptr<const Btf> base) {
  std::shared_ptr<Btf> btf(new Btf());
  btf->bytes_ = std::move(bytes);
  btf->data_ = btf->bytes_.data();
  btf->size_ = btf->bytes_.size();
  btf->module_ = std::move(module);
  btf->base_ = std::move(base);
  if (const Status status = btf->read_header(); !status) return status.error();
  return std::shared_ptr<const Btf>(std::move(btf));
}

Status Btf::read_header() {
  btf_header header{};
  if (size_ < sizeof header) return Error{"BTF is shorter than its header"};
  std::memcpy(&header, data_, sizeof header);
  if (header.magic != BTF_MAGIC) return Error{"not BTF of this machine's byte order"};
  if (header.version != BTF_VERSION) {
    return Error{"BTF of version " + std::to_string(header.version) + " is not known"};
  }
  const uint64_t available = size_;
  const uint64_t types_start = uint64_t{header.hdr_len} + header.type_off;
  const uint64_t strings_start = uint64_t{header.hdr_len} + header.str_off;
  if (header.hdr_len < sizeof header || types_start % 4 != 0 ||
      types_start + header.type_len > available || strings_start + header.str_len > available) {
    return Error{"sections of BTF lie outside of it"};
  }
  // That the last string ends makes every other one end too.
  if (header.str_len > 0 && data_[strings_start + header.str_len - 1] != '\0') {
    return Error{"strings of BTF do not end"};
  }
  types_ = data_ + types_start;
  strings_ = data_ + strings_start;
  strings_size_ = header.str_len;
  if (base_) {
    first_id_ = base_->end_id();
    first_string_ = base_->first_string_ + base_->strings_size_;
  }
  types_size_ = header.type_len;
  return ok();
}

bool Btf::advance() const {
  // Past the types that most scripts need: make room for all at once.
  constexpr size_t kFirstTypes = 16384, kBytesPerType = 24;
  if (offsets_.size() == kFirstTypes) offsets_.reserve(types_size_ / kBytesPerType);
  if (walked_ == types_size_ || problem_ != nullptr) return false;
  const uint32_t available = types_size_ - walked_;
  if (available < sizeof(btf_type)) {
    problem_ = "BTF ends within a type";
    return false;
  }
  const btf_type &type = *at(walked_);
  const uint32_t kind = kind_of(type);
  const Trailing trailing = kTrailing[kind];
  if (trailing.fixed == kUnknown) {
    problem_ = "BTF holds a type of unknown kind";
    return false;
  }
  const uint32_t rest = trailing.fixed + trailing.each * count_of(type);
  if (rest > available - sizeof(btf_type)) {
    problem_ = "BTF ends within a type";
    return false;
  }
  if (kind == BTF_KIND_ENUM || kind == kBtfEnum64) {
    enumerations_.push_back(first_id_ + static_cast<uint32_t>(offsets_.size()));
  }
  offsets_.push_back(walked_);
  walked_ += static_cast<uint32_t>(sizeof(btf_type)) + rest;
  return true;
}

Status Btf::check() const {
  end_id();
  return problem_ ? Status(Error{problem_}) : ok();
}

uint32_t Btf::end_id() const {
  while (advance()) {
  }
  return first_id_ + static_cast<uint32_t>(offsets_.size());
}

const btf_type *Btf::type(uint32_t id) const {
  if (id < first_id_) return base_ ? base_->type(id) : nullptr;
  const uint32_t index = id - first_id_;
  return is_known(index) ? at(offsets_[index]) : nullptr;
}

std::string_view Btf::string(uint32_t offset) const {
  if (offset < first_string_) return base_->string(offset);
  offset -= first_string_;
  return offset < strings_size_ ? std::string_view(strings_ + offset) : std::string_view();
}

std::span<const btf_member> Btf::members(const btf_type &type) const {
  return trailing<btf_member>(type);
}

std::span<const btf_enum> Btf::enumerators(const btf_type &type) const {
  return trailing<btf_enum>(type);
}

std::span<const Btf::Enum64> Btf::enumerators64(const btf_type &type) const {
  return trailing<Enum64>(type);
}

std::span<const btf_param> Btf::parameters(const btf_type &type) const {
  return trailing<btf_param>(type);
}

const btf_array &Btf::array(const btf_type &type) const {
  return *reinterpret_cast<const btf_array *>(&type + 1);
}

uint32_t Btf::integer_bits(const btf_type &type) const {
  return *reinterpret_cast<const uint32_t *>(&type + 1);
}

// Visits the places where a whole string stands, as types name them, here and in the base, until
// one is the right one. A well-made BTF has each string once, but nothing forces it to.
bool Btf::any_place_of(std::string_view text,
                       const std::function<bool(uint32_t place)> &visit) const {
  if (base_ && base_->any_place_of(text, visit)) return true;
  std::string needle(1, '\0');
  needle.append(text);
  needle.push_back('\0');
  // A module's first string has no other one's end in front of it.
  if (std::string_view(strings_, strings_size_).starts_with(std::string_view(needle).substr(1)) &&
      visit(first_string_)) {
    return true;
  }
  const char *from = strings_;
  const char *const end = strings_ + strings_size_;
  while (from < end) {
    const void *hit = ::memmem(from, static_cast<size_t>(end - from), needle.data(), needle.size());
    if (hit == nullptr) return false;
    from = static_cast<const char *>(hit) + 1;
    if (visit(first_string_ + static_cast<uint32_t>(from - strings_))) return true;
  }
  return false;
}

uint32_t Btf::find(std::string_view name, uint32_t kinds) const {
  if (name.empty() || name.find('\0') != std::string_view::npos) return 0;
  if (!name_table_.empty()) return find_in_table(name, kinds);
  if (++searches_ > kSearchesBeforeTable) {
    build_name_table();
    return find_in_table(name, kinds);
  }
  uint32_t id = 0;
  any_place_of(name, [&](uint32_t place) { return (id = find_named(place, kinds)) != 0; });
  return id;
}

uint32_t Btf::find_named(uint32_t place, uint32_t kinds) const {
  for (uint32_t i = 0; is_known(i); ++i) {
    const btf_type &type = *at(offsets_[i]);
    if (type.name_off == place && (kind_bit(kind_of(type)) & kinds) != 0) return first_id_ + i;
  }
  return 0;
}

void Btf::build_name_table() const {
  name_table_.assign(std::bit_ceil((end_id() - first_id_) * size_t{2} + 1), 0);
  for (uint32_t i = 0; i < offsets_.size(); ++i) {
    const std::string_view type_name = name(*at(offsets_[i]));
    if (type_name.empty()) continue;
    size_t slot = slot_of(type_name, name_table_.size());
    while (name_table_[slot] != 0) slot = (slot + 1) & (name_table_.size() - 1);
    name_table_[slot] = first_id_ + i;
  }
}

uint32_t Btf::find_in_table(std::string_view name, uint32_t kinds) const {
  // Ids of one name stand in the order they came in, with others between them.
  for (size_t slot = slot_of(name, name_table_.size()); name_table_[slot] != 0;
       slot = (slot + 1) & (name_table_.size() - 1)) {
    const btf_type &candidate = *type(name_table_[slot]);
    if ((kind_bit(kind_of(candidate)) & kinds) != 0 && this->name(candidate) == name) {
      return name_table_[slot];
    }
  }
  return 0;
}

uint32_t Btf::enumerator_name(const btf_type &type, uint32_t index) const {
  return kind_of(type) == kBtfEnum64 ? enumerators64(type)[index].name_off
                                     : enumerators(type)[index].name_off;
}

int64_t Btf::enumerator_value(const btf_type &type, uint32_t index) const {
  if (index >= count_of(type)) return 0;
  if (kind_of(type) == kBtfEnum64) {
    const Enum64 &value = enumerators64(type)[index];
    return static_cast<int64_t>(uint64_t{value.high} << 32 | value.low);
  }
  const int32_t value = enumerators(type)[index].val;
  return kind_flag_of(type) ? value : static_cast<int64_t>(static_cast<uint32_t>(value));
}

bool Btf::find_enumerator(std::string_view name, uint32_t *enum_id, int64_t *value) const {
  if (name.empty() || name.find('\0') != std::string_view::npos) return false;
  return any_place_of(name,
                      [&](uint32_t place) { return find_enumerator_named(place, enum_id, value); });
}

bool Btf::find_enumerator_named(uint32_t place, uint32_t *enum_id, int64_t *value) const {
  for (size_t next = 0;; ++next) {
    while (next == enumerations_.size()) {
      if (!advance()) return false;
    }
    const btf_type &candidate = *type(enumerations_[next]);
    for (uint32_t i = 0; i < count_of(candidate); ++i) {
      if (enumerator_name(candidate, i) != place) continue;
      *enum_id = enumerations_[next];
      *value = enumerator_value(candidate, i);
      return true;
    }
  }
}

}  // namespace awl::frontend
