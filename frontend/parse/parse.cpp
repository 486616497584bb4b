// The way from a script's text to its AST.
#include "frontend/frontend.h"
#include "frontend/parse/ast_builder.h"
#include "frontend/parse/mark_tokens.h"
#include "frontend/parse/preprocess.h"
#include "frontend/parse/syntax_errors.h"
#include "frontend/parse/token_list.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kScriptTooLarge, Error, "script-too-large", "the script is larger than {} MiB",
               uint32_t);

// No script that a person wrote comes near; offsets are 32 bits wide.
constexpr uint32_t kMaxMebibytes = 64;

}  // namespace

ast::Program *parse(Compilation &compilation, std::string name, std::string text) {
  Diagnostics &diagnostics = compilation.diagnostics;
  size_t errors_before = diagnostics.error_count();
  bool is_too_large = text.size() > size_t{kMaxMebibytes} << 20;
  if (is_too_large) text.clear();
  SourceId source = compilation.sources.add(std::move(name), std::move(text));
  if (is_too_large) {
    diagnostics.emit({source, 0, 0}, kScriptTooLarge, kMaxMebibytes);
    return nullptr;
  }

  // Conditional lines go first, then text becomes tokens, then the ambiguous ones are marked.
  std::string code = preprocess(compilation.sources.source(source).text(), source, diagnostics);
  TokenList tokens(code, 0, code.size(), TokenList::Start::kScript, source, &diagnostics);
  mark_tokens(tokens);

  grammar::AwlParser parser(&tokens);
  parser.removeErrorListeners();
  parser.setErrorHandler(std::make_shared<SyntaxErrors>(tokens, source, diagnostics));
  parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(
      antlr4::atn::PredictionMode::SLL);
  try {
    grammar::AwlParser::ProgramContext *tree = parser.program();
    // A tree with holes is not built from.
    if (diagnostics.error_count() > errors_before) return nullptr;
    ast::Program *program =
        AstBuilder(compilation.context, diagnostics, source, code).program(tree);
    return diagnostics.error_count() > errors_before ? nullptr : program;
  } catch (const TooManyErrors &) {
  } catch (const grammar::NestedTooDeeply &nested) {
    diagnostics.emit(token_span(nested.token, source), kNestedTooDeeply);
  }
  return nullptr;
}

}  // namespace awl::frontend
