// Every kind of diagnostic and every builtin has a test: this one reads all the others.
#include <gtest/gtest.h>

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

bool is_name_part(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; }

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
  for (const auto &entry : fs::recursive_directory_iterator(fs::path(AWL_SOURCE_DIR) / "test" / folder)) {
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

// Builtins that no script of the run tests can call everywhere, and where their tests are.
const std::map<std::string, std::string> kNotRun = {
    {"write_user", "overwrites the memory of a process; its check is in frontend_builtins_test.cpp"},
};

TEST(Coverage, EveryBuiltinIsRun) {
  std::set<std::string> words = words_below("peer/scripts");
  words.merge(words_below("lit"));
  if (words.contains("arg0")) words.insert("argN");
  for (const Builtin &builtin : all_builtins()) {
    std::string name(builtin.name);
    if (!builtin.is_supported) continue;
    EXPECT_NE(words.contains(name), kNotRun.contains(name))
        << name << ": write test/peer/scripts/" << name << ".bt, or see kNotRun";
  }
}

TEST(Coverage, EveryMacroOfTheLibraryIsRun) {
  std::set<std::string> words = words_below("peer/scripts");
  words.merge(words_below("lit"));
  for (const StandardName &macro : standard_names()) {
    EXPECT_TRUE(words.contains(std::string(macro.name)))
        << macro.name << ": write test/peer/scripts/" << macro.name << ".bt";
  }
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
