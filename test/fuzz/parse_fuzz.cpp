// Random and mutated scripts through the parser: no crash, no hang, whatever the bytes.
//
//   awl_parse_fuzz N SEED [CORPUS_FOLDER]
//
// makes N scripts from the corpus, the words of the language and plain noise, parses each, renders
// what the parser says about it and dumps the tree. A script that takes longer than the bound, or a
// wrong script about which nothing is said, is written out and fails the run; a crash names the
// number of the script, so that `awl_parse_fuzz N SEED` finds it again. Built with AWL_LIBFUZZER
// the same check is a libFuzzer target.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "frontend/diagnostics/renderer.h"
#include "frontend/frontend.h"

namespace {

using namespace awl::frontend;

constexpr double kMaxSeconds = 2;         // for a script of at most this size, on a busy machine
constexpr size_t kMaxScriptSize = 16384;  // bytes

// Parses one script. False when the outcome contradicts itself.
bool check(const std::string &script) {
  Compilation compilation;
  ast::Program *program = parse(compilation, "fuzz", script);
  bool has_errors = compilation.diagnostics.has_errors();
  for (const Diagnostic &diagnostic : compilation.diagnostics.all()) {
    if (diagnostic.span.begin > diagnostic.span.end || diagnostic.span.end > script.size() ||
        diagnostic.message.empty() || render(diagnostic, compilation.sources).empty()) {
      return false;
    }
  }
  if (program) dump(*program);
  return (program == nullptr) == has_errors;
}

const char *const kWords[] = {
    "begin",
    "BEGIN",
    "end",
    "kprobe:f",
    "uprobe:/bin/sh:main",
    "tracepoint:a:*",
    "interval:1s",
    "if",
    "else",
    "for",
    "while",
    "unroll",
    "let",
    "return",
    "break",
    "continue",
    "macro",
    "config",
    "import",
    "struct",
    "union",
    "enum",
    "typedef",
    "sizeof",
    "offsetof",
    "typeof",
    "typeinfo",
    "true",
    "false",
    "const",
    "int",
    "uint8",
    "pid",
    "args",
    "count()",
    "print",
    "printf",
    "x",
    "_",
    "$x",
    "$1",
    "$#",
    "@",
    "@x",
    "@x[1]",
    "\"s\"",
    "\"%d\\n\"",
    "0",
    "1",
    "0x1f",
    "1e6",
    "1_000",
    "5ms",
    "08",
    "9z",
    "99999999999999999999",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    ":",
    ",",
    ".",
    "->",
    "..",
    "?",
    "=",
    "==",
    "+=",
    "<<=",
    "++",
    "--",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "~",
    "&",
    "|",
    "&&",
    "||",
    "<<",
    ">>",
    "<",
    ">",
    "\n",
    "\n#define A 1\n",
    "\n#define F(x) (x\n",
    "\n#if 1\n",
    "\n#ifdef B\n",
    "\n#elif A + (\n",
    "\n#else\n",
    "\n#endif\n",
    "\n#include <a.h>\n",
    "//",
    "/*",
    "*/",
    "#!",
    "\"",
    "'",
    "\\",
    "$",
    "#",
    "__attribute__((packed))",
    " ",
    "\t",
    "\r\n",
    "\xc3\xa9",
    "\xff",
    "\x01",
    "uint64 *)",
    "(struct s *)",
};

class Generator {
 public:
  Generator(uint64_t seed, std::vector<std::string> corpus)
      : random_(seed), corpus_(std::move(corpus)) {}

  std::string script() {
    std::string text;
    switch (below(10)) {
      case 0:
        text = noise(below(300));
        break;
      case 1:
      case 2:
        text = words(below(200));
        break;
      case 3:
        text = "begin { " + words(below(60)) + " }";
        break;
      case 4:
        text = nested();
        break;
      default:
        text = mutated();
        break;
    }
    if (text.size() > kMaxScriptSize) text.resize(kMaxScriptSize);
    return text;
  }

 private:
  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  std::string word() { return kWords[below(std::size(kWords))]; }

  std::string noise(size_t length) {
    std::string text;
    for (size_t i = 0; i < length; ++i) text += static_cast<char>(below(256));
    return text;
  }

  std::string words(size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += word() + (below(3) ? " " : "");
    return text;
  }

  // One thing inside itself, closed or not.
  std::string nested() {
    static const char *const kPairs[][2] = {
        {"(", ")"},
        {"[", "]"},
        {"{", "}"},
        {"f(", ")"},
        {"@x[", "]"},
        {"-", ""},
        {"!", ""},
        {"(int)", ""},
        {"sizeof(", ")"},
        {"if 1 {", "}"},
        {"a?b:", ""},
        {"1+", ""},
        {"a.", ""},
        {"else if 1 {}", ""},
        {"(a=", ")"},
        {"struct s {", "};"},
        {"typeof(", ")"},
        {"(int[", "])"},
        {"for $i : 0..1 {", "}"},
    };
    auto &pair = kPairs[below(std::size(kPairs))];
    size_t depth = 1 + below(800);
    std::string text = below(2) ? "begin { $x = " : "begin { ";
    for (size_t i = 0; i < depth; ++i) text += pair[0];
    text += below(2) ? "1" : word();
    for (size_t i = 0; i < depth - below(2); ++i) text += pair[1];
    return text + (below(4) ? " }" : "");
  }

  std::string mutated() {
    if (corpus_.empty()) return words(100);
    std::string text = corpus_[below(corpus_.size())];
    for (size_t i = 1 + below(6); i > 0; --i) mutate(text);
    return text;
  }

  void mutate(std::string &text) {
    size_t at = below(text.size() + 1);
    size_t length = below(std::min<size_t>(text.size() - at, 1 + below(60)) + 1);
    switch (below(8)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, word());
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      case 3:
        text.insert(below(text.size() + 1), text.substr(at, length));
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 5:
        text.replace(at, length, word());
        break;
      case 6:
        text.resize(at);
        break;
      default:
        text.insert(at, corpus_[below(corpus_.size())].substr(0, below(200)));
        break;
    }
  }

  std::mt19937_64 random_;
  std::vector<std::string> corpus_;
};

std::vector<std::string> read_corpus(const std::filesystem::path &folder) {
  std::vector<std::filesystem::path> paths;
  for (auto &entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  // The order of a folder is nobody's; a seed must give the same scripts everywhere.
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const std::filesystem::path &path : paths) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    corpus.push_back(text.str());
  }
  return corpus;
}

}  // namespace

#ifdef AWL_LIBFUZZER
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!check(std::string(reinterpret_cast<const char *>(data), size))) std::abort();
  return 0;
}
#else
int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s N SEED [CORPUS_FOLDER]\n", argv[0]);
    return 2;
  }
  unsigned long count = std::strtoul(argv[1], nullptr, 10);
  std::vector<std::string> corpus = read_corpus(argc > 3 ? argv[3] : AWL_FUZZ_CORPUS);
  for (const std::string &script : corpus) {
    Compilation compilation;
    if (parse(compilation, "corpus", script)) continue;
    std::printf("a script of the corpus does not parse:\n");
    for (const Diagnostic &diagnostic : compilation.diagnostics.all()) {
      std::printf("%s", render(diagnostic, compilation.sources).c_str());
    }
    return 1;
  }
  Generator generator(std::strtoull(argv[2], nullptr, 10), std::move(corpus));
  double slowest = 0;
  for (unsigned long i = 0; i < count; ++i) {
    std::string script = generator.script();
    if (std::getenv("AWL_FUZZ_VERBOSE")) std::fprintf(stderr, "script %lu\n", i);
    auto start = std::chrono::steady_clock::now();
    bool is_consistent = check(script);
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    slowest = std::max(slowest, took.count());
    if (is_consistent && took.count() <= kMaxSeconds) continue;
    std::printf("script %lu %s:\n%s\n", i, is_consistent ? "took too long" : "contradicts itself",
                script.c_str());
    return 1;
  }
  std::printf("%lu scripts, the slowest took %.1f ms\n", count, slowest * 1000);
  return 0;
}
#endif
