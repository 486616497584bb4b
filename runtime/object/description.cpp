// The description as JSON. Members that hold their default value are left out; strings that are
// not UTF-8 (formats may hold any bytes) become {"hex": "…"}.
#include "runtime/object/description.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "runtime/object/check_description.h"
#include "runtime/object/description_fields.h"
#include "runtime/object/utf8.h"

namespace awl::object {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxJsonSize = 64u << 20;
constexpr size_t kMaxJsonDepth = 96;
constexpr size_t kMaxStringSize = 16u << 20;
constexpr size_t kMaxElements = 1u << 20;  // of one array

// ---- writing

Json write(const std::string &value) {
  if (is_utf8(value)) return value;
  std::string hex;
  for (unsigned char byte : value) hex += fmt::format("{:02x}", byte);
  return Json{{"hex", hex}};
}
Json write(const Location &value) {
  return Json::array({value.line, value.column, value.end_line, value.end_column});
}
template <class T>
requires std::is_arithmetic_v<T> Json write(T value) { return value; }
template <class T>
requires std::is_enum_v<T> Json write(T value) {
  return names_of(value).at(static_cast<size_t>(value));
}
template <class T>
Json write(const std::vector<T> &values);
template <class T>
requires std::is_class_v<T> Json write(const T &value);
Json write(const std::vector<std::pair<int64_t, std::string>> &values) {
  Json out = Json::array();
  for (const auto &[number, name] : values) out.push_back(Json::array({number, write(name)}));
  return out;
}

struct JsonWriter {
  Json object = Json::object();
  template <class T>
  void operator()(const char *key, const T &value) {
    object[key] = write(value);
  }
};

template <class T>
requires std::is_class_v<T> Json write(const T &value) {
  // What an empty value would write is left out.
  static const Json kDefaults = [] {
    JsonWriter writer;
    T empty;
    fields(writer, empty);
    return writer.object;
  }();
  JsonWriter writer;
  fields(writer, const_cast<T &>(value));
  for (const auto &[key, member] : kDefaults.items()) {
    if (writer.object[key] == member) writer.object.erase(key);
  }
  return std::move(writer.object);
}
template <class T>
Json write(const std::vector<T> &values) {
  Json out = Json::array();
  for (const T &value : values) out.push_back(write(value));
  return out;
}

// ---- reading

// Where the reader is, and the first thing that was wrong.
struct ReadState {
  std::string path;
  std::string error;
  void fail(const std::string &what) {
    if (error.empty()) error = fmt::format("{}: {}", path.empty() ? "top" : path, what);
  }
};

// Extends the path for as long as it lives.
class PathScope {
 public:
  PathScope(ReadState &state, const std::string &part) : state_(state), size_(state.path.size()) {
    state_.path += part;
  }
  ~PathScope() { state_.path.resize(size_); }

 private:
  ReadState &state_;
  size_t size_;
};

void read(const Json &json, ReadState &state, bool &out) {
  if (!json.is_boolean()) return state.fail("not a boolean");
  out = json.get<bool>();
}
template <class T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) void read(const Json &json,
                                                                      ReadState &state, T &out) {
  if (!json.is_number_integer()) return state.fail("not an integer");
  using Limits = std::numeric_limits<T>;
  if (json.is_number_unsigned()) {
    uint64_t value = json.get<uint64_t>();
    if (value > static_cast<uint64_t>(Limits::max())) return state.fail("out of range");
    out = static_cast<T>(value);
    return;
  }
  int64_t value = json.get<int64_t>();
  if (value < 0 && (std::is_unsigned_v<T> || value < static_cast<int64_t>(Limits::min()))) {
    return state.fail("out of range");
  }
  if (static_cast<uint64_t>(value) > static_cast<uint64_t>(Limits::max()) && value >= 0) {
    return state.fail("out of range");
  }
  out = static_cast<T>(value);
}
void read(const Json &json, ReadState &state, std::string &out) {
  if (json.is_string()) {
    out = json.get_ref<const std::string &>();
    if (out.size() > kMaxStringSize) state.fail("string too long");
    return;
  }
  if (!json.is_object() || !json.contains("hex") || !json["hex"].is_string()) {
    return state.fail("not a string");
  }
  const std::string &hex = json["hex"].get_ref<const std::string &>();
  auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (hex.size() % 2 != 0) return state.fail("odd number of hexadecimal digits");
  out.clear();
  for (size_t i = 0; i < hex.size(); i += 2) {
    int high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return state.fail("not hexadecimal");
    out += static_cast<char>(high * 16 + low);
  }
}
void read(const Json &json, ReadState &state, Location &out) {
  if (!json.is_array() || json.size() != 4) return state.fail("not a location");
  read(json[0], state, out.line);
  read(json[1], state, out.column);
  read(json[2], state, out.end_line);
  read(json[3], state, out.end_column);
}
template <class T>
requires std::is_enum_v<T>
void read(const Json &json, ReadState &state, T &out) {
  if (!json.is_string()) return state.fail("not a name");
  const std::string &name = json.get_ref<const std::string &>();
  constexpr auto kNames = names_of(T{});
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) {
      out = static_cast<T>(i);
      return;
    }
  }
  state.fail(fmt::format("unknown name \"{}\"", name.substr(0, 64)));
}
void read(const Json &json, ReadState &state, std::pair<int64_t, std::string> &out) {
  if (!json.is_array() || json.size() != 2) return state.fail("not an enumerator");
  read(json[0], state, out.first);
  read(json[1], state, out.second);
}
template <class T>
void read(const Json &json, ReadState &state, std::vector<T> &out);
template <class T>
requires std::is_class_v<T>
void read(const Json &json, ReadState &state, T &out);

struct JsonReader {
  const Json &object;
  ReadState &state;
  template <class T>
  void operator()(const char *key, T &value) {
    auto it = object.find(key);
    if (it == object.end() || !state.error.empty()) return;
    PathScope scope(state, std::string(".") + key);
    read(*it, state, value);
  }
};

template <class T>
requires std::is_class_v<T>
void read(const Json &json, ReadState &state, T &out) {
  if (!json.is_object()) return state.fail("not an object");
  JsonReader reader{json, state};
  fields(reader, out);
}
template <class T>
void read(const Json &json, ReadState &state, std::vector<T> &out) {
  if (!json.is_array()) return state.fail("not an array");
  if (json.size() > kMaxElements) return state.fail("too many elements");
  out.resize(json.size());
  for (size_t i = 0; i < json.size() && state.error.empty(); ++i) {
    PathScope scope(state, fmt::format("[{}]", i));
    read(json[i], state, out[i]);
  }
}

// How deep the brackets nest, so that nothing recurses deeper.
size_t nesting(const std::string &json) {
  size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

std::string write_description(const Description &description) {
  Json json = write(description);
  json["version"] = description.version;
  return json.dump();
}

Result<Description> parse_description(const std::string &json) {
  const std::string what = std::string("section ") + kSectionName;
  if (json.size() > kMaxJsonSize) return Error{what + ": too large"};
  if (nesting(json) > kMaxJsonDepth) return Error{what + ": nested too deeply"};
  Json parsed = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded() || !parsed.is_object()) return Error{what + ": not a JSON object"};
  // The version first: a later one may have other fields.
  if (!parsed.contains("version") || !parsed["version"].is_number_integer() ||
      parsed["version"] != kDescriptionVersion) {
    return Error{fmt::format(
        "{}: version {} is not the one known here ({}): the object was built by another awl", what,
        parsed.contains("version") && parsed["version"].is_number_integer()
            ? parsed["version"].dump()
            : "?",
        kDescriptionVersion)};
  }
  Description description;
  ReadState state;
  read(parsed, state, description);
  if (!state.error.empty()) return Error{what + state.error};
  if (Status status = check_description(description); !status) {
    return status.error().with_context(what);
  }
  return description;
}

}  // namespace awl::object
