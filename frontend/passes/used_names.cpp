#include "frontend/passes/used_names.h"

#include <cctype>

#include "frontend/ast/visit.h"
#include "frontend/builtins/builtin.h"

namespace awl::frontend {
namespace {

class Collector {
 public:
  UsedNames run(ast::Program &program) {
    for (const ast::CDefinition *definition : program.c_definitions) collect(*definition);
    for (const ast::Macro *macro : program.macros) {
      names_.defined.insert(macro->name);
      for (const ast::MacroParameter &parameter : macro->parameters)
        names_.defined.insert(parameter.name);
    }
    visit(program);
    return std::move(names_);
  }

 private:
  void visit(ast::Node &node) {
    ast::for_each_child(
        node,
        [this](ast::Expr *&expr) {
          note(*expr);
          if (!take_word(*expr)) visit(*expr);
        },
        [this](ast::Stmt *&stmt) {
          if (auto *let = ast::as<ast::Let>(stmt)) add_type(let->type_spec);
          visit(*stmt);
        });
  }

  void note(const ast::Expr &expr) {
    if (auto *name = ast::as<ast::Identifier>(&expr)) {
      names_.values.insert(name->name);
    } else if (auto *call = ast::as<ast::Call>(&expr)) {
      names_.calls.emplace(call->name, call->arguments.size());
    } else if (auto *cast = ast::as<ast::Cast>(&expr)) {
      add_type(cast->target);
    } else if (auto *size = ast::as<ast::Sizeof>(&expr)) {
      add_type(size->type_spec);
    } else if (auto *offset = ast::as<ast::Offsetof>(&expr)) {
      add_type(offset->type_spec);
    } else if (auto *type = ast::as<ast::Typeof>(&expr)) {
      add_type(type->type_spec);
    }
  }

  // `kstack(perf, 3)`: the word means nothing by itself.
  static bool take_word(const ast::Expr &expr) {
    auto *call = ast::as<ast::Call>(&expr);
    const Builtin *builtin = call ? find_builtin(call->name) : nullptr;
    return builtin && builtin->takes_word;
  }

  void add_type(const ast::TypeSpec *spec) {
    if (!spec) return;
    if (spec->base == ast::TypeSpec::Base::kTypeof) {
      add_type(spec->typeof_type);
    } else {
      names_.types.emplace(spec->base, spec->name);
    }
  }

  void collect(const ast::CDefinition &definition) {
    using Kind = ast::CDefinition::Kind;
    if (definition.definition != Kind::kInclude && definition.definition != Kind::kUndef)
      names_.defined.insert(definition.name);
    for (const ast::CDefinition::Member &member : definition.members) {
      add_type(member.type);
      if (member.nested) collect(*member.nested);
    }
    for (const ast::CDefinition::Enumerator &enumerator : definition.enumerators)
      names_.defined.insert(enumerator.name);
    add_type(definition.type);
    if (definition.nested) collect(*definition.nested);
    for (const std::string &parameter : definition.parameters) names_.defined.insert(parameter);
    add_words(definition.text);
  }

  void add_words(const std::string &text) {
    std::string word;
    for (size_t i = 0; i <= text.size(); ++i) {
      const unsigned char c = i < text.size() ? static_cast<unsigned char>(text[i]) : ' ';
      if (std::isalnum(c) || c == '_') {
        word += static_cast<char>(c);
        continue;
      }
      if (!word.empty() && !std::isdigit(static_cast<unsigned char>(word[0])))
        names_.words.insert(word);
      word.clear();
    }
  }

  UsedNames names_;
};

}  // namespace

UsedNames collect_used_names(ast::Program &program) { return Collector().run(program); }

}  // namespace awl::frontend
