// usdt: static probes that a binary declares, each with one place or several.
#include <algorithm>
#include <set>

#include "base/pattern.h"
#include "base/usdt_notes.h"
#include "runtime/attach/families.h"
#include "runtime/attach/nearest.h"
#include "runtime/attach/uprobe_events.h"
#include "runtime/attach/user_files.h"

namespace awl::runtime {
namespace {

bool is_named(const object::AttachPoint &point, const UsdtPlace &place) {
  return matches_pattern(point.target, place.name) &&
         (point.category.empty() || matches_pattern(point.category, place.provider));
}

Target usdt_target(const object::AttachPoint &point, const std::string &path,
                   const UsdtPlace &place) {
  Target target = plain_target(point);
  target.name = "usdt:" + path + ":" + place.provider + ":" + place.name;
  target.path = path.substr(0, path.find("!/"));
  target.symbols_path = path;
  target.file_offset = place.file_offset;
  target.semaphore = place.semaphore;
  target.address = place.address;
  target.arguments = place.arguments;
  return target;
}

// Why nothing was found in a binary that the script names.
std::string explain_missing(const object::AttachPoint &point, const std::string &path,
                            const std::vector<UsdtPlace> &places) {
  const std::string what = "No matches for " + point.name;
  if (places.empty()) return what + ": " + path + " has no static probes";
  std::set<std::string> known;
  for (const UsdtPlace &place : places) {
    known.insert(point.category.empty() ? place.name : place.provider + ":" + place.name);
  }
  const std::string wanted =
      point.category.empty() ? point.target : point.category + ":" + point.target;
  const std::string nearest = nearest_name(wanted, {known.begin(), known.end()});
  return nearest.empty() ? what : what + "; did you mean " + nearest + "?";
}

}  // namespace

AWL_EXPANDS(expand_usdt) {
  return expand_user_files(
      context, point, [&](const std::string &path, Expansion &found) -> Status {
        Result<std::vector<UsdtPlace>> places = read_usdt_places(context.binary_root + path);
        if (!places) return places.error();
        for (const UsdtPlace &place : *places) {
          if (is_named(point, place)) found.targets.push_back(usdt_target(point, path, place));
        }
        if (found.targets.empty() && !has_wildcard(point.binary)) {
          found.missing = explain_missing(point, path, *places);
        }
        return ok();
      });
}

AWL_ATTACHES(attach_usdt) {
  attach_uprobes(context, program, targets, false, attachments, failures);
}

}  // namespace awl::runtime
