#include "frontend/passes/merge_config.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <variant>

#include "frontend/diagnostics/nearest_name.h"
#include "frontend/probes/probe_text.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kConfigUnknown, Error, "config-unknown", "there is no configuration variable '{}'",
               std::string);
AWL_DIAGNOSTIC(kConfigEnvironmentOnly, Error, "config-environment-only",
               "'{}' can only be set in the environment", std::string);
AWL_DIAGNOSTIC(kConfigBadNumber, Error, "config-bad-number",
               "{} wants a number from {} to {}, found '{}'", std::string, uint64_t, uint64_t,
               std::string);
AWL_DIAGNOSTIC(kConfigBadBool, Error, "config-bad-bool", "{} wants true or false, found '{}'",
               std::string, std::string);
AWL_DIAGNOSTIC(kConfigBadChoice, Error, "config-bad-choice", "{} cannot be '{}'", std::string,
               std::string);
AWL_DIAGNOSTIC(kConfigRenamed, Warning, "config-renamed", "{} is now called {}", std::string,
               std::string);
AWL_DIAGNOSTIC(kConfigDeprecated, Warning, "config-deprecated",
               "{} is deprecated and has no effect", std::string);

using Number = uint64_t Config::*;
using Flag = bool Config::*;
using Text = std::string Config::*;
using Mode = StackMode Config::*;

struct ConfigVariable {
  const char *name;
  std::variant<Number, Flag, Text, Mode> member;
  uint64_t min = 0, max = 0;              // numbers
  std::vector<std::string> choices = {};  // texts; empty: any
};

constexpr uint64_t kMany = 1'000'000'000;

const std::vector<std::string> kUnstableChoices = {"error", "warn", "enable"};

const std::vector<ConfigVariable> &variables() {
  static const std::vector<ConfigVariable> table = {
      {"cache_user_symbols", &Config::cache_user_symbols, 0, 0, {"PER_PROGRAM", "PER_PID", "NONE"}},
      {"cpp_demangle", &Config::cpp_demangle},
      {"lazy_symbolication", &Config::lazy_symbolication},
      {"license",
       &Config::license,
       0,
       0,
       {"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL",
        "Dual MPL/GPL"}},
      {"log_size", &Config::log_size, 1, kMany},
      {"max_bpf_progs", &Config::max_bpf_progs, 1, kMany},
      {"max_cat_bytes", &Config::max_cat_bytes, 1, kMany},
      // No hash table of the kernel has more.
      {"max_map_keys", &Config::max_map_keys, 1, kMaxMapEntries},
      {"max_probes", &Config::max_probes, 1, kMany},
      // A record with a string must find room in the ring.
      {"max_strlen", &Config::max_strlen, 1, 256 << 10},
      {"missing_probes", &Config::missing_probes, 0, 0, {"error", "warn", "ignore"}},
      {"on_stack_limit", &Config::on_stack_limit, 0, 512},
      {"perf_rb_pages", &Config::perf_rb_pages, 1, 1 << 20},
      {"print_maps_on_exit", &Config::print_maps_on_exit},
      {"show_debug_info", &Config::show_debug_info},
      {"stack_mode", &Config::stack_mode, 0, 0, {"bpftrace", "perf", "raw", "build_id"}},
      {"str_trunc_trailer", &Config::str_trunc_trailer},
      {"unstable_dw_ustack", &Config::unstable_dw_ustack, 0, 0, kUnstableChoices},
      {"unstable_tseries", &Config::unstable_tseries, 0, 0, kUnstableChoices},
  };
  return table;
}

constexpr std::pair<const char *, const char *> kRenamed[] = {
    {"strlen", "max_strlen"},
    {"map_keys_max", "max_map_keys"},
    {"cat_bytes_max", "max_cat_bytes"},
};

constexpr const char *kDeprecated[] = {
    "max_type_res_iterations", "symbol_source", "unstable_map_decl", "unstable_import",
    "unstable_macro",          "unstable_addr", "use_blazesym",      "no_cpp_demangle",
};

// typeinfo needs no leave here.
constexpr const char *kAlwaysEnabled = "unstable_typeinfo";

constexpr const char *kEnvironmentOnly[] = {
    "btf", "color", "kernel_build", "kernel_source", "vmlinux",
};

// `MAX_STRLEN` and `BPFTRACE_MAX_STRLEN` are `max_strlen`.
std::string canonical_name(const std::string &written) {
  std::string name = written;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (std::string_view prefix : {"bpftrace_", "awl_"}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

std::string environment_name(const std::string &prefix, const std::string &name) {
  std::string result = prefix + name;
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return result;
}

std::string joined(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

class ConfigMerger {
 public:
  ConfigMerger(Config &config, Diagnostics &diagnostics)
      : config_(config), diagnostics_(diagnostics) {}

  void set_from_script(const ast::ConfigEntry &entry) {
    std::string name = canonical_name(entry.name);
    for (const auto &[old_name, new_name] : kRenamed) {
      if (name != old_name) continue;
      diagnostics_.emit(entry.span, kConfigRenamed, name, new_name);
      name = new_name;
    }
    for (const char *deprecated : kDeprecated) {
      if (name != deprecated) continue;
      diagnostics_.emit(entry.span, kConfigDeprecated, name);
      return;
    }
    if (name == kAlwaysEnabled) return;
    for (const char *other : kEnvironmentOnly) {
      if (name != other) continue;
      diagnostics_.emit(entry.span, kConfigEnvironmentOnly, name);
      return;
    }
    const ConfigVariable *variable = find(name);
    if (!variable) {
      std::string nearest = nearest_name(name, config_variable_names());
      diagnostics_.emit(entry.span, kConfigUnknown, entry.name)
          .hint(nearest.empty() ? "" : "did you mean '" + nearest + "'?");
      return;
    }
    set(*variable, entry.value, entry.value_span, variable->name);
  }

  void set_from_environment(const ConfigVariable &variable, const std::string &shown,
                            const std::string &value, Span span) {
    set(variable, value, span, "the environment variable " + shown);
  }

 private:
  static const ConfigVariable *find(const std::string &name) {
    for (const ConfigVariable &variable : variables()) {
      if (name == variable.name) return &variable;
    }
    return nullptr;
  }

  void set(const ConfigVariable &variable, const std::string &value, Span span,
           const std::string &shown) {
    if (auto *number = std::get_if<Number>(&variable.member)) {
      std::optional<ProbeNumber> parsed = parse_probe_number(value);
      bool is_right = parsed && !parsed->has_unit && !parsed->is_negative &&
                      parsed->value >= variable.min && parsed->value <= variable.max;
      if (!is_right) {
        diagnostics_.emit(span, kConfigBadNumber, shown, variable.min, variable.max, value);
        return;
      }
      config_.**number = parsed->value;
    } else if (auto *flag = std::get_if<Flag>(&variable.member)) {
      bool is_true = value == "1" || equal_without_case(value, "true");
      if (!is_true && value != "0" && !equal_without_case(value, "false")) {
        diagnostics_.emit(span, kConfigBadBool, shown, value);
        return;
      }
      config_.**flag = is_true;
    } else {
      set_text(variable, value, span, shown);
    }
  }

  void set_text(const ConfigVariable &variable, std::string value, Span span,
                const std::string &shown) {
    // A number was the way to say PER_PROGRAM before the words came.
    if (variable.name == std::string_view("cache_user_symbols") && value.size() == 1) {
      value = value == "1" ? "PER_PROGRAM" : value == "0" ? "NONE" : value;
    }
    size_t index = 0;
    if (!variable.choices.empty()) {
      auto found = std::find_if(variable.choices.begin(), variable.choices.end(),
                                [&](const auto &c) { return equal_without_case(c, value); });
      if (found == variable.choices.end()) {
        diagnostics_.emit(span, kConfigBadChoice, shown, value)
            .hint("it can be one of: " + joined(variable.choices));
        return;
      }
      index = static_cast<size_t>(found - variable.choices.begin());
      value = *found;
    }
    if (auto *mode = std::get_if<Mode>(&variable.member)) {
      constexpr StackMode kModes[] = {StackMode::kBpftrace, StackMode::kPerf, StackMode::kRaw,
                                      StackMode::kBuildId};
      config_.**mode = kModes[index];
    } else {
      config_.*std::get<Text>(variable.member) = value;
    }
  }

  Config &config_;
  Diagnostics &diagnostics_;
};

}  // namespace

std::vector<std::string> config_variable_names() {
  std::vector<std::string> names;
  for (const ConfigVariable &variable : variables()) names.push_back(variable.name);
  return names;
}

Config merge_config(const ast::Program &program,
                    const std::function<const char *(const std::string &)> &environment,
                    Diagnostics &diagnostics) {
  Config config;
  ConfigMerger merger(config, diagnostics);
  for (const ast::ConfigEntry *entry : program.config) merger.set_from_script(*entry);
  if (!environment) return config;
  Span start{program.span.source, program.span.begin, program.span.begin};
  for (const ConfigVariable &variable : variables()) {
    for (const char *prefix : {"AWL_", "BPFTRACE_"}) {
      std::string name = environment_name(prefix, variable.name);
      const char *value = environment(name);
      if (!value) continue;
      merger.set_from_environment(variable, name, value, start);
      break;
    }
  }
  return config;
}

}  // namespace awl::frontend
