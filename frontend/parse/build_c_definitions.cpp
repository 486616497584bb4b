// `#define`, `#include` and C definitions.
#include <algorithm>
#include <cctype>

#include "frontend/parse/ast_builder.h"
#include "frontend/parse/mark_tokens.h"
#include "frontend/parse/token_list.h"

namespace awl::frontend {

using namespace ast;

namespace {

AWL_DIAGNOSTIC(kBadDirective, Error, "bad-directive", "#{} needs {}", std::string, std::string);
AWL_DIAGNOSTIC(kMemberAttribute, Error, "member-attribute",
               "attributes of a single member are not supported");

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) || c == '\\'; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Words that cannot name a member: `unsigned int : 3` has no name, `int a : 3` has one.
bool is_type_word(const std::string &word) {
  static constexpr std::string_view kWords[] = {"int",    "char",     "short", "long",
                                                "signed", "unsigned", "_Bool", "bool"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

}  // namespace

// ---- preprocessor lines -------------------------------------------------------------------------

void AstBuilder::directive(antlr4::Token *token, Program *program) {
  size_t at = text_.find_first_not_of(" \t", token->getStartIndex() + 1);
  std::string_view word = text_.substr(at);
  if (word.starts_with("define")) {
    define(token, at + 6, program);
  } else if (word.starts_with("undef")) {
    undefine(token, at + 5, program);
  } else {
    include(token, at + 7, program);
  }
}

void AstBuilder::undefine(antlr4::Token *token, size_t body, Program *program) {
  size_t end = token->getStopIndex() + 1;
  while (body < end && is_blank(text_[body])) ++body;
  size_t name_begin = body;
  while (body < end && is_name(text_[body])) ++body;
  if (body == name_begin) {
    diagnostics_->emit(span(token), kBadDirective, "undef", "a name");
    return;
  }
  auto *definition = context_.make<CDefinition>(span(token));
  definition->definition = CDefinition::Kind::kUndef;
  definition->name = text_.substr(name_begin, body - name_begin);
  program->c_definitions.push_back(definition);
}

void AstBuilder::include(antlr4::Token *token, size_t body, Program *program) {
  size_t end = token->getStopIndex() + 1;
  while (body < end && is_blank(text_[body])) ++body;
  char open = body < end ? text_[body] : '\0';
  char close = open == '<' ? '>' : '"';
  size_t closed = open == '<' || open == '"' ? text_.find(close, body + 1) : std::string_view::npos;
  if (closed == std::string_view::npos || closed >= end) {
    diagnostics_->emit(span(token), kBadDirective, "include", "<file> or \"file\"");
    return;
  }
  auto *definition = context_.make<CDefinition>(span(token));
  definition->definition = CDefinition::Kind::kInclude;
  definition->is_system_include = open == '<';
  definition->name = text_.substr(body + 1, closed - body - 1);
  program->c_definitions.push_back(definition);
}

void AstBuilder::define(antlr4::Token *token, size_t body, Program *program) {
  size_t end = token->getStopIndex() + 1;
  while (end > body && is_blank(text_[end - 1])) --end;
  while (body < end && is_blank(text_[body])) ++body;
  size_t name_begin = body;
  while (body < end && is_name(text_[body])) ++body;
  if (body == name_begin || std::isdigit(static_cast<unsigned char>(text_[name_begin]))) {
    diagnostics_->emit(span(token), kBadDirective, "define", "a name");
    return;
  }
  auto *definition = context_.make<CDefinition>(
      Span{source_, static_cast<uint32_t>(token->getStartIndex()), static_cast<uint32_t>(end)});
  definition->definition = CDefinition::Kind::kDefine;
  definition->name = text_.substr(name_begin, body - name_begin);
  if (body < end && text_[body] == '(') {
    definition->is_function_like = true;
    std::string name;
    for (++body; body < end && text_[body] != ')'; ++body) {
      if (is_name(text_[body])) name += text_[body];
      if (text_[body] == ',') definition->parameters.push_back(std::exchange(name, ""));
    }
    if (!name.empty()) definition->parameters.push_back(name);
    if (body < end) ++body;
  }
  while (body < end && is_blank(text_[body])) ++body;
  definition->text = text_.substr(body, end - body);
  definition->value = define_value(body, end, *definition);
  program->c_definitions.push_back(definition);
}

// The body of a `#define` as an expression, null when it is none: it may stand for anything.
Expr *AstBuilder::define_value(size_t begin, size_t end, const CDefinition &definition) {
  if (begin == end) return nullptr;
  TokenList tokens(text_, begin, end, TokenList::Start::kCode, source_, nullptr);
  if (tokens.has_stray_characters()) return nullptr;
  mark_tokens(tokens, {definition.parameters.begin(), definition.parameters.end()});
  grammar::AwlParser parser(&tokens);
  parser.removeErrorListeners();
  parser.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
  Diagnostics ignored;
  Diagnostics *diagnostics = std::exchange(diagnostics_, &ignored);
  Expr *value = nullptr;
  try {
    value = expression(parser.constant()->expression());
  } catch (const antlr4::ParseCancellationException &) {
  } catch (const grammar::NestedTooDeeply &) {
  }
  diagnostics_ = diagnostics;
  return ignored.has_errors() ? nullptr : value;
}

// ---- C definitions ------------------------------------------------------------------------------

// What stands before the declarators: a definition in place, or the type as written.
struct AstBuilder::CSpecifier {
  CDefinition *nested = nullptr;
  TypeSpec::Base base = TypeSpec::Base::kNamed;
  std::string name;
  std::string last_word;
  size_t word_count = 0;
  Span span;
};

void AstBuilder::c_definition(Grammar::CDefinitionContext *rule, Program *program) {
  if (rule->TYPEDEF()) {
    Grammar::CSpecifierContext *words = rule->cSpecifier();
    CSpecifier specifier =
        c_specifier(words->cAggregate(), words->cEnumeration(), words->cTypeWords());
    for (Grammar::CDeclaratorContext *declarator : rule->cDeclarators()->cDeclarator()) {
      CDefinition::Member member = c_declarator(specifier, declarator);
      auto *definition = context_.make<CDefinition>(span(rule));
      definition->definition = CDefinition::Kind::kTypedef;
      definition->name = member.name;
      definition->type = member.type;
      definition->nested = member.nested;
      if (member.nested && !member.modifiers.empty()) {
        // `typedef struct { … } *T`: the struct is defined first, then the pointer to it.
        program->c_definitions.push_back(member.nested);
        definition->nested = nullptr;
        definition->type = context_.make<TypeSpec>(specifier.span);
        definition->type->base = specifier.base;
        definition->type->name = member.nested->name;
        definition->type->modifiers = member.modifiers;
      }
      program->c_definitions.push_back(definition);
    }
    return;
  }
  CDefinition *definition =
      rule->cAggregate() ? c_aggregate(rule->cAggregate()) : c_enumeration(rule->cEnumeration());
  if (definition) program->c_definitions.push_back(definition);
}

void AstBuilder::attributes(const std::vector<antlr4::tree::TerminalNode *> &list,
                            CDefinition *definition) {
  for (antlr4::tree::TerminalNode *node : list) {
    std::string attribute = text(node);
    if (attribute.find("packed") != std::string::npos) definition->is_packed = true;
    size_t at = attribute.find("aligned");
    if (at == std::string::npos) continue;
    at = attribute.find_first_of("0123456789)", at);
    // Without a number: what suits every type.
    uint32_t alignment = 0;
    for (; std::isdigit(static_cast<unsigned char>(attribute[at])) && alignment < 1u << 20; ++at) {
      alignment = alignment * 10 + static_cast<uint32_t>(attribute[at] - '0');
    }
    definition->aligned = alignment == 0 ? 16 : alignment;
  }
}

// Null for a declaration without members, `struct s;`.
CDefinition *AstBuilder::c_aggregate(Grammar::CAggregateContext *rule) {
  if (!rule->OPEN_BRACE()) return nullptr;
  Depth depth(*this, 1);
  auto *definition = context_.make<CDefinition>(span(rule));
  definition->definition = rule->UNION() ? CDefinition::Kind::kUnion : CDefinition::Kind::kStruct;
  if (rule->IDENTIFIER()) definition->name = text(rule->IDENTIFIER());
  attributes(rule->ATTRIBUTE(), definition);
  if (is_too_deep()) {
    too_deep(span(rule));
    return definition;
  }
  for (Grammar::CMemberContext *member : rule->cMember()) c_member(member, definition);
  return definition;
}

CDefinition *AstBuilder::c_enumeration(Grammar::CEnumerationContext *rule) {
  if (!rule->OPEN_BRACE()) return nullptr;
  auto *definition = context_.make<CDefinition>(span(rule));
  definition->definition = CDefinition::Kind::kEnum;
  if (rule->IDENTIFIER()) definition->name = text(rule->IDENTIFIER());
  attributes(rule->ATTRIBUTE(), definition);
  for (Grammar::CEnumeratorContext *child : rule->cEnumerator()) {
    CDefinition::Enumerator enumerator;
    enumerator.name = text(child->IDENTIFIER());
    if (child->expression()) enumerator.value = expression(child->expression());
    enumerator.span = span(child);
    definition->enumerators.push_back(enumerator);
  }
  return definition;
}

AstBuilder::CSpecifier AstBuilder::c_specifier(Grammar::CAggregateContext *aggregate,
                                               Grammar::CEnumerationContext *enumeration,
                                               Grammar::CTypeWordsContext *words) {
  CSpecifier specifier;
  if (aggregate) {
    specifier.span = span(aggregate);
    specifier.nested = c_aggregate(aggregate);
    specifier.base = aggregate->UNION() ? TypeSpec::Base::kUnion : TypeSpec::Base::kStruct;
    if (aggregate->IDENTIFIER()) specifier.name = text(aggregate->IDENTIFIER());
  } else if (enumeration) {
    specifier.span = span(enumeration);
    specifier.nested = c_enumeration(enumeration);
    specifier.base = TypeSpec::Base::kEnum;
    if (enumeration->IDENTIFIER()) specifier.name = text(enumeration->IDENTIFIER());
  } else {
    specifier.span = span(words);
    for (antlr4::tree::TerminalNode *word : words->IDENTIFIER()) {
      specifier.last_word = text(word);
      ++specifier.word_count;
      if (!specifier.name.empty()) specifier.name += ' ';
      specifier.name += specifier.last_word;
    }
  }
  return specifier;
}

void AstBuilder::c_member(Grammar::CMemberContext *rule, CDefinition *owner) {
  CSpecifier specifier = c_specifier(rule->cAggregate(), rule->cEnumeration(), rule->cTypeWords());
  if (!rule->cDeclarators()) {
    // An anonymous struct or union, whose members are the outer one's; or an enum's constants.
    if (specifier.nested) {
      CDefinition::Member member;
      member.nested = specifier.nested;
      member.span = span(rule);
      owner->members.push_back(member);
    }
    return;
  }
  std::vector<Grammar::CDeclaratorContext *> declarators = rule->cDeclarators()->cDeclarator();
  // The words of a type run up to a ':', and then the last one may be the name: `int a : 3`.
  std::string bitfield_name;
  bool has_first_name = declarators[0]->IDENTIFIER() || declarators[0]->cFunctionPointer();
  if (!has_first_name && specifier.word_count > 1 && !is_type_word(specifier.last_word)) {
    bitfield_name = specifier.last_word;
    specifier.name.resize(specifier.name.size() - bitfield_name.size() - 1);
  }
  for (Grammar::CDeclaratorContext *declarator : declarators) {
    CDefinition::Member member = c_declarator(specifier, declarator);
    if (declarator == declarators[0] && !bitfield_name.empty()) member.name = bitfield_name;
    member.span = span(rule);
    owner->members.push_back(member);
  }
}

// C writes a type around the name: `int *a[2][3]` is int, pointer, 3 times, 2 times.
CDefinition::Member AstBuilder::c_declarator(const CSpecifier &specifier,
                                             Grammar::CDeclaratorContext *rule) {
  CDefinition::Member member;
  std::vector<TypeSpec::Modifier> modifiers(rule->cPointer().size(), TypeSpec::Modifier{});
  std::vector<Grammar::CArrayContext *> arrays = rule->cArray();
  std::string base_name = specifier.name;
  TypeSpec::Base base = specifier.base;
  CDefinition *nested = specifier.nested;
  if (Grammar::CFunctionPointerContext *function = rule->cFunctionPointer()) {
    // Nobody calls it: a pointer to anything.
    base = TypeSpec::Base::kNamed;
    base_name = "void";
    nested = nullptr;
    modifiers.assign(1, TypeSpec::Modifier{});
    arrays = function->cArray();
    if (function->IDENTIFIER()) member.name = text(function->IDENTIFIER());
  } else if (rule->IDENTIFIER()) {
    member.name = text(rule->IDENTIFIER());
  }
  for (auto array = arrays.rbegin(); array != arrays.rend(); ++array) {
    Grammar::ExpressionContext *count = (*array)->expression();
    modifiers.push_back({false, count ? expression(count) : nullptr});
  }
  if (rule->expression()) member.bit_size = expression(rule->expression());
  for (antlr4::tree::TerminalNode *attribute : rule->ATTRIBUTE()) {
    std::string words = text(attribute);
    if (words.find("packed") != std::string::npos || words.find("aligned") != std::string::npos) {
      diagnostics_->emit(span(attribute), kMemberAttribute);
    }
  }
  if (nested) {
    member.nested = nested;
    member.modifiers = std::move(modifiers);
    return member;
  }
  member.type = context_.make<TypeSpec>(specifier.span);
  member.type->base = base;
  member.type->name = base_name;
  member.type->modifiers = std::move(modifiers);
  return member;
}

}  // namespace awl::frontend
