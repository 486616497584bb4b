#include "frontend/passes/collect_parameters.h"

#include "frontend/ast/visit.h"
#include "frontend/builtins/builtin.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kOptionDefault, Error, "option-default",
               "Option '{}' needs the same default in all places where it is used",
               std::string_view);

namespace {

ParameterInfo::Kind kind_of(TypeRef type) {
  if (type->is_string()) return ParameterInfo::Kind::kString;
  return type->kind == TypeKind::kBool ? ParameterInfo::Kind::kBool : ParameterInfo::Kind::kInteger;
}

ParameterInfo option_info(const ast::Call &call) {
  ParameterInfo info;
  info.name = static_cast<const ast::StringLiteral &>(*call.arguments[0]).value;
  info.is_positional = false;
  info.kind = kind_of(call.type);
  if (call.arguments.size() > 1) {
    const ast::Expr *fallback = call.arguments[1];
    if (auto *number = ast::as<ast::IntegerLiteral>(fallback)) {
      info.default_integer = static_cast<int64_t>(number->value);
    } else if (auto *text = ast::as<ast::StringLiteral>(fallback)) {
      info.default_string = text->value;
    } else if (auto *flag = ast::as<ast::BoolLiteral>(fallback)) {
      info.default_integer = flag->value;
    }
  }
  if (call.arguments.size() > 2) {
    info.description = static_cast<const ast::StringLiteral &>(*call.arguments[2]).value;
  }
  return info;
}

class Collector {
 public:
  explicit Collector(Compilation &compilation)
      : diagnostics_(compilation.diagnostics), parameters_(compilation.checked.parameters) {}

  void visit(ast::Node &node) {
    if (auto *parameter = ast::as<ast::PositionalParameter>(&node); parameter && parameter->type) {
      ParameterInfo info;
      info.name = std::to_string(parameter->index);
      info.kind = kind_of(parameter->type);
      if (parameter->is_printed) {
        info.kind = ParameterInfo::Kind::kPrinted;
        info.default_string = "0";
      }
      add(std::move(info));
    }
    auto *call = ast::as<ast::Call>(&node);
    if (!call || call->name != "getopt" || !call->type) return;
    ParameterInfo info = option_info(*call);
    ParameterInfo &known = add(info);
    if (known.kind != info.kind || known.default_integer != info.default_integer ||
        known.default_string != info.default_string) {
      diagnostics_.emit(call->span, kOptionDefault, info.name);
    }
    if (known.description.empty()) known.description = info.description;
  }

 private:
  ParameterInfo &add(ParameterInfo info) {
    for (ParameterInfo &known : parameters_) {
      bool is_same = known.is_positional == info.is_positional && known.name == info.name;
      if (is_same && (!info.is_positional || known.kind == info.kind)) return known;
    }
    info.id = static_cast<uint32_t>(parameters_.size());
    parameters_.push_back(std::move(info));
    return parameters_.back();
  }

  Diagnostics &diagnostics_;
  std::vector<ParameterInfo> &parameters_;
};

}  // namespace

void collect_parameters(Compilation &compilation) {
  Collector collector(compilation);
  for (ProgramInfo &program : compilation.checked.programs) {
    ast::walk(*program.clause, [&](ast::Node &node) { collector.visit(node); });
  }
}

}  // namespace awl::frontend
