#include "frontend/builtins/config.h"

#include <string>
#include <utility>
#include <vector>

#include "frontend/types/type_names.h"

namespace awl::frontend {
namespace {

ast::Expr *number(TypeChecker &checker, Span span, uint64_t value) {
  ast::Context &nodes = checker.nodes();
  auto *type = nodes.make<ast::TypeSpec>(span);
  type->name = "uint64";
  return nodes.make<ast::Cast>(span, type, nodes.make<ast::IntegerLiteral>(span, value));
}

// In the order in which the record prints.
std::vector<std::pair<std::string, ast::Expr *>> values(TypeChecker &checker, Span span) {
  const Config &config = checker.config();
  ast::Context &nodes = checker.nodes();
  auto flag = [&](bool value) -> ast::Expr * { return nodes.make<ast::BoolLiteral>(span, value); };
  auto text = [&](std::string value) -> ast::Expr * {
    return nodes.make<ast::StringLiteral>(span, std::move(value));
  };
  auto count = [&](uint64_t value) { return number(checker, span, value); };
  return {
      {"cpp_demangle", flag(config.cpp_demangle)},
      {"lazy_symbolication", flag(config.lazy_symbolication)},
      {"print_maps_on_exit", flag(config.print_maps_on_exit)},
      {"show_debug_info", flag(config.show_debug_info)},
      {"log_size", count(config.log_size)},
      {"max_bpf_progs", count(config.max_bpf_progs)},
      {"max_cat_bytes", count(config.max_cat_bytes)},
      {"max_map_keys", count(config.max_map_keys)},
      {"max_probes", count(config.max_probes)},
      {"max_strlen", count(config.max_strlen)},
      {"on_stack_limit", count(config.on_stack_limit)},
      {"perf_rb_pages", count(config.perf_rb_pages)},
      {"str_trunc_trailer", text(config.str_trunc_trailer)},
      {"unstable_tseries", text(config.unstable_tseries)},
      {"unstable_dw_ustack", text(config.unstable_dw_ustack)},
      {"missing_probes", text(config.missing_probes)},
      {"stack_mode", text(stack_mode_name(config.stack_mode))},
      {"license", text(config.license)},
      {"cache_user_symbols", text(config.cache_user_symbols)},
  };
}

}  // namespace

ast::Expr *config_record(TypeChecker &checker, Span span) {
  auto *record = checker.nodes().make<ast::Record>(span);
  for (auto &[name, value] : values(checker, span)) {
    record->names.push_back(name);
    record->elements.push_back(value);
  }
  return record;
}

ast::Expr *config_value(TypeChecker &checker, const ast::FieldAccess &node) {
  auto *object = ast::as<ast::Identifier>(node.object);
  if (!object || object->name != "config" || object->constant) return nullptr;
  for (auto &[name, value] : values(checker, node.span)) {
    if (name == node.field) return value;
  }
  return nullptr;
}

}  // namespace awl::frontend
