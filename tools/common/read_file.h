// Whole files in and out, with errors that say which file and why.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace awl::tools {

// The bytes of a file of at most 256 MiB; "-" is standard input.
Result<std::vector<uint8_t>> read_file(const std::string &path);

// Writes a file through a temporary name beside it, so that a failure leaves nothing behind.
Status write_file(const std::string &path, const void *data, size_t size);

}  // namespace awl::tools
