// Items, attach points and types.
#include "frontend/parse/ast_builder.h"
#include "frontend/parse/literals.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kConfigTwice, Error, "config-twice", "there is a config block already");
AWL_DIAGNOSTIC(kConfigLate, Error, "config-late",
               "the config block must come before probes, macros and maps");

using namespace ast;
using Lexer = grammar::AwlParser;  // the parser knows the same token types

std::string AstBuilder::string(antlr4::tree::TerminalNode *node) {
  return decode_string(text(node), span(node), *diagnostics_);
}

Expr *AstBuilder::too_deep(Span span) {
  if (!has_reported_depth_) diagnostics_->emit(span, kNestedTooDeeply);
  has_reported_depth_ = true;
  return context_.make<IntegerLiteral>(span, 0);
}

Program *AstBuilder::program(Grammar::ProgramContext *rule) {
  auto *program = context_.make<Program>(Span{source_, 0, static_cast<uint32_t>(text_.size())});
  for (Grammar::ItemContext *child : rule->item()) item(child, program);
  return program;
}

void AstBuilder::item(Grammar::ItemContext *rule, Program *program) {
  if (auto *child = rule->clause()) {
    program->clauses.push_back(clause(child));
  } else if (auto *definition = rule->cDefinition()) {
    c_definition(definition, program);
  } else if (auto *line = rule->DIRECTIVE()) {
    directive(line->getSymbol(), program);
  } else if (auto *config = rule->configBlock()) {
    config_block(config, program);
  } else if (auto *import = rule->importStatement()) {
    program->imports.push_back(import_statement(import));
  } else if (auto *declaration = rule->mapDeclaration()) {
    program->map_declarations.push_back(map_declaration(declaration));
  } else if (auto *macro = rule->macroDefinition()) {
    program->macros.push_back(macro_definition(macro));
  }
}

void AstBuilder::config_block(Grammar::ConfigBlockContext *rule, Program *program) {
  const Span word = span(rule->CONFIG());
  const bool is_late =
      !program->clauses.empty() || !program->macros.empty() || !program->map_declarations.empty();
  if (program->config_span) {
    diagnostics_->emit(word, kConfigTwice).note(*program->config_span, "it is here");
  } else if (is_late) {
    diagnostics_->emit(word, kConfigLate);
  }
  program->config_span = word;
  for (Grammar::ConfigEntryContext *child : rule->configEntry()) {
    auto *entry = context_.make<ConfigEntry>(span(child));
    entry->name = text(child->IDENTIFIER());
    Grammar::ConfigValueContext *value = child->configValue();
    entry->value_span = span(value);
    if (value->STRING()) {
      entry->value = string(value->STRING());
    } else if (value->NUMBER()) {
      Number number = decode_number(text(value->NUMBER()), span(value->NUMBER()), *diagnostics_);
      entry->value = (value->MINUS() ? "-" : "") + std::to_string(number.value);
    } else {
      entry->value = text(value->getStart());
    }
    program->config.push_back(entry);
  }
}

Import *AstBuilder::import_statement(Grammar::ImportStatementContext *rule) {
  auto *import = context_.make<Import>(span(rule));
  import->path = string(rule->STRING());
  return import;
}

MapDeclaration *AstBuilder::map_declaration(Grammar::MapDeclarationContext *rule) {
  auto *declaration = context_.make<MapDeclaration>(span(rule));
  declaration->name = text(rule->MAP());
  declaration->map_type = text(rule->IDENTIFIER());
  declaration->type_span = span(rule->IDENTIFIER());
  declaration->max_entries = expression(rule->expression());
  return declaration;
}

Macro *AstBuilder::macro_definition(Grammar::MacroDefinitionContext *rule) {
  auto *macro = context_.make<Macro>(span(rule));
  macro->name = text(rule->IDENTIFIER());
  macro->name_span = span(rule->IDENTIFIER());
  for (Grammar::MacroParameterContext *child : rule->macroParameter()) {
    MacroParameter::Kind kind = child->VARIABLE() ? MacroParameter::Kind::kVariable
                                : child->MAP()    ? MacroParameter::Kind::kMap
                                                  : MacroParameter::Kind::kExpression;
    macro->parameters.push_back({kind, text(child->getStart()), span(child)});
  }
  macro->body = block_expression(span(rule->block()), rule->block()->statements());
  return macro;
}

// ---- clauses ------------------------------------------------------------------------------------

Clause *AstBuilder::clause(Grammar::ClauseContext *rule) {
  auto *clause = context_.make<Clause>(span(rule));
  for (Grammar::AttachPointContext *child : rule->attachPoint()) {
    clause->attach_points.push_back(attach_point(child));
  }
  if (rule->expression()) clause->predicate = expression(rule->expression());
  clause->body = block(rule->block());
  return clause;
}

AttachPoint *AstBuilder::attach_point(Grammar::AttachPointContext *rule) {
  auto *attach_point = context_.make<AttachPoint>(span(rule));
  std::vector<antlr4::tree::TerminalNode *> names = rule->PROVIDER();
  if (names.size() > 1) attach_point->alias = text(names[0]);
  attach_point->provider = text(names.back());
  attach_point->text = attach_point->provider;
  for (antlr4::tree::TerminalNode *part : rule->PART()) {
    attach_point_part(part->getSymbol(), attach_point);
  }
  return attach_point;
}

// `:part`, whose quotes are left out but in the text as written.
void AstBuilder::attach_point_part(antlr4::Token *token, AttachPoint *attach_point) {
  Span place = span(token);
  std::string written = text(token);
  size_t blanks = written.find_first_not_of(" \t", 1);
  if (blanks == std::string::npos) blanks = written.size();
  written = written.substr(blanks);
  place.begin += static_cast<uint32_t>(blanks);
  std::string part;
  bool is_quoted = false;
  for (size_t i = 0; i < written.size(); ++i) {
    if (written[i] == '"') {
      is_quoted = !is_quoted;
    } else {
      if (is_quoted && written[i] == '\\' && i + 1 < written.size()) ++i;
      part += written[i];
    }
  }
  attach_point->parts.push_back(part);
  attach_point->part_spans.push_back(place);
  attach_point->text += ":" + written;
}

// ---- types --------------------------------------------------------------------------------------

TypeSpec *AstBuilder::type_specification(Grammar::TypeSpecificationContext *rule) {
  auto *spec = context_.make<TypeSpec>(span(rule));
  base_type(rule->baseType(), spec);
  for (Grammar::ModifierContext *child : rule->modifier()) {
    spec->modifiers.push_back(modifier(child));
  }
  return spec;
}

void AstBuilder::base_type(Grammar::BaseTypeContext *rule, TypeSpec *spec) {
  if (rule->TYPEOF()) {
    spec->base = TypeSpec::Base::kTypeof;
    spec->typeof_type = type_or_expression(rule->typeOrExpression(), &spec->typeof_expr);
    return;
  }
  if (rule->STRUCT()) spec->base = TypeSpec::Base::kStruct;
  if (rule->UNION()) spec->base = TypeSpec::Base::kUnion;
  if (rule->ENUM()) spec->base = TypeSpec::Base::kEnum;
  for (antlr4::tree::TerminalNode *word : rule->IDENTIFIER()) {
    if (!spec->name.empty()) spec->name += ' ';
    spec->name += text(word);
  }
}

TypeSpec::Modifier AstBuilder::modifier(Grammar::ModifierContext *rule) {
  if (rule->STAR()) return {true, nullptr};
  return {false, rule->expression() ? expression(rule->expression()) : nullptr};
}

}  // namespace awl::frontend
