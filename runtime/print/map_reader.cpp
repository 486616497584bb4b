#include "runtime/print/map_reader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <unordered_map>

#include "runtime/object/histogram.h"
#include "runtime/print/series_printer.h"

namespace awl::runtime {
namespace {

using object::MapType;
using object::ValueKind;
using object::ValueType;

constexpr uint32_t kBatchEntries = 512;
constexpr size_t kBatchBytes = 4u << 20;
constexpr uint32_t kMaxBatchEntries = 1u << 20;

template <class T>
T load(const uint8_t *data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

void add_words(const uint8_t *from, uint8_t *to, size_t words) {
  for (size_t i = 0; i < words; ++i) {
    uint64_t sum = load<uint64_t>(from + 8 * i) + load<uint64_t>(to + 8 * i);
    std::memcpy(to + 8 * i, &sum, 8);
  }
}

// {value, is_set} pairs.
void combine_extreme(const ValueType &type, const uint8_t *from, uint8_t *to) {
  if (load<uint64_t>(from + 8) == 0) return;
  bool is_better = load<uint64_t>(to + 8) == 0;
  if (!is_better) {
    uint64_t a = load<uint64_t>(from), b = load<uint64_t>(to);
    bool is_less = type.is_signed ? static_cast<int64_t>(a) < static_cast<int64_t>(b) : a < b;
    is_better = type.kind == ValueKind::kMin ? is_less : a != b && !is_less;
  }
  if (is_better) std::memcpy(to, from, 16);
}

void combine(const ValueType &type, const uint8_t *from, uint8_t *to) {
  switch (type.kind) {
    case ValueKind::kCount:
    case ValueKind::kSum:
      return add_words(from, to, 1);
    case ValueKind::kAvg:
    case ValueKind::kStats:
      return add_words(from, to, 2);
    case ValueKind::kHist:
    case ValueKind::kLhist:
      return add_words(from, to, type.count);
    case ValueKind::kTseries:
      return combine_series(type, from, to);
    case ValueKind::kMin:
    case ValueKind::kMax:
      return combine_extreme(type, from, to);
    case ValueKind::kInteger:
      if (type.size == 8) return add_words(from, to, 1);
      [[fallthrough]];
    default: {
      auto is_zero = [&](const uint8_t *data) {
        return std::all_of(data, data + type.size, [](uint8_t byte) { return byte == 0; });
      };
      if (is_zero(to)) std::memcpy(to, from, type.size);
    }
  }
}

}  // namespace

void combine_per_cpu(const ValueType &type, const uint8_t *values, uint32_t count, size_t stride,
                     uint8_t *out) {
  std::memset(out, 0, type.size);
  for (uint32_t cpu = 0; cpu < count; ++cpu) combine(type, values + cpu * stride, out);
}

MapReader::MapReader(const object::Map &map, int fd) : map_(map), fd_(fd) {
  // run() has made sure that it is known: the kernel writes a value for each.
  const int count = libbpf_num_possible_cpus();
  assert(count > 0);
  cpu_count_ = static_cast<uint32_t>(count);
}

bool MapReader::is_per_cpu() const {
  return map_.type == MapType::kPercpuHash || map_.type == MapType::kPercpuArray ||
         map_.type == MapType::kPercpuLruHash;
}

size_t MapReader::lookup_size() const {
  size_t stride = (size_t{map_.value_size} + 7) / 8 * 8;
  return is_per_cpu() ? stride * cpu_count_ : map_.value_size;
}

Status MapReader::for_each(const Visit &visit) const {
  if (map_.is_scalar) {
    uint32_t key = 0;
    std::vector<uint8_t> value(lookup_size());
    if (bpf_map_lookup_elem(fd_, &key, value.data()) != 0) {
      return Error::from_errno("cannot read map " + map_.name);
    }
    visit(reinterpret_cast<const uint8_t *>(&key), value.data());
    return ok();
  }
  bool is_unsupported = false;
  Status status = for_each_in_batches(visit, is_unsupported);
  return is_unsupported ? for_each_by_key(visit) : status;
}

// BPF_MAP_LOOKUP_BATCH (5.6): many entries per system call. `is_unsupported` is set when it does
// not work at all; nothing was visited then.
Status MapReader::for_each_in_batches(const Visit &visit, bool &is_unsupported) const {
  size_t value_size = lookup_size();
  uint32_t capacity = static_cast<uint32_t>(
      std::clamp<size_t>(kBatchBytes / (value_size + map_.key_size), 16, kBatchEntries));
  std::vector<uint8_t> keys, values;
  // The position is a key or, for hashes, a bucket number: 4 bytes at least.
  std::vector<uint8_t> position(std::max<size_t>(map_.key_size, 8)), next(position.size());
  bool is_first = true;
  for (;;) {
    keys.resize(size_t{capacity} * map_.key_size);
    values.resize(capacity * value_size);
    uint32_t count = capacity;
    int result = bpf_map_lookup_batch(fd_, is_first ? nullptr : position.data(), next.data(),
                                      keys.data(), values.data(), &count, nullptr);
    int error = result < 0 ? errno : 0;
    if (error == ENOSPC && capacity < kMaxBatchEntries) {
      capacity *= 4;  // one hash bucket alone has more entries
      continue;
    }
    if (error != 0 && error != ENOENT) {
      is_unsupported = is_first;
      return Error::from_errno("cannot read map " + map_.name, error);
    }
    for (uint32_t i = 0; i < count; ++i) {
      visit(keys.data() + size_t{i} * map_.key_size, values.data() + i * value_size);
    }
    if (error == ENOENT) return ok();
    std::swap(position, next);
    is_first = false;
  }
}

Status MapReader::for_each_by_key(const Visit &visit) const {
  std::vector<std::vector<uint8_t>> keys;
  bpf_map_info info{};
  uint32_t info_size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd_, &info, &info_size) != 0) {
    return Error::from_errno("cannot read map " + map_.name);
  }
  std::vector<uint8_t> key(map_.key_size);
  // Keys come and go meanwhile, which may start the walk anew: it ends all the same.
  for (uint64_t i = 0; i < info.max_entries; ++i) {
    if (bpf_map_get_next_key(fd_, i == 0 ? nullptr : keys.back().data(), key.data()) != 0) break;
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::vector<uint8_t> value(lookup_size());
  for (const std::vector<uint8_t> &entry : keys) {
    if (bpf_map_lookup_elem(fd_, entry.data(), value.data()) == 0) {
      visit(entry.data(), value.data());
    }
  }
  return ok();
}

// Whether a scalar was set, on any CPU: the flag is in the last 8 bytes of the value.
bool MapReader::is_set(const uint8_t *value) const {
  size_t stride = (size_t{map_.value_size} + 7) / 8 * 8;
  for (uint32_t cpu = 0; cpu < (is_per_cpu() ? cpu_count_ : 1); ++cpu) {
    if (load<uint64_t>(value + cpu * stride + map_.value_size - 8) != 0) return true;
  }
  return false;
}

void MapReader::append_value(const uint8_t *value, std::vector<uint8_t> &out) const {
  size_t start = out.size();
  out.resize(start + map_.value.size);
  if (is_per_cpu()) {
    size_t stride = (size_t{map_.value_size} + 7) / 8 * 8;
    combine_per_cpu(map_.value, value, cpu_count_, stride, out.data() + start);
  } else {
    std::memcpy(out.data() + start, value, map_.value.size);
  }
}

Result<MapSnapshot> MapReader::read() const {
  if (map_.is_bucket_keyed) return read_by_bucket();
  MapSnapshot snapshot;
  snapshot.key_size = map_.key_size;
  snapshot.value_size = map_.value.size;
  Status status = for_each([&](const uint8_t *key, const uint8_t *value) {
    if (map_.is_scalar && !is_set(value)) return;
    snapshot.keys.insert(snapshot.keys.end(), key, key + map_.key_size);
    append_value(value, snapshot.values);
    ++snapshot.count;
  });
  if (!status) return status.error();
  return snapshot;
}

// Each entry is one bucket: its number is the key's last 8 bytes.
Result<MapSnapshot> MapReader::read_by_bucket() const {
  MapSnapshot snapshot;
  snapshot.key_size = map_.key_size - 8;
  snapshot.value_size = map_.value.size;
  std::unordered_map<std::string, size_t> index;
  Status status = for_each([&](const uint8_t *key, const uint8_t *value) {
    uint64_t bucket = load<uint64_t>(key + snapshot.key_size);
    if (bucket >= map_.value.count) return;
    std::string name(reinterpret_cast<const char *>(key), snapshot.key_size);
    auto [it, is_new] = index.try_emplace(name, snapshot.count);
    if (is_new) {
      snapshot.keys.insert(snapshot.keys.end(), key, key + snapshot.key_size);
      snapshot.values.resize(snapshot.values.size() + snapshot.value_size);
      ++snapshot.count;
    }
    uint8_t *entry = snapshot.values.data() + it->second * snapshot.value_size;
    size_t stride = (size_t{map_.value_size} + 7) / 8 * 8;
    for (uint32_t cpu = 0; cpu < (is_per_cpu() ? cpu_count_ : 1); ++cpu) {
      add_words(value + cpu * stride, entry + bucket * 8, 1);
    }
  });
  if (!status) return status.error();
  return snapshot;
}

Status MapReader::clear() const {
  if (map_.is_scalar) {
    uint32_t key = 0;
    std::vector<uint8_t> value(lookup_size());
    if (bpf_map_update_elem(fd_, &key, value.data(), BPF_ANY) != 0) {
      return Error::from_errno("cannot clear map " + map_.name);
    }
    return ok();
  }
  std::vector<std::vector<uint8_t>> keys;
  Status status = for_each(
      [&](const uint8_t *key, const uint8_t *) { keys.emplace_back(key, key + map_.key_size); });
  if (!status) return status;
  for (const std::vector<uint8_t> &key : keys) {
    // A program may have deleted it meanwhile.
    if (bpf_map_delete_elem(fd_, key.data()) != 0 && errno != ENOENT) {
      return Error::from_errno("cannot clear map " + map_.name);
    }
  }
  return ok();
}

Status MapReader::zero() const {
  std::vector<std::vector<uint8_t>> keys;
  std::vector<uint8_t> zeros(lookup_size());
  Status status = for_each([&](const uint8_t *key, const uint8_t *value) {
    if (map_.is_scalar && !is_set(value)) return;
    keys.emplace_back(key, key + map_.key_size);
  });
  if (!status) return status;
  if (map_.is_scalar) {
    // It stays set.
    uint64_t flag = 1;
    std::memcpy(zeros.data() + map_.value_size - 8, &flag, 8);
  }
  for (const std::vector<uint8_t> &key : keys) {
    if (bpf_map_update_elem(fd_, key.data(), zeros.data(), BPF_EXIST) != 0 && errno != ENOENT) {
      return Error::from_errno("cannot zero map " + map_.name);
    }
  }
  return ok();
}

bool KernelStackSource::read(const std::string &elf_name, uint32_t id,
                             std::vector<uint8_t> &value) {
  return read(elf_name, BPF_MAP_TYPE_STACK_TRACE, &id, sizeof id, value);
}

bool KernelStackSource::read_unwound(const std::string &elf_name, uint64_t id,
                                     std::vector<uint8_t> &value) {
  return read(elf_name, BPF_MAP_TYPE_HASH, &id, sizeof id, value);
}

bool KernelStackSource::read(const std::string &elf_name, uint32_t type, const void *key,
                             uint32_t key_size, std::vector<uint8_t> &value) {
  int fd = find_map_(elf_name);
  if (fd < 0) return false;
  bpf_map_info info{};
  uint32_t info_size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd, &info, &info_size) != 0) return false;
  // The object says which map this is: other types copy more than value_size.
  if (info.type != type || info.key_size != key_size) return false;
  value.resize(info.value_size);
  return bpf_map_lookup_elem(fd, key, value.data()) == 0;
}

}  // namespace awl::runtime
