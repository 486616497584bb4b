#include "frontend/target/snapshot_data.h"

#include <nlohmann/json.hpp>

#include "frontend/target/snapshot.h"

namespace awl::frontend {
namespace {

using Json = nlohmann::json;

// One field a line keeps the document readable and its changes small.
Json field_to_json(const TracepointField &field) {
  Json json = {{"name", field.name},
               {"type", field.type_text},
               {"offset", field.offset},
               {"size", field.size}};
  if (field.is_signed) json["signed"] = true;
  return json;
}

TracepointField field_from_json(const Json &json) {
  TracepointField field;
  field.name = json.at("name").get<std::string>();
  field.type_text = json.at("type").get<std::string>();
  field.offset = json.at("offset").get<uint32_t>();
  field.size = json.at("size").get<uint32_t>();
  field.is_signed = json.value("signed", false);
  field.is_data_loc =
      field.type_text.starts_with("__data_loc") || field.type_text.starts_with("__rel_loc");
  return field;
}

Json tracepoint_to_json(const TracepointFormat &format) {
  Json fields = Json::array();
  for (const TracepointField &field : format.fields) fields.push_back(field_to_json(field));
  return {{"id", format.id}, {"fields", fields}};
}

TracepointFormat tracepoint_from_json(const Json &json) {
  TracepointFormat format;
  format.id = json.at("id").get<uint32_t>();
  for (const Json &field : json.at("fields")) format.fields.push_back(field_from_json(field));
  return format;
}

SnapshotData data_from_json(const Json &json) {
  SnapshotData data;
  data.architecture = json.at("architecture").get<std::string>();
  data.kernel = json.at("kernel").get<std::string>();
  data.has_btf = json.at("has_btf").get<bool>();
  for (const auto &[name, tracepoint] : json.at("tracepoints").items()) {
    data.tracepoints.emplace(name, tracepoint_from_json(tracepoint));
  }
  json.at("kernel_symbols").get_to(data.kernel_symbols);
  json.at("paths").get_to(data.paths);
  for (const auto &[path, binary] : json.at("binaries").items()) {
    SnapshotData::Binary &to = data.binaries[path];
    binary.at("functions").get_to(to.functions);
    binary.at("objects").get_to(to.objects);
  }
  json.at("cgroups").get_to(data.cgroups);
  return data;
}

// Lists of names that may be left out.
void get_names(const Json &json, const char *key, std::vector<std::string> *out) {
  if (json.contains(key)) json.at(key).get_to(*out);
}

SnapshotRequest request_from_json(const Json &json) {
  SnapshotRequest request;
  get_names(json, "types", &request.types);
  get_names(json, "constants", &request.constants);
  get_names(json, "functions", &request.functions);
  get_names(json, "raw_tracepoints", &request.raw_tracepoints);
  get_names(json, "tracepoints", &request.tracepoints);
  get_names(json, "kernel_symbols", &request.kernel_symbols);
  get_names(json, "cgroups", &request.cgroups);
  request.all_types = json.value("all_types", false);
  if (!json.contains("binaries")) return request;
  for (const Json &from : json.at("binaries")) {
    SnapshotRequest::Binary binary;
    from.at("name").get_to(binary.name);
    get_names(from, "patterns", &binary.patterns);
    get_names(from, "objects", &binary.objects);
    request.binaries.push_back(std::move(binary));
  }
  return request;
}

}  // namespace

std::string to_json(const SnapshotData &data) {
  Json json = {{"version", kSnapshotVersion},   {"architecture", data.architecture},
               {"kernel", data.kernel},         {"has_btf", data.has_btf},
               {"tracepoints", Json::object()}, {"kernel_symbols", data.kernel_symbols},
               {"paths", data.paths},           {"binaries", Json::object()},
               {"cgroups", data.cgroups}};
  for (const auto &[name, format] : data.tracepoints) {
    json["tracepoints"][name] = tracepoint_to_json(format);
  }
  for (const auto &[path, binary] : data.binaries) {
    json["binaries"][path] = {{"functions", binary.functions}, {"objects", binary.objects}};
  }
  // Symbol names are any bytes.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<SnapshotData> parse_snapshot(const std::string &json) {
  try {
    const Json document = Json::parse(json);
    const int version = document.at("version").get<int>();
    if (version != kSnapshotVersion) {
      return Error{"snapshot of version " + std::to_string(version) + ", not " +
                   std::to_string(kSnapshotVersion)};
    }
    return data_from_json(document);
  } catch (const Json::exception &error) {
    return Error{std::string("malformed snapshot: ") + error.what()};
  }
}

Result<SnapshotRequest> parse_snapshot_request(const std::string &json) {
  try {
    return request_from_json(Json::parse(json));
  } catch (const Json::exception &error) {
    return Error{std::string("malformed request for a snapshot: ") + error.what()};
  }
}

}  // namespace awl::frontend
