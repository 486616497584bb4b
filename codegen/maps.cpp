// Maps, as libbpf reads them from .maps: a global whose type is a struct that says all in its
// members' types (`int (*max_entries)[4096]`), so that the shape of a map lives in BTF.
//
// A map without key is an array of one element, its value followed by a u64 that says whether it
// was ever set: unlike an entry of a hash, an array's element cannot be absent.
#include <linux/bpf.h>

#include <bit>
#include <cassert>
#include <cerrno>

#include "codegen/emitter_state.h"
#include "runtime/object/kernel_map_type.h"

namespace awl::codegen {
namespace {

// Larger values are allocated when a key is first used, not max_entries times up front.
constexpr uint32_t kPreallocatedValue = 64;
// Sizes of the rings and tables where the loader does not choose others.
constexpr uint64_t kOutputRingBytes = 1 << 20;
constexpr uint64_t kControlRingBytes = 1 << 16;
constexpr uint64_t kStackEntries = 8192;
constexpr uint64_t kEntries = 8192;  // calls under way at a time
// Rounds of making an entry: another CPU may delete it between our insertion and our lookup.
constexpr int64_t kInsertRounds = 2;

uint32_t align8(uint32_t size) { return (size + 7) / 8 * 8; }

bool is_per_cpu_aggregation(frontend::TypeKind kind) {
  using frontend::TypeKind;
  return kind == TypeKind::kCount || kind == TypeKind::kSum || kind == TypeKind::kMin ||
         kind == TypeKind::kMax || kind == TypeKind::kAvg || kind == TypeKind::kStats ||
         kind == TypeKind::kTseries;
}

bool is_histogram(frontend::TypeKind kind) {
  return kind == frontend::TypeKind::kHist || kind == frontend::TypeKind::kLhist;
}

// Where a histogram lies is decided here: without key, in per-CPU buckets; with keys, in buckets
// that all CPUs share, since keys × buckets × CPUs would be too much. Other aggregations are per
// CPU.
object::MapType map_type(const frontend::MapInfo &info) {
  using object::MapType;
  frontend::TypeKind value = info.value ? info.value->kind : frontend::TypeKind::kInteger;
  if (!info.key) {
    return is_per_cpu_aggregation(value) || is_histogram(value) ? MapType::kPercpuArray
                                                                : MapType::kArray;
  }
  switch (info.declared) {
    case frontend::MapKind::kAuto:
      break;
    case frontend::MapKind::kHash:
      return MapType::kHash;
    case frontend::MapKind::kLruHash:
      return MapType::kLruHash;
    case frontend::MapKind::kPercpuHash:
      return MapType::kPercpuHash;
    case frontend::MapKind::kPercpuLruHash:
      return MapType::kPercpuLruHash;
  }
  return is_per_cpu_aggregation(value) ? MapType::kPercpuHash : MapType::kHash;
}

bool may_be_allocated_on_demand(object::MapType type) {
  return type == object::MapType::kHash || type == object::MapType::kPercpuHash;
}

}  // namespace

llvm::GlobalVariable *Emitter::State::declare_map(const std::string &name) {
  // Five pointers at most; the true number is in the debug type, which is what loaders read.
  auto *type = llvm::ArrayType::get(builder.getPtrTy(), 5);
  auto *global = new llvm::GlobalVariable(module, type, false, llvm::GlobalValue::ExternalLinkage,
                                          llvm::ConstantAggregateZero::get(type), name);
  global->setSection(".maps");
  global->setAlignment(llvm::Align(8));
  return global;
}

void Emitter::State::define_map(llvm::GlobalVariable *map, const MapShape &shape) {
  std::vector<DebugInfo::Member> members;
  auto add = [&](const char *name, llvm::DIType *pointee) {
    members.push_back({name, debug.pointer(pointee), static_cast<uint32_t>(members.size() * 8)});
  };
  auto number = [&](uint64_t n) { return debug.array(debug.integer(4, true), n); };
  add("type", number(shape.type));
  if (shape.max_entries) add("max_entries", number(shape.max_entries));
  if (shape.flags) add("map_flags", number(shape.flags));
  if (shape.key)
    add("key", shape.key);
  else if (shape.key_size)
    add("key_size", number(shape.key_size));
  if (shape.value)
    add("value", shape.value);
  else if (shape.value_size)
    add("value_size", number(shape.value_size));
  debug.variable(map, debug.structure("", members, 40));
}

void Emitter::State::define_script_maps(Emitter &emitter) {
  for (const frontend::MapInfo &info : checked.maps) {
    assert(info.id == description.maps.size());
    object::Map map;
    map.name = info.name;
    map.elf_name = "m_" + info.name.substr(1);
    map.type = map_type(info);
    map.is_scalar = info.key == nullptr;
    if (info.key) map.key = emitter.value_type(info.key);
    map.value =
        info.value ? emitter.value_type(info.value) : emitter.value_type(checked.types->int64());

    MapShape shape;
    shape.type = object::kernel_map_type(map.type);
    shape.max_entries = info.max_entries ? info.max_entries : checked.config.max_map_keys;
    llvm::DIType *value = debug.value(map.value);
    if (map.is_scalar) {
      uint32_t flag = align8(map.value.size);
      map.key_size = 4;
      map.value_size = flag + 8;
      shape.max_entries = 1;
      shape.key = debug.integer(4, false);
      shape.value = debug.structure(
          "", {{"value", value, 0}, {"is_set", debug.integer(8, false), flag}}, map.value_size);
    } else {
      map.key_size = map.key.size;
      map.value_size = map.value.size;
      map.location = emitter.location(info.declaration.value_or(info.span));
      shape.key = debug.value(map.key);
      shape.value = value;
      if (map.value_size > kPreallocatedValue && may_be_allocated_on_demand(map.type)) {
        shape.flags = BPF_F_NO_PREALLOC;
      }
    }
    llvm::GlobalVariable *global = declare_map(map.elf_name);
    define_map(global, shape);
    script_maps.push_back(global);
    description.maps.push_back(std::move(map));
  }
}

llvm::GlobalVariable *Emitter::State::own_map(const std::string &name) {
  auto [entry, is_new] = own_maps.try_emplace(name, nullptr);
  if (is_new) entry->second = declare_map(name);
  return entry->second;
}

// Our own maps get their shape when all programs are there: it depends on their number.
void Emitter::State::define_own_maps() {
  auto *u32 = debug.integer(4, false), *u64 = debug.integer(8, false);
  auto find = [&](const char *name) -> llvm::GlobalVariable * {
    auto entry = own_maps.find(name);
    return entry == own_maps.end() ? nullptr : entry->second;
  };
  if (auto *map = find(object::kOutputRing)) {
    define_map(map, {BPF_MAP_TYPE_RINGBUF, kOutputRingBytes});
  }
  if (auto *map = find(object::kControlRing)) {
    define_map(map, {BPF_MAP_TYPE_RINGBUF, kControlRingBytes});
  }
  if (auto *map = find(object::kLostMap)) {
    define_map(map, {BPF_MAP_TYPE_PERCPU_ARRAY, description.programs.size(), 0, u32, u64});
  }
  if (auto *map = find(object::kErrorMap)) {
    define_map(map, {BPF_MAP_TYPE_PERCPU_ARRAY, description.error_sites.size(), 0, u32, u64});
  }
  if (auto *map = find(object::kProbeNamesMap)) {
    auto *text = debug.array(debug.character(), object::kProbeNameSize);
    define_map(map, {BPF_MAP_TYPE_ARRAY, 1, 0, u32, text});
  }
  if (auto *map = find(object::kNextProgramsMap)) {
    define_map(map, {BPF_MAP_TYPE_PROG_ARRAY, 1, 0, u32, u32});
  }
  if (auto *map = find(object::kScratchMap)) {
    auto *data = debug.array(debug.integer(1, false), scratch_size);
    uint32_t size = static_cast<uint32_t>(kScratchHeader + scratch_size);
    auto *slot = debug.structure("awl_scratch_slot",
                                 {{"users", u64, 0}, {"data", data, kScratchHeader}}, size);
    if (has_shared_scratch()) {
      define_map(map, {BPF_MAP_TYPE_ARRAY, kScratchSlots * kScratchGroups, 0, u32, slot});
    } else {
      define_map(map, {BPF_MAP_TYPE_PERCPU_ARRAY, kScratchSlots, 0, u32, slot});
    }
  }
}

llvm::GlobalVariable *Emitter::map(const frontend::MapInfo &info) {
  return s_->script_maps.at(info.id);
}

llvm::GlobalVariable *Emitter::probe_names_map() { return s_->own_map(object::kProbeNamesMap); }

const object::Map &Emitter::map_description(const frontend::MapInfo &info) {
  return s_->description.maps.at(info.id);
}

llvm::GlobalVariable *Emitter::stack_map(frontend::TypeRef type) {
  bool has_build_ids = type->stack_mode == frontend::StackMode::kBuildId;
  bool is_user = type->kind == frontend::TypeKind::kUserStack;
  std::string name = has_build_ids ? object::kBuildIdStacksPrefix
                     : is_user     ? object::kUserStacksPrefix
                                   : object::kKernelStacksPrefix;
  name += std::to_string(type->stack_limit);
  auto [entry, is_new] = s_->own_maps.try_emplace(name, nullptr);
  if (is_new) {
    entry->second = s_->declare_map(name);
    constexpr uint32_t kIdSize = sizeof(bpf_stack_build_id);
    uint32_t frame_size = has_build_ids ? kIdSize : 8;
    s_->define_map(entry->second, {.type = BPF_MAP_TYPE_STACK_TRACE,
                                   .max_entries = kStackEntries,
                                   .flags = has_build_ids ? uint32_t{BPF_F_STACK_BUILD_ID} : 0,
                                   .key_size = 4,
                                   .value_size = type->stack_limit * frame_size});
  }
  return entry->second;
}

llvm::GlobalVariable *Emitter::own_map(const std::string &name, uint32_t type, uint32_t entries,
                                       uint32_t key_size, uint32_t value_size) {
  auto [entry, is_new] = s_->own_maps.try_emplace(name, nullptr);
  if (is_new) {
    entry->second = s_->declare_map(name);
    s_->define_map(
        entry->second,
        {.type = type, .max_entries = entries, .key_size = key_size, .value_size = value_size});
  }
  return entry->second;
}

llvm::GlobalVariable *Emitter::entries_map(uint32_t program, uint32_t words, bool is_lru) {
  std::string name = object::kEntriesPrefix + std::to_string(program);
  constexpr uint32_t hash = BPF_MAP_TYPE_HASH, lru = BPF_MAP_TYPE_LRU_HASH;
  llvm::GlobalVariable *map = s_->declare_map(name);
  s_->define_map(map, {.type = is_lru ? lru : hash,
                       .max_entries = std::max(kEntries, s_->checked.config.max_map_keys),
                       .key_size = 16,
                       .value_size = 8 + 8 * words});
  return map;
}

llvm::Value *Emitter::map_lookup(llvm::GlobalVariable *map, llvm::Value *key) {
  return call(Helper::kMapLookup, {map, key ? key : s_->zero_key()}, "entry");
}

llvm::Value *Emitter::map_update(llvm::GlobalVariable *map, llvm::Value *key, llvm::Value *value,
                                 uint64_t flags) {
  return call(Helper::kMapUpdate,
              {map, key ? key : s_->zero_key(), value, i64(static_cast<int64_t>(flags))});
}

llvm::Value *Emitter::map_delete(llvm::GlobalVariable *map, llvm::Value *key) {
  return call(Helper::kMapDelete, {map, key ? key : s_->zero_key()});
}

// void *awl_insert(void *map, void *key, void *value, u64 site, u64 program): a new entry, counted
// as an error at the site where there is no room. Apart from the programs, which need it once a
// key.
llvm::Function *Emitter::State::insert_entry(Emitter &emitter) {
  if (insert_function) return insert_function;
  insert_function = emitter.begin_callback("awl_insert", {"map", "key", "value", "site", "program"},
                                           frame().span);
  llvm::Value *map = insert_function->getArg(0), *key = insert_function->getArg(1);
  llvm::BasicBlock *before = builder.GetInsertBlock();
  llvm::BasicBlock *attempt = emitter.new_block("attempt"), *missing = emitter.new_block("missing"),
                   *full = emitter.new_block("full"), *made = emitter.new_block("made");
  builder.CreateBr(attempt);
  builder.SetInsertPoint(attempt);
  llvm::PHINode *round = builder.CreatePHI(builder.getInt64Ty(), 2, "round");
  llvm::Value *result = emitter.call(
      Helper::kMapUpdate, {map, key, insert_function->getArg(2), emitter.i64(BPF_NOEXIST)});
  llvm::Value *entry = emitter.call(Helper::kMapLookup, {map, key}, "entry");
  llvm::Value *next = builder.CreateAdd(round, emitter.i64(1));
  round->addIncoming(emitter.i64(0), before);
  round->addIncoming(next, missing);
  builder.CreateCondBr(builder.CreateIsNull(entry), missing, made);
  builder.SetInsertPoint(missing);
  builder.CreateCondBr(builder.CreateICmpULT(next, emitter.i64(kInsertRounds)), attempt, full);
  builder.SetInsertPoint(full);
  builder.CreateCall(count_error(emitter),
                     {insert_function->getArg(3), result, insert_function->getArg(4)});
  emitter.emit_return(emitter.i64(0));
  builder.SetInsertPoint(made);
  emitter.emit_return(builder.CreatePtrToInt(entry, builder.getInt64Ty()));
  emitter.end_callback();
  return insert_function;
}

llvm::Value *Emitter::begin_map_value(const frontend::MapInfo &info, llvm::Value *key,
                                      const ErrorCounter &counter, llvm::BasicBlock **done) {
  llvm::IRBuilder<> &b = s_->builder;
  const object::Map &description = map_description(info);
  llvm::GlobalVariable *global = map(info);
  llvm::BasicBlock *found = new_block("entry.found");
  *done = new_block("entry.done");
  auto *null = llvm::ConstantPointerNull::get(b.getPtrTy());

  if (description.is_scalar) {
    llvm::Value *entry = map_lookup(global, nullptr);
    b.CreateCondBr(b.CreateICmpEQ(entry, null), *done, found);
    b.SetInsertPoint(found);
    auto *flag = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), entry, description.value_size - 8);
    b.CreateAlignedStore(i64(1), flag, llvm::Align(8));
    return entry;
  }

  llvm::BasicBlock *before = b.GetInsertBlock();
  llvm::BasicBlock *miss = new_block("entry.miss");
  llvm::Value *present = map_lookup(global, key);
  b.CreateCondBr(b.CreateICmpEQ(present, null), miss, found);
  b.SetInsertPoint(miss);
  llvm::Function *insert = s_->insert_entry(*this);
  llvm::Value *made =
      b.CreateIntToPtr(b.CreateCall(insert, {global, key, s_->zero_blob(description.value_size),
                                             counter.site, counter.program}),
                       b.getPtrTy());
  b.CreateCondBr(b.CreateICmpEQ(made, null), *done, found);
  b.SetInsertPoint(found);
  llvm::PHINode *entry = b.CreatePHI(b.getPtrTy(), 2, "entry");
  entry->addIncoming(present, before);
  entry->addIncoming(made, miss);
  return entry;
}

void Emitter::end_map_value(llvm::BasicBlock *done) {
  s_->builder.CreateBr(done);
  s_->builder.SetInsertPoint(done);
}

}  // namespace awl::codegen
