#include "tools/common/parse_options.h"

#include <algorithm>
#include <charconv>
#include <memory>

namespace awl::tools {
namespace {

constexpr int kMaxPid = 1 << 22;  // PID_MAX_LIMIT, include/linux/threads.h

// "'x' is none of a, b, c"
std::string none_of(const std::string &given, const std::vector<std::string> &words) {
  std::string text = "'" + given + "' is none of ";
  for (size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "" : ", ") + words[i];
  return text;
}

// The descriptions say how to call the programs: CLI11's own line knows less.
class HelpFormatter : public CLI::Formatter {
  std::string make_usage(const CLI::App *, std::string) const override { return ""; }
};

// What stands behind the colon in CLI11's own text.
std::string behind_colon(const std::string &text) {
  const size_t colon = text.find(": ");
  return colon == std::string::npos ? text : text.substr(colon + 2);
}

std::string explain(const CLI::ParseError &error) {
  const std::string text = error.what();
  if (dynamic_cast<const CLI::ExtrasError *>(&error)) {
    const std::string extra = behind_colon(text);
    const std::string option = extra.substr(0, extra.find(' '));
    const bool may_be_parameter = option.starts_with("--");
    return "there is no option " + option + " (--help lists them)" +
           (may_be_parameter ? "; parameters of the script itself go behind --: -- " + option : "");
  }
  if (dynamic_cast<const CLI::ArgumentMismatch *>(&error)) {
    const std::string option = text.substr(0, text.find(':'));
    const bool is_flag = text.find("REQUIRED 0") != std::string::npos;
    return option + (is_flag ? " takes no value" : " needs a value");
  }
  return text;
}

}  // namespace

std::optional<int> parse_options(CLI::App &app, const CommandLine &line) {
  app.formatter(std::make_shared<HelpFormatter>());
  try {
    app.parse(std::vector<std::string>(line.options.rbegin(), line.options.rend()));
  } catch (const CLI::ParseError &error) {
    return error.get_exit_code() == 0 ? app.exit(error) : fail(explain(error));
  }
  return std::nullopt;
}

CLI::Validator word_of(std::vector<std::pair<std::string, int>> words) {
  return CLI::Validator(
      [words = std::move(words)](std::string &given) {
        std::vector<std::string> names;
        for (const auto &[word, number] : words) {
          if (given == word) {
            given = std::to_string(number);
            return std::string();
          }
          names.push_back(word);
        }
        return none_of(given, names);
      },
      "");
}

CLI::Validator one_of(std::vector<std::string> words) {
  return CLI::Validator(
      [words = std::move(words)](std::string &given) {
        const bool is_known = std::find(words.begin(), words.end(), given) != words.end();
        return is_known ? std::string() : none_of(given, words);
      },
      "");
}

CLI::Validator process_id() {
  return CLI::Validator(
      [](std::string &given) {
        int pid = 0;
        const char *end = given.data() + given.size();
        const auto [after, error] = std::from_chars(given.data(), end, pid);
        const bool is_pid = error == std::errc() && after == end && pid > 0 && pid <= kMaxPid;
        return is_pid ? std::string() : "'" + given + "' is not the id of a process";
      },
      "");
}

}  // namespace awl::tools
