// Reads, clears and zeroes the script's maps, hiding how values lie in kernel maps: per-CPU
// instances are combined (sums, minima, maxima, histograms), scalars that were never set are left
// out, histograms keyed by bucket are put together.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/object/description.h"
#include "runtime/print/value_printer.h"

namespace awl::runtime {

// A map's entries, in the order the kernel gave them. A scalar map has one entry when it is set,
// else none.
struct MapSnapshot {
  uint32_t key_size = 0, value_size = 0;
  size_t count = 0;
  std::vector<uint8_t> keys;    // count × key_size
  std::vector<uint8_t> values;  // count × value_size, per-CPU values combined
  const uint8_t *key(size_t i) const { return keys.data() + i * key_size; }
  const uint8_t *value(size_t i) const { return values.data() + i * value_size; }
};

class MapReader {
 public:
  // `map` must outlive the reader; `fd` is the kernel map.
  MapReader(const object::Map &map, int fd);

  const object::Map &map() const { return map_; }
  Result<MapSnapshot> read() const;
  Status clear() const;  // all entries go
  Status zero() const;   // values become zero, keys stay

 private:
  bool is_per_cpu() const;
  // Bytes that a look-up copies: of all CPUs, each value padded to 8 bytes.
  size_t lookup_size() const;
  // Calls `visit(key, value)` for each entry as the kernel gives it.
  using Visit = std::function<void(const uint8_t *key, const uint8_t *value)>;
  Status for_each(const Visit &visit) const;
  Status for_each_in_batches(const Visit &visit, bool &is_unsupported) const;
  Status for_each_by_key(const Visit &visit) const;
  // Appends what print shows of a kernel value.
  void append_value(const uint8_t *value, std::vector<uint8_t> &out) const;
  bool is_set(const uint8_t *value) const;
  Result<MapSnapshot> read_by_bucket() const;

  const object::Map &map_;
  int fd_;
  uint32_t cpu_count_;
};

// Combines the per-CPU values of one entry (`count` of them, `stride` bytes apart) into the
// type.size bytes at `out`: sums, the least or greatest of those that are set, added buckets. What
// cannot be combined is taken from the first CPU where it is not zero.
void combine_per_cpu(const object::ValueType &type, const uint8_t *values, uint32_t count,
                     size_t stride, uint8_t *out);

// Stacks from the kernel's stack maps. `find_map` gives the descriptor of a map by its ELF name,
// -1: none.
class KernelStackSource : public StackSource {
 public:
  explicit KernelStackSource(std::function<int(const std::string &elf_name)> find_map)
      : find_map_(std::move(find_map)) {}
  bool read(const std::string &elf_name, uint32_t id, std::vector<uint8_t> &value) override;
  bool read_unwound(const std::string &elf_name, uint64_t id, std::vector<uint8_t> &value) override;

 private:
  bool read(const std::string &elf_name, uint32_t type, const void *key, uint32_t key_size,
            std::vector<uint8_t> &value);
  std::function<int(const std::string &)> find_map_;
};

}  // namespace awl::runtime
