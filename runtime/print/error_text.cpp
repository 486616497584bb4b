#include "runtime/print/error_text.h"

namespace awl::runtime {
namespace {

struct Entry {
  std::string_view what;
  ErrorText text;
};

constexpr std::string_view kFullMapHint =
    "raise max_map_keys in the script's config; of a declared map the number in its declaration, "
    "let @name = hash(100000)";

constexpr std::string_view kEntriesHint =
    "there is room for 8192 calls at a time; a larger max_map_keys in the script's config is more";

constexpr Entry kEntries[] = {
    {"map_update_elem", {"the map is full, a value was not stored", kFullMapHint}},
    {"map update", {"the map is full, a value was not stored", kFullMapHint}},
    {"keeping an entry", {"too many calls were under way, an entry was not kept", kEntriesHint}},
    {"finding the entry of a return",
     {"the entry of a call was not seen, its duration and arguments are 0", kEntriesHint}},
    {"d_path", {"the path of a file could not be told, it is empty", ""}},
    {"map_lookup_elem", {"there is no such element, it was read as 0 or empty", ""}},
    {"map_delete_elem", {"there was no such key to delete", ""}},
    {"division by zero", {"division by zero, the result is 0", ""}},
    {"range",
     {"a loop ended before its range did: the kernel runs 8388608 rounds at most",
      "two loops, one inside the other, run more"}},
    {"while",
     {"a while loop was ended: the kernel runs 8388608 rounds at most",
      "two loops, one inside the other, run more"}},
    {"get_stackid", {"a stack was lost, another one had its place in the table", ""}},
    {"dw_ustack",
     {"the stack of a process was not unwound, as it is not one of those that are named",
      "-p, -c or --dwarf-pid name them"}},
    {"dw_ustack map", {"there is no room for more stacks, one was lost", ""}},
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
