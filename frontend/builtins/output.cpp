// Builtins that write: to the output, to files, of the time; and `exit`.
//
// After the checks: formats are string literals; printed maps are ast::Map; `top` and `div` of
// print are integer literals; exit's code is int64; join's first argument is a pointer. A single
// value of print may be a MapAccess of stats, all other aggregations have become integers.
#include "frontend/builtins/check_format.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kPrintOne, Error, "print-one", "Non-map print() only takes 1 argument, {} found",
               size_t);
AWL_DIAGNOSTIC(
    kPrintElement, Error, "print-element",
    "Map type {} cannot print the value of individual keys. You must print the whole map.",
    std::string);
AWL_DIAGNOSTIC(kPrintType, Error, "print-type", "{} type passed to print() is not printable",
               std::string);

namespace {

TypeRef check_printf(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return check_format(c, arguments) ? c.types().void_type() : nullptr;
}

// bpf_trace_printk() takes three values.
TypeRef check_debugf(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return check_kernel_format(c, arguments, 3) ? c.types().void_type() : nullptr;
}

TypeRef print_map(BuiltinContext &c, Arguments &arguments) {
  for (size_t i = 1; i < arguments.size(); ++i) {
    std::optional<int64_t> value = c.constant(arguments, i);
    if (!value) return nullptr;
    if (*value < 0) return c.refuse(arguments[i]->span, "a negative number makes no sense here");
    if (c.is_final()) arguments[i]->type = c.checker.uint64();
  }
  return c.types().void_type();
}

TypeRef check_print(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  if (ast::as<ast::Map>(arguments[0])) return print_map(c, arguments);
  if (arguments.size() > 1) {
    c.report(call.span, kPrintOne, arguments.size())
        .hint("print((a, b)) prints a tuple; printf() takes a format and values");
    return nullptr;
  }
  c.checker.make_printed(*arguments[0]);
  TypeRef type = arguments[0]->type;
  if (type->is_integer_aggregation()) {
    c.checker.read_aggregation(arguments[0]);
  } else if (type->is_aggregation() && type->kind != TypeKind::kStats) {
    c.report(arguments[0]->span, kPrintElement, to_string(type));
    return nullptr;
  } else if (type->kind == TypeKind::kVoid) {
    c.report(arguments[0]->span, kPrintType, to_string(type));
    return nullptr;
  }
  return c.types().void_type();
}

TypeRef check_exit(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (!arguments.empty() && !c.integer(arguments, 0, c.checker.int64())) return nullptr;
  return c.types().void_type();
}

TypeRef check_time(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (!arguments.empty() && !c.text(arguments, 0)) return nullptr;
  return c.types().void_type();
}

TypeRef check_strftime(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  const std::string *format = c.text(arguments, 0);
  if (!format) return nullptr;
  auto *literal = ast::as<ast::IntegerLiteral>(arguments[1]);
  if (literal && literal->is_negative) {
    return c.refuse(arguments[1]->span, "negative timestamps are not possible");
  }
  if (!c.integer(arguments, 1, c.checker.uint64())) return nullptr;
  return c.types().timestamp(*format);
}

TypeRef check_join(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (arguments[0]->type->is_integer()) {
    TypeRef text = c.types().pointer(c.checker.integer(1, true));
    c.checker.convert(arguments[0], c.types().pointer(text, c.checker.default_space()));
  } else if (!arguments[0]->type->is_pointer()) {
    c.refuse_type(*arguments[0], "an integer or pointer", 0);
    return nullptr;
  }
  if (arguments.size() > 1 && !c.text(arguments, 1)) return nullptr;
  return c.types().void_type();
}

}  // namespace

std::vector<Builtin> output_builtins() {
  return {
      {.name = "printf",
       .signature = "void printf(const string format, args...)",
       .description = "Prints values as a format string says.",
       .min_arguments = 1,
       .max_arguments = -1,
       .is_async = true,
       .is_statement = true,
       .check = check_printf},
      {.name = "errorf",
       .signature = "void errorf(const string format, args...)",
       .description = "Prints an error message with its place in the script.",
       .min_arguments = 1,
       .max_arguments = -1,
       .is_async = true,
       .is_statement = true,
       .check = check_printf},
      {.name = "warnf",
       .signature = "void warnf(const string format, args...)",
       .description = "Prints a warning with its place in the script.",
       .min_arguments = 1,
       .max_arguments = -1,
       .is_async = true,
       .is_statement = true,
       .check = check_printf},
      {.name = "debugf",
       .signature = "void debugf(const string format, args...)",
       .description = "Prints to the kernel's trace pipe.",
       .min_arguments = 1,
       .max_arguments = -1,
       .is_statement = true,
       .check = check_debugf},
      {.name = "print",
       .signature = "void print(T value), void print(@map [, top [, div]])",
       .description = "Prints a value or a whole map.",
       .min_arguments = 1,
       .max_arguments = 3,
       .is_async = true,
       .is_statement = true,
       .map_argument = MapArgument::kMaybe,
       .check = check_print},
      {.name = "exit",
       .signature = "void exit([int code])",
       .description = "Ends the clause, and tracing.",
       .max_arguments = 1,
       .is_async = true,
       .is_statement = true,
       .check = check_exit},
      {.name = "time",
       .signature = "void time([const string format])",
       .description = "Prints the time of day.",
       .max_arguments = 1,
       .is_async = true,
       .is_statement = true,
       .check = check_time},
      {.name = "strftime",
       .signature = "timestamp strftime(const string format, uint64 ns)",
       .description = "A time since boot, printed as the time of day.",
       .min_arguments = 2,
       .max_arguments = 2,
       .is_async = true,
       .check = check_strftime},
      {.name = "join",
       .signature = "void join(char *array[] [, const string separator])",
       .description = "Prints an array of strings.",
       .min_arguments = 1,
       .max_arguments = 2,
       .is_async = true,
       .is_statement = true,
       .check = check_join},
      {.name = "cat",
       .signature = "void cat(const string format, args...)",
       .description = "Prints a file.",
       .min_arguments = 1,
       .max_arguments = -1,
       .is_async = true,
       .is_statement = true,
       .check = check_printf},
      {.name = "system",
       .signature = "void system(const string format, args...)",
       .description = "Runs a command.",
       .min_arguments = 1,
       .max_arguments = -1,
       .is_unsafe = true,
       .is_async = true,
       .is_statement = true,
       .check = check_printf},
  };
}

}  // namespace awl::frontend
