// awl snapshot: what this machine knows, for compiling for it elsewhere (`--target FOLDER`).

#include "frontend/target/snapshot.h"
#include "tools/awl/commands.h"
#include "tools/common/parse_options.h"
#include "tools/common/read_file.h"

namespace awl::tools {

int command_snapshot(const CommandLine &line) {
  std::string request_file, folder;
  CLI::App app{"Writes what this machine knows (kernel types, tracepoints, symbols) to a folder.\n"
               "Usage: awl snapshot [--request FILE] FOLDER"};
  app.add_option("--request", request_file, "JSON: take only this (see test/fixtures)")
      ->option_text("FILE");
  app.add_option("folder", folder, "The folder to write")->required()->option_text(" ");
  if (const std::optional<int> code = parse_options(app, line)) return *code;
  frontend::SnapshotRequest request;
  if (request_file.empty()) {
    request.all_types = true;
    request.tracepoints = {"*:*"};
  } else {
    Result<std::vector<uint8_t>> text = read_file(request_file);
    if (!text) return fail(text.error().message);
    Result<frontend::SnapshotRequest> parsed =
        frontend::parse_snapshot_request(std::string(text->begin(), text->end()));
    if (!parsed) return fail(parsed.error().with_context(request_file).message);
    request = *parsed;
  }
  const Status status = frontend::write_snapshot(request, folder);
  return status ? 0 : fail(status.error().message);
}

}  // namespace awl::tools
