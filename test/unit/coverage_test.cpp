// Every kind of diagnostic and every builtin has a test: this one reads all the others.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "frontend/builtins/builtin.h"
#include "frontend/diagnostics/diagnostic.h"
#include "frontend/stdlib/standard_library.h"

namespace awl::frontend {
namespace {

namespace fs = std::filesystem;

bool is_name_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
}

// What stands between other characters: names, and ids with their hyphens.
void add_words(const std::string &text, std::set<std::string> &words) {
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && is_name_part(text[end])) ++end;
    if (end > i) words.insert(text.substr(i, end - i));
    i = end + 1;
  }
}

// The words of all files below a folder of test/. This file explains gaps, and does not fill them.
std::set<std::string> words_below(const std::string &folder) {
  std::set<std::string> words;
  for (const auto &entry :
       fs::recursive_directory_iterator(fs::path(AWL_SOURCE_DIR) / "test" / folder)) {
    if (!entry.is_regular_file() || entry.path().filename() == "coverage_test.cpp") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    add_words(text.str(), words);
    // fail_no_probes.bt is the test of no-probes.
    std::string name = entry.path().stem();
    if (!name.starts_with("fail_")) continue;
    name.erase(0, 5);
    for (char &c : name) c = c == '_' ? '-' : c;
    words.insert(name);
  }
  return words;
}

TEST(Coverage, EveryDiagnosticHasATest) {
  std::set<std::string> words = words_below("unit");
  words.merge(words_below("lit"));
  for (const DiagnosticKindBase *kind : all_diagnostic_kinds()) {
    EXPECT_TRUE(words.contains(kind->id)) << "write test/lit/errors/fail_*.bt for " << kind->id;
  }
}

std::string read(const fs::path &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A script's text without strings and comments.
std::string code_of(const std::string &script) {
  std::string code;
  for (size_t i = 0; i < script.size(); ++i) {
    if (script[i] == '"') {
      while (++i < script.size() && script[i] != '"') i += script[i] == '\\';
      code += "\"\"";
    } else if (script.compare(i, 2, "//") == 0) {
      i = std::min(script.find('\n', i), script.size());
    } else if (script.compare(i, 2, "/*") == 0) {
      i = std::min(script.find("*/", i), script.size());
    } else {
      code += script[i];
    }
  }
  return code;
}

// The scripts of RUN lines that trace: `%awl …`, neither expected to fail nor stopped before.
void add_run_scripts(const std::string &test, std::vector<std::string> &scripts) {
  std::stringstream lines(test);
  for (std::string line; std::getline(lines, line);) {
    size_t command = line.find("RUN: ");
    bool is_traced = command != std::string::npos && line.find("%awl") != std::string::npos &&
                     line.find("not %awl") == std::string::npos &&
                     line.find("hermetic") == std::string::npos &&
                     line.find("--stop-after") == std::string::npos;
    if (!is_traced) continue;
    for (size_t at = line.find("-e '"); at != std::string::npos; at = line.find("-e '", at + 4)) {
      scripts.push_back(line.substr(at + 4, line.find('\'', at + 4) - at - 4));
    }
  }
}

// The examples of a document that say what they print: run-examples runs those.
void add_examples(const std::string &document, std::vector<std::string> &scripts) {
  for (size_t at = document.find("\n```awl"); at != std::string::npos;
       at = document.find("\n```awl", at + 1)) {
    size_t begin = document.find('\n', at + 1) + 1, end = document.find("\n```\n", begin);
    if (end == std::string::npos) return;
    size_t next = end + 5;
    if (document.compare(next, 9, "```output") == 0 ||
        document.compare(next, 11, "```messages") == 0) {
      scripts.push_back(document.substr(begin, end - begin));
    }
  }
}

std::vector<std::string> scripts_that_are_run() {
  std::vector<std::string> scripts;
  fs::path root(AWL_SOURCE_DIR);
  for (const char *folder : {"test/peer/scripts", "test/lit/Inputs", "test/lit/run/Inputs"}) {
    for (const auto &entry : fs::directory_iterator(root / folder)) {
      if (entry.path().extension() == ".bt") scripts.push_back(read(entry.path()));
    }
  }
  for (const auto &entry : fs::directory_iterator(root / "test/lit/run")) {
    if (entry.is_regular_file()) add_run_scripts(read(entry.path()), scripts);
  }
  for (const auto &entry : fs::directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") add_examples(read(entry.path()), scripts);
  }
  for (std::string &script : scripts) script = code_of(script);
  return scripts;
}

// Whether a script calls `name`, or names it as a value: members, variables and parts of probes of
// that name are others.
bool uses(const std::string &script, const std::string &name, bool needs_arguments) {
  for (size_t at = script.find(name); at != std::string::npos; at = script.find(name, at + 1)) {
    char before = at > 0 ? script[at - 1] : ' ';
    bool is_range = at > 1 && script.compare(at - 2, 2, "..") == 0;
    if (is_name_part(before) || before == '$' || before == '@' || before == ':' ||
        (before == '.' && !is_range) || (before == '>' && at > 1 && script[at - 2] == '-')) {
      continue;
    }
    size_t after = at + name.size();
    if (after < script.size() && is_name_part(script[after])) continue;
    if (!needs_arguments || (after < script.size() && script[after] == '(')) return true;
  }
  return false;
}

// Builtins that no script of the run tests can call everywhere, and where their tests are.
const std::map<std::string, std::string> kNotRun = {
    {"write_user",
     "overwrites the memory of a process; its check is in frontend_builtins_test.cpp"},
};

TEST(Coverage, EveryBuiltinIsRun) {
  const std::vector<std::string> scripts = scripts_that_are_run();
  ASSERT_GT(scripts.size(), 500u);
  for (const Builtin &builtin : all_builtins()) {
    std::string name(builtin.name == "argN" ? "arg0" : builtin.name);
    bool is_run = std::any_of(scripts.begin(), scripts.end(), [&](const std::string &script) {
      return uses(script, name, builtin.min_arguments > 0);
    });
    EXPECT_NE(is_run, kNotRun.contains(name))
        << name << ": write test/peer/scripts/" << name << ".bt, or see kNotRun";
  }
}

TEST(Coverage, EveryMacroOfTheLibraryIsRun) {
  const std::vector<std::string> scripts = scripts_that_are_run();
  for (const StandardName &macro : standard_names()) {
    std::string name(macro.name);
    EXPECT_TRUE(std::any_of(scripts.begin(), scripts.end(),
                            [&](const std::string &script) { return uses(script, name, false); }))
        << name << ": write test/peer/scripts/" << name << ".bt";
  }
}

TEST(Coverage, WhatCountsAsAUse) {
  EXPECT_TRUE(uses(code_of("begin { print(len(@m)); }"), "len", true));
  EXPECT_TRUE(uses("for ($i : 0..ncpus) { }", "ncpus", false));
  EXPECT_FALSE(uses(code_of("begin { print(\"len(x)\"); } // len(1)"), "len", true));
  EXPECT_FALSE(uses("begin { print($x.len); @len(1) }", "len", true));
  EXPECT_FALSE(uses("usdt:app:count(1)", "count", false));
  std::vector<std::string> scripts;
  add_run_scripts("# RUN: not %awl -e 'begin { a }'\n# RUN: %awl -e 'begin { b }' | x\n", scripts);
  add_examples("\n```awl\nc\n```\n```output\n1\n```\n\n```awl\nd\n```\n", scripts);
  EXPECT_EQ(scripts, (std::vector<std::string>{"begin { b }", "c"}));
}

// The text below a heading `## name` of docs/stdlib.md, up to the next one; empty: no such heading.
std::string documentation_of(const std::string &document, std::string_view name) {
  std::string heading = "\n## " + std::string(name) + "\n";
  size_t begin = document.find(heading);
  if (begin == std::string::npos) return "";
  size_t end = document.find("\n## ", begin + heading.size());
  return document.substr(begin, end == std::string::npos ? end : end - begin);
}

TEST(Coverage, EveryBuiltinIsDocumentedWithItsSignature) {
  std::ifstream file(std::string(AWL_SOURCE_DIR) + "/docs/stdlib.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const Builtin &builtin : all_builtins()) {
    std::string section = documentation_of(text.str(), builtin.name);
    std::string signature = "`" + std::string(builtin.signature) + "`";
    EXPECT_NE(section.find(signature), std::string::npos)
        << "docs/stdlib.md: ## " << builtin.name << " wants " << signature;
  }
  for (const StandardFile &source : standard_files()) {
    std::vector<std::string> signatures;
    std::stringstream lines{std::string(source.text)};
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("//: ")) signatures.push_back(line.substr(4));
      if (!line.starts_with("macro ")) continue;
      std::string name = line.substr(6, line.find('(') - 6);
      std::string section = documentation_of(text.str(), name);
      EXPECT_FALSE(section.empty()) << "docs/stdlib.md lacks ## " << name;
      for (const std::string &signature : signatures) {
        EXPECT_NE(section.find("`" + signature + "`"), std::string::npos)
            << "docs/stdlib.md: ## " << name << " wants `" << signature << "`";
      }
      signatures.clear();
    }
  }
}

}  // namespace
}  // namespace awl::frontend
