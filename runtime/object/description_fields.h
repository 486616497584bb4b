// The fields of a description, listed once: writer and reader of the JSON walk over the same
// lists. An archive is called as `archive("key", value.member)` for each; a member that has its
// default value is not written.
#pragma once

#include <array>
#include <string_view>

#include "runtime/object/description.h"

namespace awl::object {

// Names of an enumeration's values, in their order.
inline constexpr auto names_of(ValueKind) {
  return std::to_array<std::string_view>(
      {"void",   "bool",     "int",       "enum",        "pointer", "string",    "buffer", "array",
       "struct", "tuple",    "record",    "kstack",      "ustack",  "ksym",      "usym",   "inet",
       "mac",    "username", "timestamp", "cgroup_path", "probe",   "probetype", "count",  "sum",
       "min",    "max",      "avg",       "stats",       "hist",    "lhist",     "tseries"});
}
inline constexpr auto names_of(EventKind) {
  return std::to_array<std::string_view>({"printf", "errorf", "warnf", "cat", "system", "print",
                                          "join", "time", "exit", "print_map", "clear", "zero",
                                          "error", "skboutput", "unwatch", "watch"});
}
inline constexpr auto names_of(MapType) {
  return std::to_array<std::string_view>(
      {"hash", "array", "percpu_hash", "percpu_array", "lru_hash", "lru_percpu_hash"});
}
inline constexpr auto names_of(Relocation::Kind) {
  return std::to_array<std::string_view>({"tracepoint_field", "probe_id", "usdt_argument",
                                          "user_symbol", "function_argument", "link_header",
                                          "next_program", "session"});
}
inline constexpr auto names_of(ParameterKind) {
  return std::to_array<std::string_view>({"integer", "string", "bool", "printed"});
}

template <class A>
void fields(A &a, Field &v) {
  a("name", v.name);
  a("offset", v.offset);
  a("bit_offset", v.bit_offset);
  a("bit_size", v.bit_size);
  a("type", v.type);
}

template <class A>
void fields(A &a, ValueType &v) {
  a("kind", v.kind);
  a("size", v.size);
  a("signed", v.is_signed);
  a("count", v.count);
  a("name", v.name);
  a("format", v.format);
  a("stack_mode", v.stack_mode);
  a("stack_limit", v.stack_limit);
  a("is_unwound", v.is_unwound);
  a("bits", v.bits);
  a("min", v.min);
  a("max", v.max);
  a("step", v.step);
  a("interval_ns", v.interval_ns);
  a("intervals", v.intervals);
  a("function", v.function);
  a("fields", v.fields);
  a("enumerators", v.enumerators);
}

template <class A>
void fields(A &a, Event &v) {
  a("kind", v.kind);
  a("format", v.format);
  a("arguments", v.arguments);
  a("size", v.size);
  a("map", v.map);
  a("location", v.location);
}

template <class A>
void fields(A &a, Map &v) {
  a("name", v.name);
  a("elf_name", v.elf_name);
  a("type", v.type);
  a("key", v.key);
  a("value", v.value);
  a("key_size", v.key_size);
  a("value_size", v.value_size);
  a("scalar", v.is_scalar);
  a("bucket_keyed", v.is_bucket_keyed);
  a("location", v.location);
}

template <class A>
void fields(A &a, Relocation &v) {
  a("kind", v.kind);
  a("instruction", v.instruction);
  a("in_text", v.is_in_text);
  a("field", v.field);
  a("size", v.size);
  a("argument", v.argument);
  a("add", v.is_add);
  a("built_value", v.built_value);
}

template <class A>
void fields(A &a, AttachPoint &v) {
  a("family", v.family);
  a("name", v.name);
  a("category", v.category);
  a("target", v.target);
  a("binary", v.binary);
  a("offset", v.offset);
  a("address", v.address);
  a("period_ns", v.period_ns);
  a("frequency", v.frequency);
  a("sample_period", v.sample_period);
  a("period", v.period_text);
  a("length", v.length);
  a("mode", v.mode);
  a("has_address", v.has_address);
  a("wildcard", v.has_wildcard);
  a("demangled", v.is_demangled);
  a("source_file", v.source_file);
  a("source_line", v.source_line);
  a("source_column", v.source_column);
  a("build_id", v.build_id);
  a("location", v.location);
}

template <class A>
void fields(A &a, Program &v) {
  a("name", v.name);
  a("section", v.section);
  a("attach_points", v.attach_points);
  a("uses_probe_id", v.uses_probe_id);
  a("entry", v.is_entry);
  a("dispatch", v.dispatch);
  a("dispatch_columns", v.dispatch_columns);
  a("dispatch_column", v.dispatch_column);
  a("override", v.is_override);
  a("relocations", v.relocations);
}

template <class A>
void fields(A &a, Parameter &v) {
  a("name", v.name);
  a("positional", v.is_positional);
  a("kind", v.kind);
  a("integer", v.default_integer);
  a("string", v.default_string);
  a("description", v.description);
}

template <class A>
void fields(A &a, ErrorSite &v) {
  a("what", v.what);
  a("always_reported", v.is_always_reported);
  a("location", v.location);
}

template <class A>
void fields(A &a, Settings &v) {
  a("perf_rb_pages", v.perf_rb_pages);
  a("max_cat_bytes", v.max_cat_bytes);
  a("max_probes", v.max_probes);
  a("log_size", v.log_size);
  a("str_trunc_trailer", v.str_trunc_trailer);
  a("missing_probes", v.missing_probes);
  a("cache_user_symbols", v.cache_user_symbols);
  a("stack_mode", v.stack_mode);
  a("print_maps_on_exit", v.print_maps_on_exit);
  a("cpp_demangle", v.cpp_demangle);
  a("lazy_symbolication", v.lazy_symbolication);
  a("show_debug_info", v.show_debug_info);
  a("needs_unsafe", v.needs_unsafe);
}

template <class A>
void fields(A &a, Description &v) {
  a("version", v.version);
  a("script_name", v.script_name);
  a("script_text", v.script_text);
  a("programs", v.programs);
  a("maps", v.maps);
  a("events", v.events);
  a("parameters", v.parameters);
  a("error_sites", v.error_sites);
  a("kernel_symbols", v.kernel_symbols);
  a("cgroups", v.cgroups);
  a("kfuncs", v.kfuncs);
  a("settings", v.settings);
}

}  // namespace awl::object
