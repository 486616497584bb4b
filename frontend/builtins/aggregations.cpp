// Aggregations: what is assigned to a map and summed up there.
//
// After the checks: the value to add is int64 or uint64, as MapInfo::value is signed (hist and
// lhist: int64); the parameters stand in the type.
#include "frontend/builtins/check_builtin.h"
#include "runtime/object/histogram.h"
#include "runtime/object/tseries.h"

namespace awl::frontend {

namespace {

constexpr int64_t kMaxLhistBuckets = 1000;

TypeRef check_count(BuiltinContext &c, ast::Expr &, Arguments &) {
  return c.types().aggregation(TypeKind::kCount, false);
}

// The value that goes in: its sign is that of the aggregation.
template <TypeKind kKind>
TypeRef check_value(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  TypeRef type = arguments[0]->type;
  if (!type->is_integer()) {
    c.refuse_type(*arguments[0], "an integer", 0);
    return nullptr;
  }
  return c.types().aggregation(kKind, type->is_signed);
}

TypeRef check_hist(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (!arguments[0]->type->is_integer()) {
    c.refuse_type(*arguments[0], "an integer", 0);
    return nullptr;
  }
  AggregationParameters parameters;
  if (arguments.size() > 1) {
    std::optional<int64_t> bits = c.constant(arguments, 1);
    if (!bits) return nullptr;
    if (*bits < 0 || *bits > object::kMaxHistBits) {
      return c.refuse(arguments[1]->span, "bits must be from 0 to 5, found " + std::to_string(*bits));
    }
    parameters.bits = *bits;
  }
  return c.types().aggregation(TypeKind::kHist, true, parameters);
}

TypeRef check_lhist(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  if (!arguments[0]->type->is_integer()) {
    c.refuse_type(*arguments[0], "an integer", 0);
    return nullptr;
  }
  std::optional<int64_t> min = c.constant(arguments, 1), max = c.constant(arguments, 2),
                         step = c.constant(arguments, 3);
  if (!min || !max || !step) return nullptr;
  if (*step < 1) return c.refuse(arguments[3]->span, "step must be above 0, found " + std::to_string(*step));
  if (*min >= *max) {
    return c.refuse(call.span, "min must be less than max, found " + std::to_string(*min) + " and " +
                                   std::to_string(*max));
  }
  uint64_t range = static_cast<uint64_t>(*max) - static_cast<uint64_t>(*min);
  if (static_cast<uint64_t>(*step) > range) {
    return c.refuse(arguments[3]->span, "step is larger than the range of " + std::to_string(range));
  }
  if (range / static_cast<uint64_t>(*step) > kMaxLhistBuckets) {
    return c.refuse(call.span, "too many buckets: " + std::to_string(range / static_cast<uint64_t>(*step)) +
                                   ", the limit is " + std::to_string(kMaxLhistBuckets));
  }
  AggregationParameters parameters;
  parameters.min = *min;
  parameters.max = *max;
  parameters.step = *step;
  return c.types().aggregation(TypeKind::kLhist, true, parameters);
}

TypeRef check_tseries(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  if (!arguments[0]->type->is_integer()) {
    c.refuse_type(*arguments[0], "an integer", 0);
    return nullptr;
  }
  std::optional<int64_t> interval = c.constant(arguments, 1), count = c.constant(arguments, 2);
  if (!interval || !count) return nullptr;
  if (*interval < 1) return c.refuse(arguments[1]->span, "the interval must be above 0");
  if (*count < 1 || *count > object::kMaxSeriesIntervals) {
    return c.refuse(arguments[2]->span, "the number of intervals must be from 1 to " +
                                            std::to_string(object::kMaxSeriesIntervals));
  }
  AggregationParameters parameters;
  parameters.interval_ns = *interval;
  parameters.intervals = *count;
  if (arguments.size() > 3) {
    const std::string *function = c.text(arguments, 3);
    if (!function) return nullptr;
    if (*function != "avg" && *function != "max" && *function != "min" && *function != "sum") {
      return c.refuse(arguments[3]->span, "the function must be one of avg, max, min, sum");
    }
    parameters.function = *function;
  }
  if (!c.allow_unstable(call.span, "tseries", c.checker.config().unstable_tseries)) return nullptr;
  return c.types().aggregation(TypeKind::kTseries, arguments[0]->type->is_signed, parameters);
}

}  // namespace

std::vector<Builtin> aggregation_builtins() {
  return {
      {.name = "count", .signature = "count_t count()",
       .description = "How often it is assigned.", .is_aggregation = true, .check = check_count},
      {.name = "sum", .signature = "sum_t sum(int64 value)",
       .description = "The sum of all values.", .min_arguments = 1, .max_arguments = 1,
       .is_aggregation = true, .check = check_value<TypeKind::kSum>},
      {.name = "min", .signature = "min_t min(int64 value)",
       .description = "The smallest value.", .min_arguments = 1, .max_arguments = 1,
       .is_aggregation = true, .check = check_value<TypeKind::kMin>},
      {.name = "max", .signature = "max_t max(int64 value)",
       .description = "The largest value.", .min_arguments = 1, .max_arguments = 1,
       .is_aggregation = true, .check = check_value<TypeKind::kMax>},
      {.name = "avg", .signature = "avg_t avg(int64 value)",
       .description = "The average of all values.", .min_arguments = 1, .max_arguments = 1,
       .is_aggregation = true, .check = check_value<TypeKind::kAvg>},
      {.name = "stats", .signature = "stats_t stats(int64 value)",
       .description = "Number, average and sum of all values.", .min_arguments = 1, .max_arguments = 1,
       .is_aggregation = true, .check = check_value<TypeKind::kStats>},
      {.name = "hist", .signature = "hist_t hist(int64 value [, const int64 bits])",
       .description = "A histogram with buckets of powers of two.", .min_arguments = 1,
       .max_arguments = 2, .is_aggregation = true, .check = check_hist},
      {.name = "lhist", .signature = "lhist_t lhist(int64 value, const int64 min, const int64 max, const int64 step)",
       .description = "A histogram with buckets of one size.", .min_arguments = 4, .max_arguments = 4,
       .is_aggregation = true, .check = check_lhist},
      {.name = "tseries", .signature = "tseries_t tseries(int64 value, const int64 interval_ns, const int64 intervals [, const string function])",
       .description = "Values over time.", .min_arguments = 3, .max_arguments = 4,
       .is_aggregation = true, .check = check_tseries},
  };
}

}  // namespace awl::frontend
