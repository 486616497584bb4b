#include "frontend/passes/check_types.h"

#include "frontend/diagnostics/nearest_name.h"
#include "frontend/passes/evaluate_constant.h"
#include "frontend/passes/type_checker.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kMapNeedsNoKey, Error, "map-needs-no-key",
               "{} used as a map with an explicit key (non-scalar map), previously used without an "
               "explicit key (scalar map)",
               std::string_view);
AWL_DIAGNOSTIC(kMapNeedsKey, Error, "map-needs-key",
               "{} used as a map without an explicit key (scalar map), previously used with an "
               "explicit key (non-scalar map)",
               std::string_view);
AWL_DIAGNOSTIC(kKeyMismatch, Error, "map-key-mismatch",
               "Argument mismatch for {}: trying to access with arguments: '{}' when map expects "
               "arguments: '{}'",
               std::string_view, std::string, std::string);
AWL_DIAGNOSTIC(kKeyType, Error, "map-key-type", "'{}' cannot be used as a map key", std::string);
AWL_DIAGNOSTIC(kKeyTooLarge, Error, "map-key-too-large",
               "The key of {} takes {} bytes, more than the {} that are possible", std::string_view,
               uint32_t, uint32_t);
AWL_DIAGNOSTIC(kValueTooLarge, Error, "map-value-too-large",
               "The value of {} takes {} bytes, more than the {} that are possible",
               std::string_view, uint32_t, uint32_t);
AWL_DIAGNOSTIC(kUnknownMapType, Error, "unknown-map-type", "Unknown map type: '{}'",
               std::string_view);
AWL_DIAGNOSTIC(kMapEntries, Error, "map-entries",
               "The number of entries of {} must be a constant above 0", std::string_view);
AWL_DIAGNOSTIC(kMapUnused, Warning, "map-unused", "Unused map: {}", std::string_view);
AWL_DIAGNOSTIC(kMapNeverAssigned, Warning, "map-never-assigned", "Map {} is never assigned to.",
               std::string_view);
AWL_DIAGNOSTIC(kMapTooManyEntries, Error, "map-too-many-entries",
               "{} is to have {} entries: {} are the most that the kernel takes", std::string_view,
               int64_t, int64_t);
AWL_DIAGNOSTIC(kMapRedeclared, Error, "map-redeclared", "{} is already declared", std::string_view);

namespace {

// A walk widens at least one slot, and a slot can widen only a few times; what needs more rounds
// than this does not come to rest at all.
constexpr int kMaxRounds = 100;

// What fits into our per-CPU scratch, of which there is one per CPU and nesting. The kernel's hash
// tables take keys of any size since 5.11, of 512 bytes before.
constexpr uint32_t kMaxKeySize = 1 << 16;
constexpr uint32_t kMaxValueSize = 1 << 20;

std::optional<MapKind> map_kind(const std::string &name) {
  if (name == "hash") return MapKind::kHash;
  if (name == "lruhash") return MapKind::kLruHash;
  if (name == "percpuhash") return MapKind::kPercpuHash;
  if (name == "percpulruhash") return MapKind::kPercpuLruHash;
  return std::nullopt;
}

bool is_user_family(ProbeFamily family) {
  return family == ProbeFamily::kUprobe || family == ProbeFamily::kUretprobe ||
         family == ProbeFamily::kUsdt;
}

}  // namespace

TypeChecker::TypeChecker(Compilation &compilation, Target &target, const Options &options,
                         const std::set<std::string> &assigned)
    : compilation_(compilation),
      target_(target),
      options_(options),
      types_(compilation.types),
      assigned_(assigned) {
  for (int log = 0; log < 4; ++log) {
    for (bool is_signed : {false, true}) {
      integers_[log][is_signed] = types_.integer(1u << log, is_signed);
    }
  }
}

void TypeChecker::run() {
  infer();
  is_final_ = true;
  for (size_t i = 0; i < compilation_.checked.programs.size(); ++i) walk_program(i);
  finish_maps();
}

// Walks programs until no slot widens any more; programs that use no slot that has changed are left
// alone.
void TypeChecker::infer() {
  is_stale_.assign(compilation_.checked.programs.size(), true);
  for (int round = 0; round < kMaxRounds; ++round) {
    bool has_walked = false;
    for (size_t i = 0; i < is_stale_.size(); ++i) {
      if (!is_stale_[i]) continue;
      is_stale_[i] = false;
      has_walked = true;
      walk_program(i);
    }
    if (!has_walked && !settle_unassigned_maps()) return;
  }
}

// Elements of maps that nothing is assigned to read as 0; then, if that tells no more, those that
// only depend on themselves.
bool TypeChecker::settle_unassigned_maps() {
  for (const bool is_assigned : {false, true}) {
    bool has_settled = false;
    for (auto &[name, map] : maps_) {
      if (!map.is_used || map.value.shape.type || map.is_assigned != is_assigned) continue;
      program_index_ = map.users.empty() ? 0 : *map.users.begin();
      has_settled |= widen_slot(map.value, {int64(), false, {}});
    }
    if (has_settled) return true;
  }
  return false;
}

void TypeChecker::walk_program(size_t index) {
  program_index_ = index;
  program_ = &compilation_.checked.programs[index];
  loop_depth_ = 0;
  unrolled_ = 1;
  check_clause(*program_->clause);
}

Slot &TypeChecker::variable(const ast::VariableDecl &decl) { return variables_[&decl]; }

MapSlot &TypeChecker::map(const std::string &name, Span span) {
  auto [entry, is_new] = maps_.try_emplace(name);
  MapSlot &map = entry->second;
  if (is_new) {
    map.name = name;
    map.span = span;
    map.key.owner = map.value.owner = &map;
    map_order_.push_back(name);
  }
  if (!is_final_) map.users.insert(program_index_);
  return map;
}

bool TypeChecker::widen_slot(Slot &slot, const Shape &shape) {
  if (slot.is_fixed) return true;
  std::optional<Shape> both = unify(types_, slot.shape, shape);
  if (!both) return false;
  bool has_changed = both->type != slot.shape.type || both->is_flexible != slot.shape.is_flexible;
  slot.shape = std::move(*both);
  if (!has_changed) return true;
  if (!slot.owner) {
    is_stale_[program_index_] = true;
  } else {
    for (size_t user : slot.owner->users) is_stale_[user] = true;
  }
  return true;
}

bool TypeChecker::put(Slot &slot, ast::Expr *&value) {
  // What a parameter is that nobody has given yet, its use tells.
  if (slot.shape.type && slot.shape.type->is_string()) make_text(*value);
  Shape shape = shape_of(types_, *value);
  if (!is_final_) return widen_slot(slot, shape);
  TypeRef to = slot.shape.type;
  if (!to) return false;
  std::optional<Shape> both =
      unify(types_, slot.is_fixed ? Shape{to, false, {}} : slot.shape, shape);
  if (!both) return false;
  if (slot.is_fixed && both->type != to) {
    // What was declared stays: integers are made to fit, literals only when they do fit.
    if (!to->is_integer() || !shape.type->is_integer()) return false;
    auto *literal = ast::as<ast::IntegerLiteral>(value);
    if (literal && !literal_fits(*literal, to)) return false;
  }
  warn_sign(*value, to);
  convert(value, to);
  return true;
}

bool TypeChecker::use_map(MapSlot &map, bool is_keyed, Span span) {
  if (!map.is_used) {
    map.is_used = true;
    map.is_keyed = is_keyed;
  }
  if (map.is_keyed == is_keyed) return true;
  if (!is_first(&map)) return false;
  report(span, is_keyed ? kMapNeedsNoKey : kMapNeedsKey, map.name)
      .note(map.span, "first used here");
  return false;
}

bool TypeChecker::put_key(MapSlot &map, ast::Expr *&key, Span span) {
  if (!use_map(map, true, span)) return false;
  TypeRef type = check(key);
  if (!type) return false;
  const bool is_empty = type->kind == TypeKind::kTuple && type->fields.empty();
  if (type->is_aggregation() || type->kind == TypeKind::kVoid || is_empty) {
    report(key->span, kKeyType, to_string(type));
    return false;
  }
  if (put(map.key, key)) return true;
  if (!is_first(&map.key)) return false;
  report(span, kKeyMismatch, map.name, to_string(type), to_string(map.key.shape.type));
  return false;
}

AddressSpace TypeChecker::default_space() const {
  const ProbeSpec &probe = program_->probes.front();
  bool is_syscall = probe.family == ProbeFamily::kSyscall ||
                    (probe.family == ProbeFamily::kTracepoint && probe.category == "syscalls");
  const bool is_user = is_user_family(probe.family) || is_syscall || is_user_watchpoint(probe);
  return is_user ? AddressSpace::kUser : AddressSpace::kKernel;
}

TypeChecker::DeclaredMap TypeChecker::check_declaration(const ast::MapDeclaration &declaration) {
  Diagnostics &diagnostics = compilation_.diagnostics;
  std::optional<MapKind> kind = map_kind(declaration.map_type);
  if (!kind) {
    diagnostics.emit(declaration.type_span, kUnknownMapType, declaration.map_type)
        .hint("known are hash, lruhash, percpuhash and percpulruhash");
  }
  std::optional<int64_t> entries = evaluate_constant(types_, *declaration.max_entries);
  if (!entries || *entries <= 0) {
    diagnostics.emit(declaration.max_entries->span, kMapEntries, declaration.name);
  } else if (*entries > kMaxMapEntries) {
    diagnostics.emit(declaration.max_entries->span, kMapTooManyEntries, declaration.name, *entries,
                     kMaxMapEntries);
  }
  // Of an import, maps may be there for others.
  if (!maps_.contains(declaration.name) && declaration.span.source == 0) {
    diagnostics.emit(declaration.span, kMapUnused, declaration.name);
  }
  return {&declaration, kind.value_or(MapKind::kHash), static_cast<uint64_t>(entries.value_or(1))};
}

// A name that was mistyped reads as 0, has no keys and deletes nothing.
void TypeChecker::warn_of_unassigned(const MapSlot &map) {
  const bool is_own = map.span.source == 0;  // of an import, maps may be there for others
  if (!is_own || assigned_.contains(map.name) || compilation_.diagnostics.has_errors()) return;
  compilation_.diagnostics.emit(map.span, kMapNeverAssigned, map.name).hint(nearest_map(map.name));
}

std::string TypeChecker::nearest_map(const std::string &name) const {
  const std::string nearest = nearest_name(name, {assigned_.begin(), assigned_.end()});
  return nearest.empty() || nearest == name ? "" : "did you mean " + nearest + "?";
}

// Fills CheckedProgram::maps from the slots, in the order of first use, and the declarations.
void TypeChecker::finish_maps() {
  Diagnostics &diagnostics = compilation_.diagnostics;
  std::map<std::string, DeclaredMap> declarations;
  for (const ast::MapDeclaration *declaration : compilation_.checked.program->map_declarations) {
    if (auto known = declarations.find(declaration->name); known != declarations.end()) {
      diagnostics.emit(declaration->span, kMapRedeclared, declaration->name)
          .note(known->second.declaration->span, "declared here");
      continue;
    }
    declarations.emplace(declaration->name, check_declaration(*declaration));
  }
  for (const std::string &name : map_order_) {
    const MapSlot &map = maps_.at(name);
    warn_of_unassigned(map);
    MapInfo info;
    info.name = name;
    info.id = static_cast<uint32_t>(compilation_.checked.maps.size());
    info.key = map.is_keyed ? map.key.shape.type : nullptr;
    info.value = map.value.shape.type;
    info.span = map.span;
    if (auto found = declarations.find(name); found != declarations.end()) {
      info.declared = found->second.kind;
      info.max_entries = found->second.entries;
      info.declaration = found->second.declaration->span;
    }
    if (info.key && types_.size_of(info.key) > kMaxKeySize) {
      diagnostics.emit(map.span, kKeyTooLarge, name, types_.size_of(info.key), kMaxKeySize);
    }
    if (info.value && types_.size_of(info.value) > kMaxValueSize) {
      diagnostics.emit(map.span, kValueTooLarge, name, types_.size_of(info.value), kMaxValueSize);
    }
    compilation_.checked.maps.push_back(std::move(info));
  }
}

void check_types(Compilation &compilation, Target &target, const Options &options,
                 const std::set<std::string> &assigned) {
  TypeChecker(compilation, target, options, assigned).run();
}

}  // namespace awl::frontend
