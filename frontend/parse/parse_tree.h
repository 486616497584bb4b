// A script's parse tree, with all that has to live as long as it. Internal to this folder.
#pragma once

#include <optional>
#include <string>

#include "AwlParser.h"
#include "frontend/frontend.h"
#include "frontend/parse/token_list.h"

namespace awl::frontend {

class ParseTree {
 public:
  // Adds the text to the compilation's sources and parses it; what is wrong is reported there.
  ParseTree(Compilation &compilation, std::string name, std::string text);

  // Null: there were errors.
  grammar::AwlParser::ProgramContext *program() const { return program_; }
  SourceId source() const { return source_; }
  // The text that was lexed: conditional lines and what they exclude are blank in it.
  const std::string &code() const { return code_; }

 private:
  void parse(Diagnostics &diagnostics);

  SourceId source_ = {};
  std::string code_;
  std::optional<TokenList> tokens_;
  std::optional<grammar::AwlParser> parser_;
  grammar::AwlParser::ProgramContext *program_ = nullptr;
};

}  // namespace awl::frontend
