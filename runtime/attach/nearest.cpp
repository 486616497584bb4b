#include "runtime/attach/nearest.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace awl::runtime {
namespace {

constexpr size_t kMaxNameLength = 128;

// Insertions, deletions, changes and swaps of neighbours, row by row; gives up above `limit`.
size_t edit_distance(const std::string &a, const std::string &b, size_t limit) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    size_t least = row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (a[i - 1] != b[j - 1]), last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
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
