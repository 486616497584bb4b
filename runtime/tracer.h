// The runtime's one entry: an object is loaded, attached and run until it ends.
//
// Linked into `awl` and `awl-run`; knows nothing of scripts beyond the object's description.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/object/object.h"

namespace awl::runtime {

enum class OutputFormat { kText, kJson };
enum class Buffering { kNone, kLine, kFull };
// Whether the `test` or `bench` programs of an object are run, instead of tracing.
enum class RunMode { kTrace, kTest, kBench };

class HeadStart;

struct RunOptions {
  RunMode mode = RunMode::kTrace;       // --test, --bench
  std::vector<std::string> positional;  // $1…
  // --name=value, for getopt; none: --name alone.
  std::vector<std::pair<std::string, std::optional<std::string>>> named;
  std::optional<int> pid;         // -p
  std::string command;            // -c; empty: none
  std::vector<int> unwound_pids;  // --dwarf-pid
  std::string output_path;        // -o; empty: stdout
  OutputFormat format = OutputFormat::kText;
  Buffering buffering = Buffering::kLine;
  bool quiet = false;    // -q
  bool verbose = false;  // -v
  bool dry_run = false;
  bool unsafe = false;
  bool no_warnings = false;
  bool warn_of_missing_parameters = false;            // of an object; of a script the compiler does
  bool report_read_errors = false;                    // -k
  bool debug_libbpf = false, debug_verifier = false;  // -d libbpf, -d verifier
  std::string probe_filter;                    // --probe-filter: regular expression; empty: none
  std::vector<std::string> disabled_features;  // --no-feature
  std::string traceable_functions;             // --traceable-functions: a file; empty: the kernel's
  std::shared_ptr<HeadStart> head_start;       // what was made ahead; null: nothing
};

// Loads, attaches, prints, detaches. The result is the exit code of the process: 0, the code given
// to exit(), or an Error when it could not start. Handles INT, TERM, -c and -p; `end` programs run
// and maps are printed before it returns. Nothing stays attached, whatever happens.
Result<int> run(object::Object object, const RunOptions &options);

// The names of everything the object would attach to here, one by one (for `-l SCRIPT`).
Result<std::vector<std::string>> list_targets(object::Object object, const RunOptions &options);

// "fentry:bpf:ID:FUNCTION" of every function of the BPF programs that run now; `family` is fentry
// or fexit.
Result<std::vector<std::string>> list_bpf_functions(const std::string &family);

// An object as a file holds it, with its description in the section `.awl`. The bytes are input
// from outside: all that they say is checked.
Result<object::Object> open_object(std::vector<uint8_t> bytes);

}  // namespace awl::runtime
