#include "runtime/parameters.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/event_period.h"
#include "base/number.h"
#include "base/pattern.h"

namespace awl::runtime {
namespace {

std::string display_name(const object::Parameter &parameter) {
  return (parameter.is_positional ? "$" : "--") + parameter.name;
}

// Stands for the value of a `--name` alone.
const std::string kNoValue;

// The text given for a parameter, or null.
const std::string *given_text(const object::Parameter &parameter, const RunOptions &options) {
  if (parameter.is_positional) {
    const long index = strtol(parameter.name.c_str(), nullptr, 10);
    if (index < 1 || static_cast<size_t>(index) > options.positional.size()) return nullptr;
    return &options.positional[static_cast<size_t>(index) - 1];
  }
  const std::string *found = nullptr;  // of several, the last counts
  for (const auto &[name, value] : options.named) {
    if (name == parameter.name) found = value ? &*value : &kNoValue;
  }
  return found;
}

Result<ParameterValue> parse_value(const object::Parameter &parameter, const std::string &text) {
  ParameterValue value;
  switch (parameter.kind) {
    case object::ParameterKind::kString:
    case object::ParameterKind::kPrinted:
      value.is_string = true;
      value.text = text;
      if (parameter.kind == object::ParameterKind::kPrinted && parse_number(text, &value.integer)) {
        value.text = std::to_string(value.integer);
      }
      if (text.size() >= object::kParameterStringSize) {
        return Error{"the value of parameter " + display_name(parameter) + " has " +
                     std::to_string(text.size()) + " bytes; at most " +
                     std::to_string(object::kParameterStringSize - 1) + " are possible"};
      }
      return value;
    case object::ParameterKind::kBool:
      value.integer = text.empty() || text == "true" || text == "1";
      if (value.integer == 0 && text != "false" && text != "0") {
        return Error{"parameter " + display_name(parameter) + " is true or false, not \"" + text +
                     "\""};
      }
      return value;
    case object::ParameterKind::kInteger:
      if (!parse_number(text, &value.integer)) {
        return Error{"parameter " + display_name(parameter) + " needs a whole number, not \"" +
                     text + "\""};
      }
      return value;
  }
  return Error{"parameter " + display_name(parameter) + " has no type"};
}

// Names on the command line that the script never asks for are mistakes, not ignored.
Status check_names(const object::Description &description, const RunOptions &options) {
  for (const auto &given : options.named) {
    const bool is_known = std::any_of(
        description.parameters.begin(), description.parameters.end(),
        [&](const object::Parameter &p) { return !p.is_positional && p.name == given.first; });
    if (is_known) continue;
    std::string known;
    for (const object::Parameter &parameter : description.parameters) {
      if (!parameter.is_positional) known += (known.empty() ? "" : ", ") + display_name(parameter);
    }
    return Error{"the script has no parameter --" + given.first + "; " +
                 (known.empty() ? "it has no named ones" : "it has " + known)};
  }
  return ok();
}

// The text with the values of the parameters in it. An Error names one that was not given.
Result<std::string> fill_in(const std::string &text, const std::vector<std::string> &positional) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    constexpr size_t kMaxDigits = 5;
    size_t end = i + 1;
    while (end < text.size() && end - i <= kMaxDigits &&
           isdigit(static_cast<unsigned char>(text[end])))
      ++end;
    if (text[i] != '$' || end == i + 1) {
      result += text[i++];
      continue;
    }
    const std::string name = text.substr(i, end - i);
    const unsigned long number = strtoul(name.c_str() + 1, nullptr, 10);
    if (number < 1 || number > positional.size()) return Error{name + " was not given"};
    result += positional[number - 1];
    i = end;
  }
  return result;
}

// How often a timer or an event fires, when the parameters are in the text. A value may hold a
// colon: "ms:100".
Status read_period(object::AttachPoint &point) {
  if (point.period_text.empty()) return ok();
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t colon; (colon = point.period_text.find(':', begin)) != std::string::npos;) {
    parts.push_back(point.period_text.substr(begin, colon - begin));
    begin = colon + 1;
  }
  parts.push_back(point.period_text.substr(begin));
  const bool is_timer = point.family == "interval" || point.family == "profile";
  if (parts.size() > (is_timer ? 2 : 1)) {
    return Error{point.name + ": '" + point.period_text + "' has too many parts"};
  }
  const EventPeriod period = is_timer ? read_timer_period(parts) : read_event_count(parts[0]);
  if (period.problem != EventPeriod::Problem::kNone) {
    return Error{point.name + ": " + describe_problem(period, parts)};
  }
  point.period_ns = period.period_ns;
  point.frequency = period.frequency;
  if (is_timer) {
    point.name = point.family + ":" + period.name;
  } else {
    point.sample_period = period.count;
  }
  return ok();
}

Status fill_in(object::AttachPoint &point, const std::vector<std::string> &positional) {
  for (std::string *text :
       {&point.category, &point.target, &point.binary, &point.source_file, &point.period_text}) {
    if (text->find('$') == std::string::npos) continue;
    Result<std::string> filled = fill_in(*text, positional);
    if (!filled) return filled.error().with_context(point.name);
    *text = std::move(*filled);
    point.has_wildcard = point.has_wildcard || has_wildcard(*text);
  }
  Result<std::string> name = fill_in(point.name, positional);
  if (name) point.name = std::move(*name);
  if (Status period = read_period(point); !period) return period;
  // A function of a binary may have become an address.
  int64_t address = 0;
  if ((point.family == "uprobe" || point.family == "uretprobe") && !point.is_demangled &&
      parse_number(point.target, &address)) {
    point.has_address = true;
    point.address = static_cast<uint64_t>(address);
  }
  return ok();
}

}  // namespace

Status fill_in_attach_points(object::Description &description,
                             const std::vector<std::string> &positional) {
  for (object::Program &program : description.programs) {
    for (object::AttachPoint &point : program.attach_points) {
      if (point.name.find('$') == std::string::npos) continue;
      Status status = fill_in(point, positional);
      if (!status) return status;
    }
  }
  return ok();
}

std::vector<std::string> missing_parameters(const object::Description &description,
                                            const RunOptions &options) {
  std::vector<std::string> names;
  for (const object::Parameter &parameter : description.parameters) {
    std::string name = display_name(parameter);
    bool is_known = std::find(names.begin(), names.end(), name) != names.end();
    if (parameter.is_positional && !given_text(parameter, options) && !is_known) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

Result<std::vector<ParameterValue>> bind_parameters(const object::Description &description,
                                                    const RunOptions &options) {
  Status names = check_names(description, options);
  if (!names) return names.error();
  std::vector<ParameterValue> values;
  for (const object::Parameter &parameter : description.parameters) {
    if (const std::string *text = given_text(parameter, options)) {
      if (text == &kNoValue && parameter.kind != object::ParameterKind::kBool) {
        return Error{"parameter " + display_name(parameter) + " needs a value: " +
                     display_name(parameter) + "=VALUE"};
      }
      Result<ParameterValue> value = parse_value(parameter, *text);
      if (!value) return value.error();
      values.push_back(*value);
    } else {
      const bool is_string = parameter.kind == object::ParameterKind::kString ||
                             parameter.kind == object::ParameterKind::kPrinted;
      values.push_back({is_string, parameter.default_integer, parameter.default_string});
    }
  }
  return values;
}

}  // namespace awl::runtime
