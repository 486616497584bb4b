// The tree as text, one node a line: its kind, what tells it apart, its type once it has one.
#include <string>

#include "frontend/ast/ast.h"
#include "frontend/ast/visit.h"
#include "frontend/frontend.h"

namespace awl::frontend {

using namespace ast;

namespace {

const char *spell(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return "+";
    case BinaryOp::kSub:
      return "-";
    case BinaryOp::kMul:
      return "*";
    case BinaryOp::kDiv:
      return "/";
    case BinaryOp::kMod:
      return "%";
    case BinaryOp::kAnd:
      return "&";
    case BinaryOp::kOr:
      return "|";
    case BinaryOp::kXor:
      return "^";
    case BinaryOp::kShl:
      return "<<";
    case BinaryOp::kShr:
      return ">>";
    case BinaryOp::kEq:
      return "==";
    case BinaryOp::kNe:
      return "!=";
    case BinaryOp::kLt:
      return "<";
    case BinaryOp::kLe:
      return "<=";
    case BinaryOp::kGt:
      return ">";
    case BinaryOp::kGe:
      return ">=";
    case BinaryOp::kLogicalAnd:
      return "&&";
    case BinaryOp::kLogicalOr:
      return "||";
  }
  return "?";
}

const char *spell(UnaryOp op) {
  switch (op) {
    case UnaryOp::kNegate:
      return "-";
    case UnaryOp::kNot:
      return "!";
    case UnaryOp::kComplement:
      return "~";
    case UnaryOp::kDereference:
      return "*";
    case UnaryOp::kAddressOf:
      return "&";
    case UnaryOp::kComptime:
      return "comptime";
  }
  return "?";
}

std::string quote(const std::string &text) {
  std::string quoted = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string spell_modifiers(const std::vector<TypeSpec::Modifier> &modifiers) {
  std::string text;
  for (const TypeSpec::Modifier &modifier : modifiers) {
    auto *count = as<IntegerLiteral>(modifier.count);
    text += modifier.is_pointer ? "*"
            : !modifier.count   ? "[]"
            : count             ? fmt::format("[{}]", count->value)
                                : "[...]";
  }
  return text;
}

std::string spell(const TypeSpec &spec) {
  std::string text;
  switch (spec.base) {
    case TypeSpec::Base::kNamed:
      text = spec.name;
      break;
    case TypeSpec::Base::kStruct:
      text = "struct " + spec.name;
      break;
    case TypeSpec::Base::kUnion:
      text = "union " + spec.name;
      break;
    case TypeSpec::Base::kEnum:
      text = "enum " + spec.name;
      break;
    case TypeSpec::Base::kTypeof:
      text = spec.typeof_type ? "typeof(" + spell(*spec.typeof_type) + ")" : "typeof(...)";
      break;
  }
  return text + spell_modifiers(spec.modifiers);
}

// What a node is, without its children.
std::string describe_expression(const Expr &node) {
  switch (node.kind) {
    case NodeKind::kIntegerLiteral: {
      auto &literal = static_cast<const IntegerLiteral &>(node);
      std::string value = literal.is_negative ? std::to_string(static_cast<int64_t>(literal.value))
                                              : std::to_string(literal.value);
      return "IntegerLiteral " + value + (literal.is_duration ? " ns" : "");
    }
    case NodeKind::kBoolLiteral:
      return static_cast<const BoolLiteral &>(node).value ? "BoolLiteral true"
                                                          : "BoolLiteral false";
    case NodeKind::kStringLiteral:
      return "StringLiteral " + quote(static_cast<const StringLiteral &>(node).value);
    case NodeKind::kIdentifier: {
      auto &name = static_cast<const Identifier &>(node);
      return "Identifier " + name.name +
             (name.constant ? fmt::format(" = {}", *name.constant) : "");
    }
    case NodeKind::kPositionalParameter:
      return fmt::format("PositionalParameter ${}",
                         static_cast<const PositionalParameter &>(node).index);
    case NodeKind::kPositionalCount:
      return "PositionalCount";
    case NodeKind::kVariable:
      return "Variable " + static_cast<const Variable &>(node).name;
    case NodeKind::kMap:
      return "Map " + static_cast<const Map &>(node).name;
    case NodeKind::kMapAccess:
      return "MapAccess " + static_cast<const MapAccess &>(node).name;
    case NodeKind::kUnary:
      return std::string("Unary ") + spell(static_cast<const Unary &>(node).op);
    case NodeKind::kIncDec: {
      auto &step = static_cast<const IncDec &>(node);
      return fmt::format("IncDec {} {}", step.is_prefix ? "prefix" : "suffix",
                         step.is_increment ? "++" : "--");
    }
    case NodeKind::kBinary:
      return std::string("Binary ") + spell(static_cast<const Binary &>(node).op);
    case NodeKind::kTernary:
      return static_cast<const Ternary &>(node).then ? "Ternary" : "Ternary ?:";
    case NodeKind::kFieldAccess:
      return "FieldAccess " + static_cast<const FieldAccess &>(node).field;
    case NodeKind::kTupleAccess:
      return fmt::format("TupleAccess {}", static_cast<const TupleAccess &>(node).index);
    case NodeKind::kIndex:
      return "Index";
    case NodeKind::kCast: {
      auto &cast = static_cast<const Cast &>(node);
      std::string target = cast.target ? " (" + spell(*cast.target) + ")" : "";
      return (cast.is_implicit ? "Cast implicit" : "Cast") + target;
    }
    case NodeKind::kTuple:
      return "Tuple";
    case NodeKind::kRecord: {
      std::string text = "Record";
      for (const std::string &name : static_cast<const Record &>(node).names) text += " " + name;
      return text;
    }
    case NodeKind::kCall:
      return "Call " + static_cast<const Call &>(node).name;
    case NodeKind::kSizeof: {
      auto *spec = static_cast<const Sizeof &>(node).type_spec;
      return spec ? "Sizeof (" + spell(*spec) + ")" : "Sizeof";
    }
    case NodeKind::kOffsetof: {
      auto &offset = static_cast<const Offsetof &>(node);
      std::string text =
          offset.type_spec ? "Offsetof (" + spell(*offset.type_spec) + ") " : "Offsetof ";
      for (size_t i = 0; i < offset.path.size(); ++i) text += (i ? "." : "") + offset.path[i];
      return text;
    }
    case NodeKind::kTypeof:
      return "Typeof (" + spell(*static_cast<const Typeof &>(node).type_spec) + ")";
    case NodeKind::kBlockExpr:
      return "BlockExpr";
    default:
      return "?";
  }
}

std::string describe_statement(const Node &node) {
  switch (node.kind) {
    case NodeKind::kExprStmt:
      return "ExprStmt";
    case NodeKind::kAssign: {
      auto &compound = static_cast<const Assign &>(node).compound;
      return compound ? fmt::format("Assign {}=", spell(*compound)) : "Assign";
    }
    case NodeKind::kLet: {
      auto *spec = static_cast<const Let &>(node).type_spec;
      return spec ? "Let (" + spell(*spec) + ")" : "Let";
    }
    case NodeKind::kIf:
      return "If";
    case NodeKind::kWhile:
      return "While";
    case NodeKind::kUnroll:
      return "Unroll";
    case NodeKind::kForMap:
      return "ForMap";
    case NodeKind::kForRange:
      return "ForRange";
    case NodeKind::kBreak:
      return "Break";
    case NodeKind::kContinue:
      return "Continue";
    case NodeKind::kReturn:
      return "Return";
    case NodeKind::kDiscard:
      return "Discard";
    case NodeKind::kBlock:
      return "Block";
    default:
      return "?";
  }
}

class Dumper {
 public:
  std::string run(const Program &program) {
    line(0, "Program");
    for (const CDefinition *definition : program.c_definitions) c_definition(*definition, 1);
    for (const ConfigEntry *entry : program.config) {
      line(1, fmt::format("ConfigEntry {} = {}", entry->name, quote(entry->value)));
    }
    for (const Import *import : program.imports) line(1, "Import " + quote(import->path));
    for (const MapDeclaration *declaration : program.map_declarations) {
      line(1, fmt::format("MapDeclaration {} {}", declaration->name, declaration->map_type));
      if (declaration->max_entries) node(*declaration->max_entries, 2);
    }
    for (const Macro *macro : program.macros) this->macro(*macro);
    for (const Clause *clause : program.clauses) this->clause(*clause);
    return std::move(text_);
  }

 private:
  void line(int depth, const std::string &text) {
    text_.append(static_cast<size_t>(depth) * 2, ' ');
    text_ += text;
    text_ += '\n';
  }

  void node(const Node &node, int depth) {
    if (node.kind <= NodeKind::kBlockExpr) {
      auto &expr = static_cast<const Expr &>(node);
      line(depth, describe_expression(expr) + (expr.type ? " :: " + to_string(expr.type) : ""));
    } else {
      line(depth, describe_statement(node));
    }
    // What is assigned to first, as it is written; it is evaluated last.
    const Node *target = assigned(node);
    if (target) this->node(*target, depth + 1);
    // Nothing is changed; traversal is written once, for passes that change nodes.
    for_each_child(
        const_cast<Node &>(node),
        [&](Expr *&child) {
          if (child != target) this->node(*child, depth + 1);
        },
        [&](Stmt *&child) { this->node(*child, depth + 1); });
  }

  static const Node *assigned(const Node &node) {
    switch (node.kind) {
      case NodeKind::kAssign:
        return static_cast<const Assign &>(node).target;
      case NodeKind::kLet:
        return static_cast<const Let &>(node).variable;
      case NodeKind::kForMap:
        return static_cast<const ForMap &>(node).variable;
      case NodeKind::kForRange:
        return static_cast<const ForRange &>(node).variable;
      default:
        return nullptr;
    }
  }

  void clause(const Clause &clause) {
    line(1, "Clause");
    for (const AttachPoint *attach_point : clause.attach_points) {
      std::string alias = attach_point->alias.empty() ? "" : attach_point->alias + "=";
      line(2, "AttachPoint " + alias + attach_point->text);
    }
    if (clause.predicate) {
      line(2, "Predicate");
      node(*clause.predicate, 3);
    }
    if (clause.body) node(*clause.body, 2);
  }

  void macro(const Macro &macro) {
    std::string parameters;
    for (const MacroParameter &parameter : macro.parameters) {
      parameters += (parameters.empty() ? "" : ", ") + parameter.name;
    }
    line(1, fmt::format("Macro {}({})", macro.name, parameters));
    if (macro.body) node(*macro.body, 2);
  }

  void c_definition(const CDefinition &definition, int depth) {
    static constexpr const char *kKinds[] = {"struct",  "union",  "enum",
                                             "typedef", "define", "undef", "include"};
    std::string head =
        fmt::format("CDefinition {}", kKinds[static_cast<int>(definition.definition)]);
    if (!definition.name.empty()) head += " " + definition.name;
    if (definition.is_function_like)
      head += fmt::format("({})", fmt::join(definition.parameters, ", "));
    if (definition.is_packed) head += " packed";
    if (definition.aligned) head += fmt::format(" aligned({})", definition.aligned);
    if (definition.type) head += " = " + spell(*definition.type);
    if (!definition.text.empty()) head += " = " + quote(definition.text);
    line(depth, head);
    for (const CDefinition::Member &member : definition.members) {
      std::string type = member.type ? spell(*member.type) : spell_modifiers(member.modifiers);
      std::string text = "Member";
      if (!member.name.empty()) text += " " + member.name;
      if (!type.empty()) text += ": " + type;
      line(depth + 1, text);
      if (member.nested) c_definition(*member.nested, depth + 2);
      if (member.bit_size) node(*member.bit_size, depth + 2);
    }
    for (const CDefinition::Enumerator &enumerator : definition.enumerators) {
      line(depth + 1, "Enumerator " + enumerator.name);
      if (enumerator.value) node(*enumerator.value, depth + 2);
    }
    if (definition.nested) c_definition(*definition.nested, depth + 1);
    if (definition.value) node(*definition.value, depth + 1);
  }

  std::string text_;
};

}  // namespace

std::string dump(const Program &program) { return Dumper().run(program); }

}  // namespace awl::frontend
