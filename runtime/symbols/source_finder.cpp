#include "runtime/symbols/source_finder.h"

#include <fmt/format.h>

#include <utility>

namespace awl::runtime {

const DwarfFile *SourceFinder::open(const Symbol &symbol, uint32_t pid) {
  const auto [entry, is_new] = files_.try_emplace(symbol.module + " " + symbol.build_id, nullptr);
  if (!is_new) return entry->second.get();
  // The root of the process may be a container's, and is gone at its end. What has the same build
  // id is as good.
  std::vector<std::string> paths{fmt::format("/proc/{}/root{}", pid, symbol.module), symbol.module};
  if (!symbol.build_id.empty()) std::swap(paths[0], paths[1]);
  for (const std::string &path : paths) {
    Result<std::shared_ptr<const DwarfFile>> file = DwarfFile::open(path);
    if (!file || (*file)->build_id() != symbol.build_id) continue;
    entry->second = std::move(*file);
    break;
  }
  return entry->second.get();
}

std::vector<SourcePlace> SourceFinder::find(const Symbol &symbol, uint32_t pid, bool is_caller) {
  if (symbol.file_address == 0 || !symbol.module.starts_with('/')) return {};
  const DwarfFile *file = open(symbol, pid);
  if (file == nullptr) return {};
  return find_source(*file, symbol.file_address - (is_caller ? 1 : 0));
}

}  // namespace awl::runtime
