// The way from a script's text to its AST.
#include "frontend/frontend.h"
#include "frontend/parse/ast_builder.h"
#include "frontend/parse/mark_tokens.h"
#include "frontend/parse/parse_tree.h"
#include "frontend/parse/preprocess.h"
#include "frontend/parse/syntax_errors.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kScriptTooLarge, Error, "script-too-large", "the script is larger than {} MiB",
               uint32_t);

// No script that a person wrote comes near; offsets are 32 bits wide.
constexpr uint32_t kMaxMebibytes = 64;

}  // namespace

ParseTree::ParseTree(Compilation &compilation, std::string name, std::string text) {
  Diagnostics &diagnostics = compilation.diagnostics;
  size_t errors_before = diagnostics.error_count();
  bool is_too_large = text.size() > size_t{kMaxMebibytes} << 20;
  if (is_too_large) text.clear();
  source_ = compilation.sources.add(std::move(name), std::move(text));
  if (is_too_large) {
    diagnostics.emit({source_, 0, 0}, kScriptTooLarge, kMaxMebibytes);
    return;
  }
  // Conditional lines go first, then text becomes tokens, then the ambiguous ones are marked.
  code_ = preprocess(compilation.sources.source(source_).text(), source_, diagnostics,
                     compilation.ask_headers, compilation.sources.source(source_).name());
  tokens_.emplace(code_, 0, code_.size(), TokenList::Start::kScript, source_, &diagnostics);
  mark_tokens(*tokens_);
  parse(diagnostics);
  // A tree with holes is not built from.
  if (diagnostics.error_count() > errors_before) program_ = nullptr;
}

void ParseTree::parse(Diagnostics &diagnostics) {
  parser_.emplace(&*tokens_);
  parser_->removeErrorListeners();
  parser_->setErrorHandler(std::make_shared<SyntaxErrors>(*tokens_, source_, diagnostics));
  parser_->getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(
      antlr4::atn::PredictionMode::SLL);
  try {
    program_ = parser_->program();
  } catch (const TooManyErrors &) {
  } catch (const grammar::NestedTooDeeply &nested) {
    diagnostics.emit(token_span(nested.token, source_), kNestedTooDeeply);
  }
}

ast::Program *parse(Compilation &compilation, std::string name, std::string text) {
  Diagnostics &diagnostics = compilation.diagnostics;
  size_t errors_before = diagnostics.error_count();
  ParseTree tree(compilation, std::move(name), std::move(text));
  if (!tree.program()) return nullptr;
  ast::Program *program = AstBuilder(compilation.context, diagnostics, tree.source(), tree.code())
                              .program(tree.program());
  return diagnostics.error_count() > errors_before ? nullptr : program;
}

}  // namespace awl::frontend
