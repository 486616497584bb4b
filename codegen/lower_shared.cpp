// Functions in .text that do for many places what would be the same code in each.
#include "codegen/lower.h"
#include "frontend/ast/visit.h"

namespace awl::codegen {

namespace {

// A call costs some two nanoseconds a time; what a script does in so many places is worth it, as
// each place is code that is compiled, loaded and verified.
constexpr uint32_t kOften = 4;
// The kernel takes eight functions deep (MAX_CALL_FRAMES in include/linux/bpf_verifier.h); the
// function itself, what makes an entry and what counts an error come on top.
constexpr size_t kDeepest = 5;

}  // namespace

// A function in .text that does the same for every program that calls it: LLVM compiles it once,
// and each program is only as large as what sets it apart.
llvm::Function *Lowering::shared_function(const std::string &name,
                                          const std::vector<std::string> &parameters,
                                          const std::function<void(llvm::Function *)> &body) {
  auto [entry, is_new] = shared_functions_.try_emplace(name, nullptr);
  if (!is_new) return entry->second;
  Function outer_function = std::move(function_);
  llvm::Value *outer_ctx = ctx_;
  function_ = {};
  llvm::Function *function = e_.begin_callback(name, parameters, info_->clause->span);
  ctx_ = parameters.empty() ? nullptr : e_.ctx();
  body(function);
  e_.end_callback();
  function_ = std::move(outer_function);
  ctx_ = outer_ctx;
  return shared_functions_[name] = function;
}

// How often the script's text reads from maps, writes to them and deletes from them.
void Lowering::count_map_uses() {
  map_uses_.resize(program_.maps.size());
  std::unordered_set<const ast::Node *> written;
  auto uses = [&](const std::string &name) -> MapUses & { return map_uses_[map_info(name).id]; };
  auto write = [&](ast::Node *target) {
    auto *access = ast::as<ast::MapAccess>(target);
    if (access && written.insert(access).second) ++uses(access->name).writes;
  };
  for (const ProgramInfo &program : program_.programs) {
    ast::walk(*program.clause, [&](ast::Node &node) {  // parents first
      if (auto *assign = ast::as<ast::Assign>(&node)) write(assign->target);
      if (auto *step = ast::as<ast::IncDec>(&node)) write(step->target);
      auto *access = ast::as<ast::MapAccess>(&node);
      if (access && !written.contains(access)) ++uses(access->name).reads;
      auto *call = ast::as<ast::Call>(&node);
      if (!call || call->name != "delete") return;
      if (auto *map = ast::as<ast::Map>(call->arguments[0])) ++uses(map->name).deletions;
    });
  }
}

llvm::Value *Lowering::map_operation(const MapInfo &info, uint32_t MapUses::*how,
                                     const std::string &verb, const Operands &operands,
                                     const std::function<llvm::Value *(const Values &)> &body) {
  if (map_uses_.empty()) count_map_uses();
  std::vector<std::string> names;
  Values values;
  for (const auto &[name, value] : operands) {
    names.push_back(name);
    values.push_back(value);
  }
  const bool is_shared = info.key && map_uses_[info.id].*how >= kOften && e_.depth() <= kDeepest;
  if (!is_shared) return body(values);
  const std::string name = "awl_" + verb + "_" + e_.map_description(info).elf_name;
  llvm::Function *shared = shared_function(name, names, [&](llvm::Function *function) {
    Values parameters;
    for (llvm::Argument &argument : function->args()) parameters.push_back(&argument);
    e_.emit_return(body(parameters));
  });
  return b().CreateCall(shared, values);
}

ErrorCounter Lowering::update_counter(const MapInfo &info, Span span) {
  return info.key ? e_.error_counter("map update", span, true) : ErrorCounter{};
}

Lowering::Operands Lowering::with_counter(Operands operands, const ErrorCounter &counter) {
  if (!counter.site) return operands;
  operands.emplace_back("site", counter.site);
  operands.emplace_back("program", counter.program);
  return operands;
}

ErrorCounter Lowering::counter_of(const Values &values, size_t first) {
  if (values.size() < first + 2) return {};
  return {values[first], values[first + 1]};
}

}  // namespace awl::codegen
