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

// A map's entries, in the order the kernel gave them. A scalar map that is set has one entry.
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
  const object::Map &map_;
  int fd_;
  uint32_t cpu_count_;
};

// Stacks from the kernel's stack maps. `find_map` gives the descriptor of a map by its ELF name,
// -1: none.
class KernelStackSource : public StackSource {
 public:
  explicit KernelStackSource(std::function<int(const std::string &elf_name)> find_map)
      : find_map_(std::move(find_map)) {}
  bool read(const std::string &elf_name, uint32_t id, std::vector<uint8_t> &value) override;

 private:
  std::function<int(const std::string &)> find_map_;
};

}  // namespace awl::runtime
