// The machinery behind check_types, split over check_*.cpp by theme. Nothing outside of
// check_types and the builtins' checks includes this.
//
// Each function check_…() gives the type of one kind of node, null when it is not known (yet) or
// wrong. The same code runs in both phases: while types are inferred errors are silent and nothing
// is converted; in the last walk (is_final()) errors are reported and conversions put in.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "frontend/builtins/builtin.h"
#include "frontend/passes/check_types.h"
#include "frontend/passes/type_rules.h"

namespace awl::frontend {

struct MapSlot;

// The type of a variable, map key or map value as far as it is known.
struct Slot {
  Shape shape;
  bool is_fixed = false;     // declared with a type: values are converted to it or refused
  MapSlot *owner = nullptr;  // null: a variable's
};

// What is known of a map.
struct MapSlot {
  std::string name;
  Span span;             // first use
  bool is_used = false;  // as an element: is_keyed counts
  bool is_keyed = false;
  bool is_assigned = false;
  Slot key, value;
  std::unordered_set<size_t> users;  // programs to look at again when it changes
};

class TypeChecker {
 public:
  // `assigned`: see check_types.h.
  TypeChecker(Compilation &compilation, Target &target, const Options &options,
              const std::set<std::string> &assigned);
  void run();

  // ---- what the checks share
  TypeStore &types() { return types_; }
  Target &target() { return target_; }
  const Options &options() const { return options_; }
  const Config &config() const { return compilation_.checked.config; }
  ast::Context &nodes() { return compilation_.context; }
  const ProgramInfo &program() const { return *program_; }
  bool is_final() const { return is_final_; }
  // Whether what is checked now may be reached, as far as constants tell.
  bool is_reached() const { return dead_depth_ == 0; }
  // Whether a member of the value is what is wanted of it: `pkt` in `pkt.len`.
  bool is_member_object(const ast::Expr &expr) const { return member_object_ == &expr; }
  void note_probe_name() { program_->uses_probe_name = true; }

  // Whether this is the first time that the last walk asks: for what is said once of a variable, a
  // map or a feature, however often it stands in the script.
  bool is_first(const void *what) { return is_final_ && told_.insert(what).second; }

  template <class... Args>
  Diagnostics::Builder report(Span span, const DiagnosticKind<Args...> &kind,
                              const std::type_identity_t<Args> &...args) {
    if (!is_final_) return Diagnostics::Builder(nullptr);
    auto diagnostic = compilation_.diagnostics.emit(span, kind, args...);
    // In a macro: where it was called, too, from the inside out.
    for (auto call = expansions_.rbegin(); call != expansions_.rend(); ++call) {
      diagnostic.note(*call, "expanded from here");
    }
    return diagnostic;
  }

  // ---- check_expressions.cpp: sets the node's type; may put another node in its place
  // A value: an aggregation that is read becomes the integer that it stands for.
  TypeRef check(ast::Expr *&expr);
  // The same, with aggregations left as they are.
  TypeRef check_raw(ast::Expr *&expr);

  // ---- check_casts.cpp: conversions, in the last walk only; `from` and `to` go together
  // Makes the expression one of type `to`: literals take the type, all else gets a Cast.
  void convert(ast::Expr *&expr, TypeRef to);
  // An aggregation becomes the integer that it stands for, by a Cast. Done while types are
  // inferred, too: a map does not cease to be an aggregation.
  TypeRef read_aggregation(ast::Expr *&expr);
  // int64 or uint64, as the sign of the expression's type says.
  TypeRef widen(ast::Expr *&expr);
  TypeRef resolve_spec(const ast::TypeSpec &spec);
  // A parameter where only a constant will do: its value as a literal where that is known now and
  // the object need not serve others; else the parameter itself.
  ast::Expr *fix_parameter(ast::PositionalParameter &parameter);
  // Makes a parameter of an object, where that is what the expression is, one that holds text.
  void make_text(ast::Expr &expr);
  // The same where it may be either: `print($1)`.
  void make_printed(ast::Expr &expr);

  // ---- slots, check_types.cpp
  // Widens the slot by a value; in the last walk converts the value to the slot's type. False when
  // they do not go together, which is not reported here.
  bool put(Slot &slot, ast::Expr *&value);
  MapSlot &map(const std::string &name, Span span);
  Slot &variable(const ast::VariableDecl &decl);
  // The key of an element: settles that the map has keys, widens the key slot. Reports.
  bool put_key(MapSlot &map, ast::Expr *&key, Span span);
  // Settles that the map is used with or without keys. Reports.
  bool use_map(MapSlot &map, bool is_keyed, Span span);
  // Widens the slot by a value of this shape; false when they do not go together.
  bool widen_slot(Slot &slot, const Shape &shape);

  // Where pointers made from plain integers point to in this program.
  AddressSpace default_space() const;
  TypeRef integer(uint32_t bytes, bool is_signed) {
    return integers_[bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3][is_signed];
  }
  TypeRef int64() { return integer(8, true); }
  TypeRef uint64() { return integer(8, false); }

 private:
  // check_types.cpp
  void infer();
  bool settle_unassigned_maps();
  void walk_program(size_t index);
  struct DeclaredMap {
    const ast::MapDeclaration *declaration;
    MapKind kind;
    uint64_t entries;
  };
  DeclaredMap check_declaration(const ast::MapDeclaration &declaration);
  void warn_of_unassigned(const MapSlot &map);
  // What was perhaps meant, as a hint; empty: nothing.
  std::string nearest_map(const std::string &name) const;
  void finish_maps();

  // check_expressions.cpp
  TypeRef check_node(ast::Expr *&expr);
  TypeRef check_identifier(ast::Identifier &node, ast::Expr *&expr);
  TypeRef check_call(ast::Call &node, ast::Expr *&expr);
  TypeRef check_imported(ast::Call &node);
  TypeRef check_builtin(const Builtin &builtin, ast::Expr *&expr,
                        std::vector<ast::Expr *> &arguments);
  TypeRef check_parameter(ast::PositionalParameter &node);
  bool asks_for_count();
  TypeRef check_map_access(ast::MapAccess &node);
  TypeRef check_field_access(ast::FieldAccess &node);
  TypeRef check_struct_field(ast::FieldAccess &node, TypeRef object);
  TypeRef check_tuple_access(ast::TupleAccess &node);
  TypeRef check_index(ast::Index &node, ast::Expr *&expr);
  TypeRef check_tuple(ast::Tuple &node);
  TypeRef check_record(ast::Record &node);
  bool check_element(ast::Expr *&element);
  TypeRef check_sizeof(ast::Sizeof &node);
  TypeRef check_offsetof(ast::Offsetof &node);
  TypeRef check_block(ast::BlockExpr &node);

  // check_operators.cpp
  TypeRef check_unary(ast::Unary &node, ast::Expr *&expr);
  TypeRef check_address_of(ast::Unary &node);
  TypeRef check_dereference(ast::Unary &node);
  TypeRef check_inc_dec(ast::IncDec &node);
  TypeRef check_binary(ast::Binary &node);
  TypeRef check_logical(ast::Binary &node);
  TypeRef check_comparison(ast::Binary &node);
  TypeRef compare_integers(ast::Binary &node);
  TypeRef check_pointer_arithmetic(ast::Binary &node, TypeRef left, TypeRef right);
  TypeRef check_arithmetic(ast::Binary &node);
  TypeRef check_ternary(ast::Ternary &node);
  // The operand of a logical operation or condition.
  bool check_truth(ast::Expr *&expr);
  TypeRef check_presence(ast::Expr *&expr);
  TypeRef mismatch(ast::Binary &node, TypeRef left, TypeRef right);
  void warn_sign(ast::Expr &expr, TypeRef to);

  // check_comptime.cpp
  TypeRef check_comptime(ast::Unary &node, ast::Expr *&expr);
  // False when the condition is no `comptime`, and nothing has been done.
  bool check_comptime_if(ast::If &stmt);
  bool check_comptime_ternary(ast::Ternary &node, ast::Expr *&expr, TypeRef *type);
  std::optional<int64_t> comptime_value(ast::Unary &node);
  void fix_parameters(ast::Expr *&expr);
  // What a condition amounts to where that is known now, the values of parameters among it.
  std::optional<bool> known_truth(const ast::Expr &condition);

  // check_casts.cpp
  TypeRef check_cast(ast::Cast &node);
  TypeRef cast_target(ast::Cast &node, TypeRef from);

  // check_statements.cpp
  void check_clause(ast::Clause &clause);
  void check_statements(std::vector<ast::Stmt *> &statements);
  void check_statement(ast::Stmt &stmt);
  void check_expr_stmt(ast::ExprStmt &stmt);
  void check_assign(ast::Assign &assign);
  void assign_variable(ast::Assign &assign, ast::Variable &target);
  void assign_map(ast::Assign &assign, ast::MapAccess &target);
  void check_let(ast::Let &let);
  void check_if(ast::If &stmt);
  void check_while(ast::While &stmt);
  void check_unroll(ast::Unroll &stmt);
  void check_for_map(ast::ForMap &loop);
  void check_for_range(ast::ForRange &loop);
  void check_return(ast::Return &stmt);
  void check_verdict(const ast::Expr &value);
  void check_body(ast::Block &block, bool is_loop);

  Compilation &compilation_;
  Target &target_;
  const Options &options_;
  TypeStore &types_;
  TypeRef integers_[4][2];
  const std::set<std::string> &assigned_;

  std::unordered_map<const ast::VariableDecl *, Slot> variables_;
  std::map<std::string, MapSlot> maps_;
  std::vector<std::string> map_order_;  // by first use
  std::vector<bool> is_stale_;  // per program: a slot it uses has changed since its last walk

  ProgramInfo *program_ = nullptr;
  size_t program_index_ = 0;
  bool is_final_ = false;
  const ast::Expr *member_object_ = nullptr;
  std::optional<bool> asks_for_count_;  // whether `$#` stands in the script; null: not known yet
  bool is_format_ = false;  // the literal being checked is a format string: of any length
  std::unordered_set<const void *> told_;
  std::vector<Span> expansions_;  // calls of the macros whose bodies are being checked
  int loop_depth_ = 0;
  int dead_depth_ = 0;     // branches around that are known not to be reached
  uint64_t unrolled_ = 1;  // product of the counts of the unroll statements around
};

}  // namespace awl::frontend
