// kfuncs: functions of the kernel that programs may call, if the kernel lets their kind of program.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace awl::runtime {

class Kfunc {
 public:
  // Looks for a function among the kernel's own types (not those of modules).
  static Result<Kfunc> find(const std::string &name);

  bool exists() const { return btf_id_ != 0; }
  // Whether programs as in an ELF section may call it; asks the verifier about a program that does
  // nothing else. `btf_id` is the type that programs of that kind are tied to; 0: none.
  bool is_allowed(const std::string &section, uint32_t btf_id) const;

 private:
  uint32_t btf_id_ = 0;
};

}  // namespace awl::runtime
