#include "runtime/symbols/process_symbols.h"

#include "base/process_maps.h"

namespace awl::runtime {
void ProcessSymbols::read_mappings() {
  last_read_ = std::chrono::steady_clock::now();
  const std::string text = read_process_maps(pid_);
  if (text.empty()) return;
  mappings_ = std::make_shared<Mappings>(Mappings::parse(text, files_));
}

void ProcessSymbols::read_files(bool only_deleted) {
  if (!mappings_) return;
  for (const Mapping &mapping : mappings_->all()) {
    if (mapping.file == nullptr) continue;
    if (!only_deleted || mapping.file->path.ends_with(" (deleted)")) {
      mapping.file->is_kept = MappedFiles::open(mapping, pid_) != nullptr;
    }
  }
}

void ProcessSymbols::add_mapping(const Mapping &mapping) {
  auto changed = mappings_ ? std::make_shared<Mappings>(*mappings_) : std::make_shared<Mappings>();
  changed->insert(mapping);
  mappings_ = std::move(changed);
}

void ProcessSymbols::start_program() {
  before_ = std::move(mappings_);
  mappings_ = std::make_shared<Mappings>();
}

void ProcessSymbols::copy_from(const ProcessSymbols &parent) {
  mappings_ = parent.mappings_;
  before_ = parent.before_;
  jit_map_.reset();
}

const Mapping *ProcessSymbols::find_mapping(uint64_t address) const {
  const Mapping *mapping = mappings_ ? mappings_->find(address) : nullptr;
  return mapping == nullptr && before_ ? before_->find(address) : mapping;
}

bool ProcessSymbols::resolve(uint64_t address, bool is_followed, Symbol &out) {
  const Mapping *mapping = find_mapping(address);
  const bool may_be_new = !mappings_ || !is_followed;
  if (mapping == nullptr && may_be_new &&
      std::chrono::steady_clock::now() - last_read_ > kMinReadInterval) {
    read_mappings();  // a library may have been loaded since
    mapping = find_mapping(address);
  }
  // Code may be made where no execution was allowed when the mapping was told.
  if (mapping == nullptr || is_made_at_run_time(*mapping)) return resolve_jit(address, out);
  const ElfSymbols *file = MappedFiles::open(*mapping, pid_);
  if (file == nullptr) return false;
  out.file_offset = address - mapping->start + mapping->offset;
  out.build_id = file->build_id();
  const auto file_address = file->address_at(out.file_offset, true);
  if (!file_address) return false;
  const ElfSymbol *symbol = file->containing(*file_address);
  if (symbol == nullptr) return false;
  out.name = symbol->name;
  out.offset = *file_address - symbol->address;
  out.file_address = *file_address;
  out.module = mapping->file->path;
  return true;
}

bool ProcessSymbols::resolve_jit(uint64_t address, Symbol &out) {
  if (!jit_map_) jit_map_ = std::make_unique<JitMap>(pid_);
  const JitMap::Function *function = jit_map_->find(address);
  if (function == nullptr) return false;
  out.name = function->name;
  out.offset = address - function->start;
  out.module = jit_map_->path();
  return true;
}

}  // namespace awl::runtime
