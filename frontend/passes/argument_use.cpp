#include "frontend/passes/argument_use.h"

#include <algorithm>

#include "frontend/ast/visit.h"

namespace awl::frontend {

ArgumentUse find_use(ast::Clause &clause, std::string_view name_of_all) {
  ArgumentUse use;
  std::set<const ast::Node *> seen;
  ast::walk(clause, [&](ast::Node &node) {
    if (auto *access = ast::as<ast::FieldAccess>(&node)) {
      auto *object = ast::as<ast::Identifier>(access->object);
      if (object && object->name == name_of_all) {
        use.fields.insert(access->field);
        seen.insert(object);
      }
    }
    auto *call = ast::as<ast::Call>(&node);
    auto *name = ast::as<ast::Identifier>(&node);
    if ((call && call->name == "retval") || (name && name->name == "retval")) {
      use.retval = node.span;
    }
    if (!name || name->name != name_of_all) return;
    use.is_used = true;
    if (!use.first) use.first = name->span;
    if (!seen.contains(name)) use.is_whole = true;
  });
  return use;
}

std::optional<uint32_t> word_number(const std::string &field) {
  if (field.size() != 4 || !field.starts_with("arg")) return std::nullopt;
  uint32_t number = static_cast<uint32_t>(field[3] - '0');
  return number < kWordCount ? std::optional(number) : std::nullopt;
}

void take_entry_names_from_args(ast::Clause &clause) {
  ast::walk(clause, [](ast::Node &node) {
    auto *access = ast::as<ast::FieldAccess>(&node);
    if (!access || word_number(access->field)) return;
    auto *object = ast::as<ast::Identifier>(access->object);
    if (object && object->name == "entry") object->name = "args";
  });
}

bool uses_only_words(const ArgumentUse &use) {
  return !use.is_whole && std::all_of(use.fields.begin(), use.fields.end(),
                                      [](const auto &field) { return word_number(field); });
}

}  // namespace awl::frontend
