#include "runtime/print/error_text.h"

namespace awl::runtime {
namespace {

struct Entry {
  std::string_view what;
  ErrorText text;
};

constexpr std::string_view kFullMapHint =
    "raise max_map_keys in the script's config, or declare the map: let @name = hash(100000)";

constexpr Entry kEntries[] = {
    {"map_update_elem", {"the map is full, a value was not stored", kFullMapHint}},
    {"map update", {"the map is full, a value was not stored", kFullMapHint}},
    {"map_delete_elem", {"there was no such key to delete", ""}},
    {"division by zero", {"division by zero, the result is 0", ""}},
    {"get_stackid", {"a stack was lost, another one had its place in the table", ""}},
    {"scratch memory", {"no scratch memory was free, a run of the probe was dropped", ""}},
    {"probe_read_user", {"memory of the process could not be read, zeros stand in its place", ""}},
    {"probe_read_kernel", {"memory of the kernel could not be read, zeros stand in its place", ""}},
    {"probe_read_user_str", {"a string of the process could not be read, it is empty", ""}},
    {"probe_read_kernel_str", {"a string of the kernel could not be read, it is empty", ""}},
};

}  // namespace

ErrorText explain_error(std::string_view what) {
  for (const Entry &entry : kEntries) {
    if (entry.what == what) return entry.text;
  }
  return {what, ""};
}

}  // namespace awl::runtime
