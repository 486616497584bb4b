// What libbpf prints while it loads an object: kept, so that a failure can be explained.
#pragma once

#include <string>

#include "base/result.h"

namespace awl::runtime {

struct LibbpfMessages {
  std::string last_warning;     // without "libbpf: "; the verifier's log is none
  std::string refused_program;  // the one whose load failed
  std::string refused_map;      // the one that could not be made, by its name in the object
};

// From here on messages are kept, and printed too where `is_printed`.
void take_libbpf_messages(bool is_printed);
LibbpfMessages &libbpf_messages();

// An error of libbpf's, with what it said.
Error libbpf_error(const std::string &what, int code);

}  // namespace awl::runtime
