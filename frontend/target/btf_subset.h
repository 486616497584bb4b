// A part of a kernel's BTF, small enough to keep in a file: some types, and what they hold.
//
// What a type holds by value comes with it. What it only points to is declared but not defined
// (a forward declaration, or void where there is no name to declare), unless it was asked for
// too; that keeps `struct task_struct` from pulling in half of the kernel.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontend/target/btf_reader.h"

namespace awl::frontend {

class BtfSubset {
 public:
  explicit BtfSubset(const Btf &from) : from_(from) {}

  // Adds the type of an id and what it holds.
  void add(uint32_t id);
  // The subset as a BTF file. Its ids are new ones.
  std::string write();

 private:
  // How a type is referred to: as a whole, or through a pointer.
  enum class Use : uint8_t { kValue, kPointee };

  uint32_t map(uint32_t id, Use use);
  uint32_t map_pointee(uint32_t id, const btf_type &type);
  void copy(uint32_t id, Use use);
  void copy_trailing(const btf_type &type, Use use);
  uint32_t string(std::string_view text);
  void append(const void *data, size_t size);

  const Btf &from_;
  std::vector<uint32_t> roots_;
  std::map<std::pair<uint32_t, Use>, uint32_t> ids_;
  std::deque<std::pair<uint32_t, Use>> pending_;
  std::string types_, strings_;
  std::map<std::string, uint32_t, std::less<>> string_offsets_;
};

}  // namespace awl::frontend
