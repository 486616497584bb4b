#include <gtest/gtest.h>

#include "frontend/passes/merge_config.h"

namespace awl::frontend {
namespace {

struct ConfigTest : testing::Test {
  void set(const std::string &name, const std::string &value) {
    auto *entry = context.make<ast::ConfigEntry>(Span{});
    entry->name = name;
    entry->value = value;
    program.config.push_back(entry);
  }
  Config merge() {
    return merge_config(
        program,
        [this](const std::string &name) {
          auto found = environment.find(name);
          return found == environment.end() ? nullptr : found->second.c_str();
        },
        diagnostics);
  }
  std::string only_diagnostic() {
    if (diagnostics.all().size() != 1) return std::to_string(diagnostics.all().size());
    return diagnostics.all()[0].kind->id;
  }

  ast::Context context;
  ast::Program program{Span{}};
  Diagnostics diagnostics;
  std::map<std::string, std::string> environment;
};

TEST_F(ConfigTest, ReadsAllKindsOfValues) {
  set("max_strlen", "0x40");
  set("STACK_MODE", "perf");
  set("BPFTRACE_PRINT_MAPS_ON_EXIT", "0");
  set("license", "Dual BSD/GPL");
  set("max_map_keys", "1e3");
  set("cache_user_symbols", "per_pid");
  Config config = merge();
  EXPECT_TRUE(diagnostics.all().empty());
  EXPECT_EQ(config.max_strlen, 64u);
  EXPECT_EQ(config.stack_mode, StackMode::kPerf);
  EXPECT_FALSE(config.print_maps_on_exit);
  EXPECT_EQ(config.license, "Dual BSD/GPL");
  EXPECT_EQ(config.max_map_keys, 1000u);
  EXPECT_EQ(config.cache_user_symbols, "PER_PID");
  EXPECT_EQ(config.max_probes, 1024u);
}

TEST_F(ConfigTest, EnvironmentBeatsScriptAndOursBeatsThePeers) {
  set("max_strlen", "10");
  set("max_probes", "10");
  environment = {
      {"BPFTRACE_MAX_STRLEN", "20"}, {"AWL_MAX_PROBES", "30"}, {"BPFTRACE_MAX_PROBES", "40"}};
  Config config = merge();
  EXPECT_EQ(config.max_strlen, 20u);
  EXPECT_EQ(config.max_probes, 30u);
}

TEST_F(ConfigTest, SuggestsTheNearestName) {
  set("max_strln", "10");
  merge();
  EXPECT_EQ(only_diagnostic(), "config-unknown");
  EXPECT_EQ(diagnostics.all()[0].hint, "did you mean 'max_strlen'?");
}

TEST_F(ConfigTest, RefusesBadNumbers) {
  for (const char *value : {"abc", "0", "1m", "-1", "99999999999999999999", ""}) {
    SCOPED_TRACE(value);
    program.config.clear();
    diagnostics = {};
    set("max_map_keys", value);
    EXPECT_EQ(merge().max_map_keys, 4096u);
    EXPECT_EQ(only_diagnostic(), "config-bad-number");
  }
}

TEST_F(ConfigTest, RefusesBadWords) {
  set("stack_mode", "per");
  merge();
  EXPECT_EQ(only_diagnostic(), "config-bad-choice");
  program.config.clear();
  diagnostics = {};
  set("cpp_demangle", "perhaps");
  merge();
  EXPECT_EQ(only_diagnostic(), "config-bad-bool");
}

TEST_F(ConfigTest, NamesTheEnvironmentVariableThatIsWrong) {
  environment = {{"AWL_MAX_STRLEN", "abc"}};
  merge();
  EXPECT_EQ(only_diagnostic(), "config-bad-number");
  EXPECT_NE(diagnostics.all()[0].message.find("AWL_MAX_STRLEN"), std::string::npos);
}

TEST_F(ConfigTest, KnowsOldNames) {
  set("strlen", "10");
  EXPECT_EQ(merge().max_strlen, 10u);
  EXPECT_EQ(only_diagnostic(), "config-renamed");
  program.config.clear();
  diagnostics = {};
  set("symbol_source", "dwarf");
  merge();
  EXPECT_EQ(only_diagnostic(), "config-deprecated");
  EXPECT_FALSE(diagnostics.has_errors());
  program.config.clear();
  diagnostics = {};
  set("kernel_source", "/x");
  merge();
  EXPECT_EQ(only_diagnostic(), "config-environment-only");
}

}  // namespace
}  // namespace awl::frontend
