#include "runtime/attach/nearest.h"

#include <algorithm>
#include <cstddef>

namespace awl::runtime {
namespace {

constexpr size_t kMaxNameLength = 128;

// Levenshtein's distance, row by row; gives up above `limit`.
size_t edit_distance(const std::string &a, const std::string &b, size_t limit) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0], least = row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
      least = std::min(least, row[j]);
    }
    if (least > limit) return least;
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_name(const std::string &name, const std::vector<std::string> &candidates) {
  if (name.size() > kMaxNameLength) return {};
  size_t best = name.size() / 3 + 1;
  const std::string *found = nullptr;
  for (const std::string &candidate : candidates) {
    const size_t difference = candidate.size() > name.size() ? candidate.size() - name.size()
                                                             : name.size() - candidate.size();
    if (difference >= best) continue;
    const size_t distance = edit_distance(name, candidate, best);
    if (distance < best) {
      best = distance;
      found = &candidate;
    }
  }
  return found != nullptr ? *found : std::string();
}

}  // namespace awl::runtime
