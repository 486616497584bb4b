#include "frontend/diagnostics/nearest_name.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace awl::frontend {
namespace {

// Letters to insert, delete, change or swap with their neighbour to come from one to the other,
// without regard to case; gives up with limit + 1.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<size_t> before(a.size() + 1), row(a.size() + 1), next(a.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t j = 1; j <= b.size(); ++j) {
    next[0] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
      bool is_same = lower(a[i - 1]) == lower(b[j - 1]);
      next[i] = std::min({row[i] + 1, next[i - 1] + 1, row[i - 1] + (is_same ? 0 : 1)});
      bool is_swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                        lower(a[i - 2]) == lower(b[j - 1]);
      if (is_swapped) next[i] = std::min(next[i], before[i - 2] + 1);
    }
    std::swap(before, row);
    std::swap(row, next);
  }
  return row[a.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string> &candidates) {
  if (name.size() > 256) return "";
  size_t limit = std::max<size_t>(1, name.size() / 3);
  std::string best;
  for (const std::string &candidate : candidates) {
    size_t distance = edit_distance(name, candidate, limit);
    if (distance > limit) continue;
    best = candidate;
    if (distance == 0) break;
    limit = distance - 1;
  }
  return best;
}

}  // namespace awl::frontend
