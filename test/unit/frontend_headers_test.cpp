// C headers: finding them, calling clang, reading what it says and makes.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/deferred_signals.h"
#include "base/dwarf/object_image.h"
#include "base/find_program.h"
#include "base/helper_program.h"
#include "fake_target.h"
#include "frontend/headers/clang.h"
#include "frontend/headers/header_types.h"
#include "frontend/headers/kernel_headers.h"
#include "frontend/headers/read_headers.h"
#include "frontend/parse/condition.h"
#include "frontend/parse/preprocess.h"

namespace awl::frontend {
namespace {

namespace fs = std::filesystem;

// Sets a variable of the environment for the time of a test.
class Environment {
 public:
  Environment(const char *name, const char *value) : name_(name) {
    if (const char *before = getenv(name)) before_ = before;
    value ? setenv(name, value, 1) : unsetenv(name);
  }
  ~Environment() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }

 private:
  const char *name_;
  std::optional<std::string> before_;
};

TEST(HelperProgram, InputAndOutput) {
  Result<HelperOutcome> outcome =
      run_helper({"/bin/sh", "-c", "cat; echo oops >&2; exit 3"}, "some text", 10);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 3);
  EXPECT_EQ(outcome->output, "some text");
  EXPECT_EQ(outcome->messages, "oops\n");
}

TEST(HelperProgram, Failures) {
  EXPECT_FALSE(run_helper({"/nosuch/program"}, "", 10));
  Result<HelperOutcome> killed = run_helper({"/bin/sh", "-c", "kill -9 $$"}, "", 10);
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->exit_code, 128 + 9);
  Result<HelperOutcome> late = run_helper({"/bin/sleep", "1000"}, "", 0);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ETIMEDOUT);
}

// In a process of its own, which a signal then ends.
TEST(HelperProgram, SignalsWaitUntilAllIsCleanedUp) {
  char name[] = "/tmp/awl-deferred-XXXXXX";
  const std::string folder = mkdtemp(name), begun = folder + "/begun";
  const pid_t child = fork();
  if (child == 0) {
    struct Cleanup {
      std::string folder;
      ~Cleanup() { fs::remove_all(folder); }
    };
    signal(SIGINT, SIG_DFL);  // a shell's background jobs ignore it
    const DeferredSignals signals;
    const Cleanup cleanup{folder};
    const Result<HelperOutcome> outcome =
        run_helper({"/bin/sh", "-c", "kill -INT $PPID; sleep 100"}, "", 50);
    if (outcome || outcome.error().code != EINTR) _exit(1);
    // Nothing more is begun.
    if (run_helper({"/usr/bin/touch", begun}, "", 50)) _exit(2);
    if (fs::exists(begun)) _exit(5);
    if (!fs::exists(folder)) _exit(3);
  }
  if (child == 0) _exit(4);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
  EXPECT_FALSE(fs::exists(folder));
}

TEST(HelperProgram, NohupKeepsItsMeaning) {
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGHUP, &ignore, &before);
  const Result<HelperOutcome> outcome =
      run_helper({"/bin/sh", "-c", "kill -HUP $PPID; sleep 0.1; echo done"}, "", 50);
  sigaction(SIGHUP, &before, nullptr);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->output, "done\n");
}

TEST(FindProgram, InPathBelowRoot) {
  Environment path("PATH", ":bin:.:/nosuch:/usr/bin:/bin");
  EXPECT_EQ(*find_program("sh"), "/usr/bin/sh");
  EXPECT_EQ(*find_program("sh", "/proc/self/root"), "/proc/self/root/usr/bin/sh");
  EXPECT_EQ(*find_program("/bin/sh"), "/bin/sh");
  EXPECT_EQ(find_program("no-such-program").error().message,
            "there is no program no-such-program in $PATH");
  EXPECT_FALSE(find_program(""));
}

TEST(FindProgram, OnlyWhatCanBeExecuted) {
  EXPECT_EQ(find_program("/etc").error().code, EISDIR);
  EXPECT_EQ(find_program("/etc/passwd").error().message,
            "cannot run /etc/passwd: Permission denied");
  EXPECT_EQ(find_program("/no/such").error().code, ENOENT);
  // A relative entry, and a file of that name in the current folder.
  Environment path("PATH", ".");
  const fs::path before = fs::current_path();
  fs::current_path("/bin");
  EXPECT_FALSE(find_program("sh"));
  fs::current_path(before);
}

TEST(Clang, IsFoundByEnvironmentThenPath) {
  {
    Environment path("PATH", "/nosuch");
    Environment chosen("AWL_CLANG", nullptr);
    EXPECT_EQ(find_clang(), "");
  }
  Environment chosen("AWL_CLANG", "/bin/sh");
  EXPECT_EQ(find_clang(), "/bin/sh");
}

TEST(Clang, Messages) {
  std::vector<ClangMessage> messages = parse_clang_messages(
      "In file included from <stdin>:3:\n"
      "In file included from /a/b.h:7:\n"
      "/a/c:d.h:12:5: error: unknown type name 'x'\n"
      "<stdin>:4:10: fatal error: 'nosuch.h' file not found\n"
      "/a/c.h:1:1: warning: not this one\n"
      "2 errors generated.\n");
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].file, "/a/c:d.h");
  EXPECT_EQ(messages[0].line, 12u);
  EXPECT_EQ(messages[0].column, 5u);
  EXPECT_EQ(messages[0].text, "unknown type name 'x'");
  EXPECT_EQ(messages[0].input_line, 3u);
  EXPECT_EQ(messages[1].text, "'nosuch.h' file not found");
  EXPECT_EQ(messages[1].input_line, 4u);
}

struct KernelHeadersTest : testing::Test {
  KernelHeadersTest()
      : source("AWL_KERNEL_SOURCE", nullptr), peer("BPFTRACE_KERNEL_SOURCE", nullptr) {
    char pattern[] = "/tmp/awl-headers-XXXXXX";
    root = fs::canonical(mkdtemp(pattern));
  }
  ~KernelHeadersTest() override { fs::remove_all(root); }
  void touch(const std::string &path) {
    fs::create_directories(fs::path(root + path).parent_path());
    std::ofstream(root + path) << "\n";
  }
  Environment source, peer;
  std::string root;
};

TEST_F(KernelHeadersTest, WhereDistributionsPutThem) {
  EXPECT_FALSE(find_kernel_headers("6.1", root));
  touch("/usr/src/kernels/6.1/include/linux/kconfig.h");
  EXPECT_EQ(find_kernel_headers("6.1", root).source, root + "/usr/src/kernels/6.1");
  // Debian: what the build made and the sources are two folders.
  touch("/usr/src/linux-headers-6.1.0-18-cloud-amd64/include/generated/autoconf.h");
  touch("/usr/src/linux-headers-6.1.0-18-common/include/linux/kconfig.h");
  KernelHeaders debian = find_kernel_headers("6.1.0-18-cloud-amd64", root);
  EXPECT_EQ(debian.source, root + "/usr/src/linux-headers-6.1.0-18-common");
  EXPECT_EQ(debian.build, root + "/usr/src/linux-headers-6.1.0-18-cloud-amd64");
  fs::create_directories(root + "/lib/modules/6.2");
  fs::create_directory_symlink(root + "/usr/src/kernels/6.1", root + "/lib/modules/6.2/build");
  EXPECT_EQ(find_kernel_headers("6.2", root).build, root + "/usr/src/kernels/6.1");
}

TEST_F(KernelHeadersTest, FromTheKernelItself) {
  touch("/include/linux/kconfig.h");
  const std::string archive = root + "/headers.tar";
  ASSERT_EQ(system(("tar -cf " + archive + " -C " + root + " include").c_str()), 0);
  std::string unpacked;
  {
    UnpackedHeaders headers;
    unpacked = headers.unpack(archive).source;
    EXPECT_TRUE(fs::exists(unpacked + "/include/linux/kconfig.h"));
  }
  ASSERT_NE(unpacked, "");
  EXPECT_FALSE(fs::exists(unpacked));
  EXPECT_FALSE(UnpackedHeaders().unpack(root + "/nosuch.tar"));
}

TEST_F(KernelHeadersTest, FromTheEnvironment) {
  touch("/modules/build/include/linux/kconfig.h");
  Environment named("BPFTRACE_KERNEL_SOURCE", (root + "/modules").c_str());
  EXPECT_EQ(find_kernel_headers("6.1").source, root + "/modules/build");
  Environment build("BPFTRACE_KERNEL_BUILD", "/other");
  EXPECT_EQ(find_kernel_headers("6.1").build, "/other");
}

TEST(KernelHeaders, Names) {
  EXPECT_TRUE(is_kernel_header("linux/sched.h"));
  EXPECT_TRUE(is_kernel_header("net/sock.h"));
  EXPECT_FALSE(is_kernel_header("net/if.h"));
  EXPECT_FALSE(is_kernel_header("sys/socket.h"));
  EXPECT_FALSE(is_kernel_header("mine.h"));
}

TEST(ObjectImage, Malformed) {
  std::string image;
  EXPECT_FALSE(relocate_debug_sections(image));
  image = std::string(
              "\x7f"
              "ELF\2\1",
              6) +
          std::string(200, '\xff');
  EXPECT_FALSE(relocate_debug_sections(image));
  EXPECT_EQ(object_section(image, ".BTF"), "");
  EXPECT_FALSE(hide_functions(image));
}

TEST(Condition, MacrosWithParameters) {
  PreprocessorMacros macros;
  macros["MAX"] = {"((a) > (b) ? (a) : (b))", {"a", "b"}, true};
  macros["TWICE"] = {"MAX(x, 0) * 2", {"x"}, true};
  macros["FIVE"] = {"5", {}, false};
  macros["NONE"] = {"7", {}, true};
  macros["LOOP"] = {"LOOP(x)", {"x"}, true};
  EXPECT_EQ(evaluate_condition("MAX(3, FIVE) == 5", macros), 1);
  EXPECT_EQ(evaluate_condition("TWICE(1 + 2) + 1", macros), 7);
  EXPECT_EQ(evaluate_condition("NONE() && defined(MAX)", macros), 1);
  EXPECT_EQ(evaluate_condition("MAX(1)", macros), std::nullopt);
  EXPECT_EQ(evaluate_condition("MAX", macros), std::nullopt);
  EXPECT_EQ(evaluate_condition("LOOP(1)", macros), std::nullopt);
}

TEST(Preprocess, AsksHeaders) {
  Diagnostics diagnostics;
  std::string lines, condition;
  AskHeaders ask = [&](const std::string &seen, const std::string &asked) {
    lines = seen;
    condition = asked;
    return std::optional(true);
  };
  std::string text = preprocess(
      "#define A 1\n#include <x.h>\n#if A\na\n#endif\n#if HERE > A\nb\n#else\nc\n#endif\n", 0,
      diagnostics, ask);
  EXPECT_NE(text.find("\nb\n"), std::string::npos);
  EXPECT_EQ(text.find("\nc\n"), std::string::npos);
  EXPECT_EQ(lines, "#define A 1\n#include <x.h>\n");
  EXPECT_EQ(condition, "#if HERE > A");
  // What the text decides, and what comes before any header, is no question.
  condition.clear();
  preprocess("#ifdef HERE\n#endif\n#include <x.h>\n#ifndef BPFTRACE_HAVE_BTF\n#endif\n", 0,
             diagnostics, ask);
  EXPECT_EQ(condition, "");
}

// With a clang at hand; lit tests say aloud when there is none.
struct ReadHeadersTest : testing::Test {
  void SetUp() override {
    if (find_clang().empty()) GTEST_SKIP() << "no clang here";
    char pattern[] = "/tmp/awl-headers-XXXXXX";
    folder = mkdtemp(pattern);
  }
  ~ReadHeadersTest() override {
    if (!folder.empty()) fs::remove_all(folder);
  }
  HeaderProduct read(const std::string &header, std::vector<MacroUse> macros = {}) {
    std::ofstream(folder + "/x.h") << header;
    HeaderRequest request;
    request.lines.push_back({"#include \"" + folder + "/x.h\"", "x.h", Span{}, false});
    request.macros = std::move(macros);
    return read_headers(request, {});
  }
  std::string folder;
};

TEST_F(ReadHeadersTest, Macros) {
  HeaderProduct product = read(
      "#define JOIN(a, b) a##b\n#define WIDE JOIN(1, UL)\n#define TEXT \"a\\\"b\"\n"
      "#define TWICE(x) ((x) * 2)\nenum { SELF };\n#define SELF SELF\n",
      {{"WIDE", std::nullopt},
       {"TEXT", std::nullopt},
       {"TWICE", 1},
       {"SELF", std::nullopt},
       {"NOSUCH", std::nullopt}});
  ASSERT_TRUE(product.failures.empty()) << product.failures[0].message;
  std::vector<std::string> found;
  for (const HeaderMacro &macro : product.macros) found.push_back(macro.definition);
  EXPECT_EQ(found, (std::vector<std::string>{"WIDE 1UL", "TEXT \"a\\\"b\"",
                                             "TWICE(awl_0) ((awl_0) * 2)"}));
}

TEST_F(ReadHeadersTest, Types) {
  HeaderProduct product = read(
      "struct s { int a; struct { unsigned x : 3, y : 5; }; struct later *p; char name[4]; };\n"
      "typedef struct { long q; } t;\nenum colour { kRed = -2, kBlue };\nstruct later;\n");
  ASSERT_TRUE(product.types);
  TypeStore store;
  auto types = std::make_unique<DwarfTypes>(product.types, store, DwarfTypes::Origin::kHeaders);
  TypeRef s = types->find_struct("s", false);
  ASSERT_NE(s, nullptr);
  EXPECT_TRUE(types->file_of_struct("s", false).ends_with("x.h"));
  types->complete(s->struct_def);
  EXPECT_EQ(s->struct_def->size, 24u);
  ASSERT_EQ(s->struct_def->members.size(), 4u);
  EXPECT_EQ(s->struct_def->members[2].type->address_space, AddressSpace::kNone);
  EXPECT_NE(types->find_typedef("t"), nullptr);
  EXPECT_EQ(types->find_struct("later", false), nullptr);
  TypeStore::Constant constant;
  ASSERT_TRUE(types->find_constant("kBlue", &constant));
  EXPECT_EQ(constant.value, -1);
  EXPECT_EQ(constant.of->name, "colour");
}

TEST_F(ReadHeadersTest, Failures) {
  HeaderProduct product = read("nosuch_t x;\n#include \"nosuch.h\"\n");
  ASSERT_EQ(product.failures.size(), 2u);
  EXPECT_NE(product.failures[0].message.find("x.h:1:1: unknown type name"), std::string::npos);
  EXPECT_EQ(product.failures[0].line, 0u);
  EXPECT_EQ(product.types, nullptr);
}

TEST_F(ReadHeadersTest, Conditions) {
  std::ofstream(folder + "/x.h") << "#define LEVEL 4\n";
  std::vector<HeaderLine> lines{{"#include \"" + folder + "/x.h\"", "x.h", Span{}, false}};
  EXPECT_EQ(evaluate_with_headers(lines, "#if LEVEL > 3", {}), true);
  EXPECT_EQ(evaluate_with_headers(lines, "#ifndef LEVEL", {}), false);
  lines[0].text = "#include \"/nosuch.h\"";
  EXPECT_EQ(evaluate_with_headers(lines, "#if LEVEL > 3", {}), std::nullopt);
}

}  // namespace
}  // namespace awl::frontend
