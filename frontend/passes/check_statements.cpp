// Statements: assignments, conditions, loops.
#include "frontend/builtins/check_builtin.h"
#include "frontend/passes/evaluate_constant.h"
#include "frontend/passes/type_checker.h"
#include "frontend/probes/network.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kAssignMismatch, Error, "assign-mismatch",
               "Type mismatch for {}: trying to assign value of type '{}' when {} already has a "
               "type '{}'",
               std::string_view, std::string, std::string_view, std::string);
AWL_DIAGNOSTIC(kNotAssignable, Error, "not-assignable",
               "Value '{}' cannot be assigned to a variable or map", std::string);
AWL_DIAGNOSTIC(kAggregationCopied, Error, "aggregation-copied",
               "Map value '{}' cannot be assigned from one map to another. The function that "
               "returns this type must be called directly.",
               std::string);
AWL_DIAGNOSTIC(kDifferentParameters, Error, "aggregation-parameters",
               "{}() with different parameters in a single map: {}", std::string_view,
               std::string_view);
AWL_DIAGNOSTIC(kResultDiscarded, Warning, "result-discarded", "Return value discarded.");
AWL_DIAGNOSTIC(kUnreachable, Warning, "unreachable", "Unreachable statement.");
AWL_DIAGNOSTIC(kWhileDeprecated, Warning, "while-deprecated",
               "While loops are deprecated and may be removed in the future.");
AWL_DIAGNOSTIC(kUnrollCount, Error, "unroll-count", "The count of unroll must be a constant");
AWL_DIAGNOSTIC(kUnrollRange, Error, "unroll-range", "unroll {} is {}, found {}", std::string_view,
               int64_t, int64_t);
AWL_DIAGNOSTIC(kUnrollNested, Error, "unroll-nested",
               "These unroll statements multiply to {} copies, more than the {} that are possible",
               uint64_t, uint64_t);
AWL_DIAGNOSTIC(kOutsideLoop, Error, "outside-loop", "'{}' is only allowed inside of a loop",
               std::string_view);
AWL_DIAGNOSTIC(kLoopScalarMap, Error, "loop-scalar-map",
               "{} has no explicit keys (scalar map), and cannot be used for iteration",
               std::string_view);
AWL_DIAGNOSTIC(kLoopUndefinedMap, Error, "loop-undefined-map", "Undefined map: {}",
               std::string_view);
AWL_DIAGNOSTIC(kLoopType, Error, "loop-type", "Loop expression does not support type: {}",
               std::string);
AWL_DIAGNOSTIC(kRangeType, Error, "range-type", "Loop range requires integers, found {}",
               std::string);
AWL_DIAGNOSTIC(kVerdict, Error, "verdict",
               "what a security hook returns decides whether something may be done");
AWL_DIAGNOSTIC(kVerdictUnsafe, Error, "verdict-unsafe",
               "{} probes only observe: a value would be a verdict on the packet or call",
               std::string_view);
AWL_DIAGNOSTIC(kVerdictRange, Error, "verdict-range",
               "a verdict of {} is a number from {} to {}, found {}", std::string_view, int64_t,
               int64_t, int64_t);
AWL_DIAGNOSTIC(kReturnType, Error, "return-type",
               "Probe return values can only be integers. Found {}", std::string);

namespace {

constexpr int64_t kMaxUnroll = 100;
constexpr uint64_t kMaxUnrolled = 10000;

// Whether nothing after the statement is reached.
bool is_end(const ast::Stmt &stmt) {
  switch (stmt.kind) {
    case ast::NodeKind::kReturn:
    case ast::NodeKind::kBreak:
    case ast::NodeKind::kContinue:
      return true;
    case ast::NodeKind::kExprStmt: {
      auto *call = ast::as<ast::Call>(static_cast<const ast::ExprStmt &>(stmt).expr);
      return call && call->name == "exit";
    }
    default:
      return false;
  }
}

// Whether an expression statement that drops its value is worth a warning. `delete` is mostly
// used for what it does.
bool is_dropped_value(const ast::Expr &expr) {
  if (!expr.type || expr.type->kind == TypeKind::kVoid) return false;
  if (expr.kind == ast::NodeKind::kIncDec || expr.kind == ast::NodeKind::kTernary) return false;
  auto *call = ast::as<ast::Call>(&expr);
  return !call || call->name != "delete";
}

}  // namespace

void TypeChecker::check_clause(ast::Clause &clause) {
  if (clause.predicate) check_truth(clause.predicate);
  check_statements(clause.body->statements);
}

void TypeChecker::check_statements(std::vector<ast::Stmt *> &statements) {
  for (size_t i = 0; i < statements.size(); ++i) {
    check_statement(*statements[i]);
    if (i > 0 && is_end(*statements[i - 1])) report(statements[i]->span, kUnreachable);
  }
}

void TypeChecker::check_statement(ast::Stmt &stmt) {
  switch (stmt.kind) {
    case ast::NodeKind::kExprStmt:
      return check_expr_stmt(static_cast<ast::ExprStmt &>(stmt));
    case ast::NodeKind::kAssign:
      return check_assign(static_cast<ast::Assign &>(stmt));
    case ast::NodeKind::kLet:
      return check_let(static_cast<ast::Let &>(stmt));
    case ast::NodeKind::kIf:
      return check_if(static_cast<ast::If &>(stmt));
    case ast::NodeKind::kWhile:
      return check_while(static_cast<ast::While &>(stmt));
    case ast::NodeKind::kUnroll:
      return check_unroll(static_cast<ast::Unroll &>(stmt));
    case ast::NodeKind::kForMap:
      return check_for_map(static_cast<ast::ForMap &>(stmt));
    case ast::NodeKind::kForRange:
      return check_for_range(static_cast<ast::ForRange &>(stmt));
    case ast::NodeKind::kReturn:
      return check_return(static_cast<ast::Return &>(stmt));
    case ast::NodeKind::kDiscard:
      check(static_cast<ast::Discard &>(stmt).value);
      return;
    case ast::NodeKind::kBlock:
      return check_statements(static_cast<ast::Block &>(stmt).statements);
    case ast::NodeKind::kBreak:
      if (loop_depth_ == 0) report(stmt.span, kOutsideLoop, "break");
      return;
    case ast::NodeKind::kContinue:
      if (loop_depth_ == 0) report(stmt.span, kOutsideLoop, "continue");
      return;
    default:
      return;
  }
}

void TypeChecker::check_expr_stmt(ast::ExprStmt &stmt) {
  if (auto *call = ast::as<ast::Call>(stmt.expr)) call->is_result_used = false;
  check(stmt.expr);
  if (is_dropped_value(*stmt.expr)) report(stmt.expr->span, kResultDiscarded);
}

void TypeChecker::check_assign(ast::Assign &assign) {
  if (auto *access = ast::as<ast::MapAccess>(assign.target)) return assign_map(assign, *access);
  if (auto *target = ast::as<ast::Variable>(assign.target)) return assign_variable(assign, *target);
}

void TypeChecker::assign_variable(ast::Assign &assign, ast::Variable &target) {
  TypeRef type = check(assign.value);
  if (!type || !target.decl) return;
  if (type->kind == TypeKind::kVoid || type->is_aggregation()) {
    report(assign.span, kNotAssignable, to_string(type));
    return;
  }
  Slot &slot = variable(*target.decl);
  if (!put(slot, assign.value)) {
    if (is_first(&slot)) {
      report(assign.span, kAssignMismatch, target.name, to_string(type), "variable",
             to_string(slot.shape.type));
    }
    return;
  }
  target.type = slot.shape.type;
  if (is_final_) target.decl->type = target.type;
}

void TypeChecker::assign_map(ast::Assign &assign, ast::MapAccess &target) {
  MapSlot &slot = map(target.name, target.span);
  slot.is_assigned = true;
  auto *call = ast::as<ast::Call>(assign.value);
  const Builtin *aggregation = call ? find_builtin(call->name) : nullptr;
  if (aggregation && !aggregation->is_aggregation) aggregation = nullptr;
  TypeRef type = nullptr;
  if (aggregation) {
    bool is_known = true;
    for (ast::Expr *&argument : call->arguments) is_known &= check(argument) != nullptr;
    if (is_known) type = check_builtin(*aggregation, assign.value, call->arguments);
    assign.value->type = type;
  } else {
    type = check_raw(assign.value);
  }
  bool has_key =
      target.key ? put_key(slot, target.key, target.span) : use_map(slot, false, target.span);
  if (!type || !has_key) return;
  if (!aggregation && type->is_aggregation()) {
    report(assign.span, kAggregationCopied, to_string(type))
        .hint("cast it to an integer if you want the value of the aggregation: (int64)" +
              std::string(ast::as<ast::MapAccess>(assign.value)
                              ? ast::as<ast::MapAccess>(assign.value)->name
                              : "@x"));
    return;
  }
  const bool is_empty = type->kind == TypeKind::kTuple && type->fields.empty();
  if (type->kind == TypeKind::kVoid || is_empty) {
    report(assign.span, kNotAssignable, to_string(type));
    return;
  }
  TypeRef known = slot.value.shape.type;
  bool is_put = false;
  if (aggregation) {
    // A literal argument leaves the sign of the aggregation open.
    bool is_flexible =
        !call->arguments.empty() && shape_of(types_, *call->arguments[0]).is_flexible;
    Shape shape{type, is_flexible, {}};
    is_put = is_final_ ? known && unify(types_, slot.value.shape, shape).has_value()
                       : widen_slot(slot.value, shape);
    if (is_put && is_final_) {
      call->type = known;
      bool is_signed = known->is_signed || known->kind >= TypeKind::kHist;
      if (!call->arguments.empty()) convert(call->arguments[0], integer(8, is_signed));
    }
  } else {
    is_put = put(slot.value, assign.value);
  }
  target.type = slot.value.shape.type;
  if (is_put || !is_first(&slot.value)) return;
  if (known && known->kind == type->kind && known->is_aggregation()) {
    report(assign.value->span, kDifferentParameters, aggregation->name, target.name);
  } else {
    report(assign.span, kAssignMismatch, target.name, to_string(type), "map", to_string(known));
  }
}

void TypeChecker::check_let(ast::Let &let) {
  ast::VariableDecl *decl = let.variable->decl;
  if (!decl) return;
  Slot &slot = variable(*decl);
  if (let.type_spec) {
    TypeRef type = resolve_spec(*let.type_spec);
    if (!type) return;
    if (is_final_) let.type_spec->type = type;
    if (type->is_string() && type->size == 0) {
      // As large as the largest value that is assigned.
      widen_slot(slot, {types_.string(1), false, {}});
    } else if (type->is_pointer()) {
      // Where it points to comes from the values.
      widen_slot(slot, {type, false, {}});
    } else if (!slot.is_fixed) {
      slot.shape = {type, false, {}};
      slot.is_fixed = true;
      is_stale_[program_index_] = true;
    }
  }
  if (let.value) {
    TypeRef type = check(let.value);
    if (type && (type->kind == TypeKind::kVoid || type->is_aggregation())) {
      report(let.span, kNotAssignable, to_string(type));
    } else if (type && !put(slot, let.value) && is_first(&slot)) {
      report(let.span, kAssignMismatch, decl->name, to_string(type), "variable",
             to_string(slot.shape.type));
    }
  }
  let.variable->type = slot.shape.type;
  if (is_final_) decl->type = slot.shape.type;
}

void TypeChecker::check_if(ast::If &stmt) {
  if (check_comptime_if(stmt)) return;
  check_truth(stmt.condition);
  std::optional<bool> truth = known_truth(*stmt.condition);
  bool is_then_dead = truth && !*truth, is_otherwise_dead = truth && *truth;
  dead_depth_ += is_then_dead;
  check_statements(stmt.then->statements);
  dead_depth_ += is_otherwise_dead - is_then_dead;
  if (stmt.otherwise) check_statement(*stmt.otherwise);
  dead_depth_ -= is_otherwise_dead;
}

void TypeChecker::check_body(ast::Block &block, bool is_loop) {
  loop_depth_ += is_loop;
  check_statements(block.statements);
  loop_depth_ -= is_loop;
}

void TypeChecker::check_while(ast::While &stmt) {
  report(stmt.span, kWhileDeprecated)
      .hint(
          "for loops support ranges, `for ($x : $start..$end) { … }`, and are easily proven to "
          "be bounded");
  check_truth(stmt.condition);
  check_body(*stmt.body, true);
}

void TypeChecker::check_unroll(ast::Unroll &stmt) {
  check(stmt.count);
  if (auto *parameter = ast::as<ast::PositionalParameter>(stmt.count)) {
    stmt.count = fix_parameter(*parameter);
  } else if (auto value = evaluate_constant(types_, *stmt.count)) {
    auto *count =
        nodes().make<ast::IntegerLiteral>(stmt.count->span, static_cast<uint64_t>(*value));
    count->is_negative = *value < 0;
    count->type = int64();
    stmt.count = count;
  }
  uint64_t outer = unrolled_;
  auto *literal = ast::as<ast::IntegerLiteral>(stmt.count);
  if (!literal) {
    report(stmt.count->span, kUnrollCount);
  } else if (literal->is_negative || literal->value < 1) {
    report(stmt.count->span, kUnrollRange, "minimum value", 1,
           static_cast<int64_t>(literal->value));
  } else if (literal->value > kMaxUnroll) {
    report(stmt.count->span, kUnrollRange, "maximum value", kMaxUnroll,
           static_cast<int64_t>(literal->value));
  } else {
    unrolled_ *= literal->value;
    if (unrolled_ > kMaxUnrolled && outer <= kMaxUnrolled) {
      report(stmt.span, kUnrollNested, unrolled_, kMaxUnrolled);
    }
  }
  check_body(*stmt.body, false);
  unrolled_ = outer;
}

void TypeChecker::check_for_map(ast::ForMap &loop) {
  MapSlot &slot = map(loop.map->name, loop.map->span);
  loop.map->type = slot.value.shape.type;
  TypeRef value = slot.value.shape.type;
  if (slot.is_used && !slot.is_keyed) {
    report(loop.map->span, kLoopScalarMap, slot.name);
    return;
  }
  TypeRef key = slot.key.shape.type;
  if (!key || !value) {
    if (!compilation_.diagnostics.has_errors()) {
      report(loop.map->span, kLoopUndefinedMap, slot.name).hint(nearest_map(slot.name));
    }
    return;
  }
  if (value->is_aggregation() && !value->is_integer_aggregation()) {
    report(loop.map->span, kLoopType, to_string(value));
    return;
  }
  if (value->is_aggregation()) value = integer(8, value->is_signed);
  // Not a slot that is assigned to: always exactly what the map holds.
  Slot &variable_slot = variable(*loop.variable->decl);
  TypeRef pair = types_.tuple({key, value});
  if (variable_slot.shape.type != pair) {
    variable_slot.shape = {pair, false, {}};
    variable_slot.is_fixed = true;
    is_stale_[program_index_] = true;
  }
  loop.variable->type = pair;
  if (is_final_) loop.variable->decl->type = pair;
  check_body(*loop.body, true);
}

void TypeChecker::check_for_range(ast::ForRange &loop) {
  TypeRef begin = check(loop.begin), end = check(loop.end);
  for (ast::Expr *side : {loop.begin, loop.end}) {
    if (!side->type || side->type->is_integer()) continue;
    report(side->span, kRangeType, to_string(side->type));
    return;
  }
  if (begin && end && loop.variable->decl) {
    Shape both{unify_integers(types_, shape_of(types_, *loop.begin), shape_of(types_, *loop.end)),
               false,
               {}};
    TypeRef type = integer(8, both.type->is_signed);
    Slot &slot = variable(*loop.variable->decl);
    widen_slot(slot, {type, false, {}});
    type = slot.shape.type;
    if (type->is_integer()) {
      convert(loop.begin, type);
      convert(loop.end, type);
    }
    loop.variable->type = type;
    if (is_final_) loop.variable->decl->type = type;
  }
  check_body(*loop.body, true);
}

// What a network program returns decides what becomes of the packet or the call.
void TypeChecker::check_verdict(const ast::Expr &value) {
  const ProbeSpec &probe = program_->probes.front();
  if (!options_.allow_unsafe) {
    report(value.span, kVerdictUnsafe, family_name(probe.family))
        .hint("leave with a plain `return`, or use the --unsafe flag to allow it");
    return;
  }
  std::optional<VerdictRange> range = verdict_range(probe.family, probe.category);
  std::optional<int64_t> verdict = evaluate_constant(types_, value);
  if (!range || !verdict || (*verdict >= range->least && *verdict <= range->most)) return;
  report(value.span, kVerdictRange, probe.name, range->least, range->most, *verdict);
}

void TypeChecker::check_return(ast::Return &stmt) {
  if (!stmt.value) return;
  TypeRef type = check(stmt.value);
  if (!type) return;
  if (!type->is_integral()) {
    report(stmt.value->span, kReturnType, to_string(type));
    return;
  }
  if (program_->probes.front().family == ProbeFamily::kLsm && !options_.allow_unsafe) {
    report(stmt.value->span, kVerdict).hint("--unsafe allows it");
    return;
  }
  if (is_network(program_->probes.front().family)) check_verdict(*stmt.value);
  widen(stmt.value);
}

}  // namespace awl::frontend
