#include "frontend/passes/resolve_probes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "frontend/ast/clone.h"
#include "frontend/passes/argument_use.h"
#include "frontend/probes/families.h"
#include "frontend/probes/function_arguments.h"
#include "frontend/probes/network.h"
#include "frontend/probes/probe_diagnostics.h"
#include "frontend/probes/tracepoint_arguments.h"
#include "frontend/probes/tracepoint_format.h"
#include "frontend/probes/user_arguments.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kNoProbes, Error, "no-probes", "there is nothing to attach to");
AWL_DIAGNOSTIC(kIteratorMixed, Error, "iterator-mixed",
               "an iterator runs once and ends: it cannot be mixed with other probes");
AWL_DIAGNOSTIC(kTooManyPrograms, Error, "too-many-programs",
               "the script needs {} programs, and the limit is {}", size_t, uint64_t);

// System calls are traced through the raw entry and exit tracepoints and ask for programs of
// their own; all other targets of a family can share one.
int program_kind(const ProbeSpec &spec) {
  if (spec.family == ProbeFamily::kSyscall) return is_exit_probe(spec) ? 2 : 1;
  if (spec.family != ProbeFamily::kTracepoint || spec.category != "syscalls") return 0;
  if (spec.target.starts_with("sys_enter_")) return 1;
  return spec.target.starts_with("sys_exit_") ? 2 : 0;
}

// One event with the type of its `args`.
struct EventArguments {
  std::string category, event;
  TypeRef args = nullptr;
  TypeRef retval = nullptr;
};

class ProbeResolver {
 public:
  ProbeResolver(Compilation &compilation, Target &target, const Options &options)
      : compilation_(compilation), target_(target), context_{compilation.diagnostics,
                                                             compilation.types,
                                                             target,
                                                             options,
                                                             compilation.checked.config,
                                                             {}} {}

  void run(ast::Program &program) {
    std::vector<ast::Clause *> clauses;
    for (uint32_t i = 0; i < program.clauses.size(); ++i) resolve(program.clauses[i], i, clauses);
    program.clauses = std::move(clauses);
    const std::vector<ProgramInfo> &programs = compilation_.checked.programs;
    uint64_t limit = context_.config.max_bpf_progs;
    if (programs.size() > limit) {
      compilation_.diagnostics
          .emit(programs[limit].probes[0].attach_point->span, kTooManyPrograms, programs.size(),
                limit)
          .hint("raise the configuration variable max_bpf_progs");
    }
    check_iterators(programs);
    if (programs.empty() && !compilation_.diagnostics.has_errors()) {
      Span start{program.span.source, program.span.begin, program.span.begin};
      compilation_.diagnostics.emit(start, kNoProbes);
    }
  }

 private:
  // Programs of one clause, by what their specs must have in common.
  using Groups = std::vector<std::pair<std::string, std::vector<ProbeSpec>>>;

  void resolve(ast::Clause *clause, uint32_t index, std::vector<ast::Clause *> &clauses) {
    std::vector<ProbeSpec> specs;
    for (const ast::AttachPoint *point : clause->attach_points) {
      std::vector<ProbeSpec> resolved = resolve_attach_point(context_, *point);
      std::move(resolved.begin(), resolved.end(), std::back_inserter(specs));
    }
    bool has_typed_exits = std::all_of(specs.begin(), specs.end(), [](const ProbeSpec &spec) {
      return spec.family == ProbeFamily::kFexit;
    });
    if (has_typed_exits) take_entry_names_from_args(*clause);
    ClauseUse use{find_use(*clause, "args"), find_use(*clause, "entry")};
    Groups groups;
    for (ProbeSpec &spec : specs) add_spec(std::move(spec), use, groups);
    // The copies are made from the tree as it was written; the original serves the last group.
    for (size_t i = 0; i < groups.size(); ++i) {
      bool is_last = i + 1 == groups.size();
      ast::Clause *body =
          is_last ? clause : ast::Cloner(compilation_.context).clone(std::as_const(clause));
      ProgramInfo info;
      info.clause = body;
      info.clause_index = index;
      info.probes = std::move(groups[i].second);
      compilation_.checked.programs.push_back(std::move(info));
      clauses.push_back(body);
    }
  }

  // With an iterator go `begin` and `end`, and with one that is pinned nothing.
  void check_iterators(const std::vector<ProgramInfo> &programs) {
    const ProbeSpec *iterator = nullptr;
    std::vector<const ProbeSpec *> others;
    for (const ProgramInfo &program : programs) {
      for (const ProbeSpec &probe : program.probes) {
        if (probe.family == ProbeFamily::kIter && !iterator) {
          iterator = &probe;
        } else {
          others.push_back(&probe);
        }
      }
    }
    if (!iterator) return;
    for (const ProbeSpec *other : others) {
      bool is_special = other->family == ProbeFamily::kBegin || other->family == ProbeFamily::kEnd;
      if (is_special && iterator->binary.empty()) continue;
      compilation_.diagnostics.emit(other->attach_point->span, kIteratorMixed)
          .note(iterator->attach_point->span, "the iterator");
      return;
    }
  }

  void add_spec(ProbeSpec spec, const ClauseUse &uses, Groups &groups) {
    std::string key = fmt::format("{} {}", static_cast<int>(spec.family), program_kind(spec));
    if (is_network(spec.family)) key += " " + spec.category;
    // The program that finds the address belongs to it alone.
    if (spec.watched_argument) key += (spec.is_async ? " async " : " ") + spec.name;
    if (is_user_watchpoint(spec)) key += " user";  // whose memory pointers are followed in
    if (spec.family == ProbeFamily::kSyscall) {
      add_syscall(std::move(spec), uses, key, groups);
      return;
    }
    if (is_exit_probe(spec) && uses.entry.is_used) spec.entry_type = entry_words(uses.entry);
    if (spec.family == ProbeFamily::kUretprobe && !uses_only_words(uses.entry) &&
        !add_entry_names(spec, uses.entry)) {
      return;
    }
    const ArgumentUse &use = uses.args;
    if (spec.family == ProbeFamily::kUretprobe && use.retval) {
      set_return_type(target_, compilation_.types, spec);
      key += fmt::format(" {}", static_cast<const void *>(spec.retval_type));
    }
    if (spec.family == ProbeFamily::kUprobe && use.is_used) {
      add_user_functions(std::move(spec), use, key, groups);
      return;
    }
    bool is_raw = spec.family == ProbeFamily::kRawTracepoint;
    bool is_function = spec.family == ProbeFamily::kFentry || spec.family == ProbeFamily::kFexit;
    if (is_function) return add_function(std::move(spec), use, key, groups);
    if (!use.is_used || (spec.family != ProbeFamily::kTracepoint && !is_raw)) {
      add_to_group(std::move(spec), key, groups);
      return;
    }
    std::vector<EventArguments> events =
        is_raw ? raw_events(spec, *use.first) : tracepoint_events(spec, use);
    add_events(std::move(spec), std::move(events), use, key, groups);
  }

  void add_events(ProbeSpec spec, std::vector<EventArguments> events, const ArgumentUse &use,
                  const std::string &key, Groups &groups) {
    // One signature: the pattern stays a pattern. Several: each has a program of its own, for the
    // events that are there now.
    Signatures by_signature;
    for (EventArguments &event : events) {
      by_signature[signature(event.args, use, true)].push_back(std::move(event));
    }
    add_signatures(std::move(spec), by_signature, key, groups);
  }

  // Events by what the code made from a clause depends on.
  using Signatures = std::map<std::string, std::vector<EventArguments>>;

  static void add_signatures(ProbeSpec spec, const Signatures &by_signature, const std::string &key,
                             Groups &groups) {
    if (by_signature.size() == 1) {
      set_arguments(spec, by_signature.begin()->second.front().args);
      if (TypeRef retval = by_signature.begin()->second.front().retval) spec.retval_type = retval;
      add_to_group(std::move(spec), key + by_signature.begin()->first, groups);
      return;
    }
    for (const auto &[used, alike] : by_signature) {
      for (const EventArguments &event : alike) {
        ProbeSpec single = spec;
        single.category = event.category;
        single.target = event.event;
        single.has_wildcard = false;
        bool is_syscall = spec.family == ProbeFamily::kSyscall;
        single.name = fmt::format("{}:{}:{}", family_name(spec.family),
                                  is_syscall ? event.event : event.category,
                                  is_syscall ? event.category : event.event);
        set_arguments(single, alike.front().args);
        if (TypeRef retval = alike.front().retval) single.retval_type = retval;
        add_to_group(std::move(single), key + used, groups);
      }
    }
  }

  // At the exit of a system call `args` are those of its entry.
  static void set_arguments(ProbeSpec &spec, TypeRef args) {
    spec.args_type = args;
    if (spec.family == ProbeFamily::kSyscall && is_exit_probe(spec)) spec.entry_type = args;
  }

  void add_syscall(ProbeSpec spec, const ClauseUse &uses, const std::string &key, Groups &groups) {
    bool is_exit = is_exit_probe(spec);
    ArgumentUse use = uses.args;
    if (is_exit) {
      spec.retval_type = compilation_.types.int64();
      use.is_used |= uses.entry.is_used;
      use.is_whole |= uses.entry.is_whole;
      use.fields.insert(uses.entry.fields.begin(), uses.entry.fields.end());
      if (!use.first) use.first = uses.entry.first;
      if (use.is_used && uses_only_words(use)) {
        spec.entry_type = entry_words(use);
        use.is_used = false;
      }
    }
    if (!use.is_used) {
      add_to_group(std::move(spec), key, groups);
      return;
    }
    std::vector<EventArguments> events = syscall_events(spec, use);
    add_events(std::move(spec), std::move(events), use, key, groups);
  }

  std::vector<EventArguments> syscall_events(const ProbeSpec &spec, const ArgumentUse &use) {
    std::vector<std::string> names{spec.target};
    if (spec.has_wildcard) names = matching_syscalls(spec.target);
    std::vector<EventArguments> events;
    std::string reason = "no system call is called so";
    for (const std::string &name : names) {
      Result<std::vector<SyscallParameter>> parameters = syscall_parameters(target_, name);
      if (!parameters) {
        reason = parameters.error().message;
        continue;
      }
      StructDef::Origin origin = is_exit_probe(spec) ? StructDef::Origin::kEntryArguments
                                                     : StructDef::Origin::kProbeArguments;
      TypeRef args = syscall_arguments(compilation_.types, name, *parameters, origin,
                                       use.is_whole ? std::set<std::string>{} : use.fields);
      if (is_exit_probe(spec)) add_words(*args->struct_def, use);
      events.push_back({spec.category, name, args});
    }
    if (events.empty()) {
      compilation_.diagnostics.emit(*use.first, kProbeArgumentsUnknown, spec.name, reason);
    }
    return events;
  }

  // Those of `arg0`… that are used by name become members of the arguments at entry.
  void add_words(StructDef &def, const ArgumentUse &use) {
    for (const std::string &field : use.fields) {
      std::optional<uint32_t> number = word_number(field);
      if (!number) continue;
      StructDef::Member member;
      member.name = field;
      member.type = compilation_.types.uint64();
      member.bit_offset = *number * 64;
      def.members.push_back(std::move(member));
      def.size = std::max(def.size, (*number + 1) * 8);
    }
  }

  // The arguments at entry where nothing is known of their names and types.
  TypeRef entry_words(const ArgumentUse &use) {
    StructDef *def = compilation_.types.new_struct();
    def->name = "entry";
    def->origin = StructDef::Origin::kEntryArguments;
    ArgumentUse words = use;
    for (uint32_t i = 0; use.is_whole && i < kWordCount; ++i) {
      words.fields.insert("arg" + std::to_string(i));
    }
    add_words(*def, words);
    def->is_complete = true;
    return compilation_.types.struct_type(def);
  }

  // Arguments at entry by name, where debug information names them and they come in registers.
  // False after an error was emitted.
  bool add_entry_names(ProbeSpec &spec, const ArgumentUse &use) {
    auto refuse = [&](const std::string &reason) {
      compilation_.diagnostics.emit(*use.first, kProbeArgumentsUnknown, spec.name, reason);
      return false;
    };
    Result<std::vector<UserFunctionArguments>> functions =
        user_function_arguments(compilation_.types, target_, spec);
    // All of `entry` is the registers where names are not known.
    if (!functions) return use.fields.empty() || refuse(functions.error().message);
    const UserFunctionArguments &first = functions->front();
    for (const UserFunctionArguments &other : *functions) {
      bool is_alike = signature(other.args, use, true) == signature(first.args, use, true) &&
                      other.places == first.places;
      if (!is_alike) return refuse("they differ between " + first.symbol + " and " + other.symbol);
    }
    StructDef &def = *spec.entry_type->struct_def;
    const std::vector<StructDef::Member> &members = first.args->struct_def->members;
    for (size_t i = 0; i < members.size(); ++i) {
      if (!use.fields.contains(members[i].name)) continue;
      const UserArgumentPlace &place = first.places[i];
      const TypeRef type = members[i].type;
      const bool is_value = type->is_integral() || type->is_pointer() || type->is_struct();
      if (place.kind != UserArgumentPlace::Kind::kRegister || !is_value) {
        return refuse(members[i].name + " is not in a register" +
                      (place.problem.empty()
                           ? " when the function is entered; a uprobe has it in args"
                           : ": " + place.problem));
      }
      StructDef::Member member = members[i];
      member.bit_offset = place.number * 64;
      def.members.push_back(std::move(member));
      const uint32_t words = (compilation_.types.size_of(type) + 7) / 8;
      def.size = std::max(def.size, (place.number + words) * 8);
    }
    compilation_.types.update_struct(&def);
    spec.build_id = first.build_id;
    return true;
  }

  // As with events: functions whose arguments are alike are a pattern, or share a program.
  void add_user_functions(ProbeSpec spec, const ArgumentUse &use, const std::string &key,
                          Groups &groups) {
    Result<std::vector<UserFunctionArguments>> functions =
        user_function_arguments(compilation_.types, target_, spec);
    if (!functions) {
      compilation_.diagnostics.emit(*use.first, kProbeArgumentsUnknown, spec.name,
                                    functions.error().message);
      return;
    }
    std::map<std::string, std::vector<UserFunctionArguments>> by_signature;
    for (UserFunctionArguments &function : *functions) {
      std::string text = signature(function.args, use, true);
      for (const UserArgumentPlace &place : function.places) {
        text += fmt::format(" {}/{}/{}", static_cast<int>(place.kind), place.number, place.offset);
      }
      by_signature[text].push_back(std::move(function));
    }
    for (const auto &[text, alike] : by_signature) {
      const UserFunctionArguments &first = alike.front();
      spec.args_type = first.args;
      spec.argument_places = first.places;
      spec.build_id = first.build_id;
      if (by_signature.size() == 1) return add_to_group(std::move(spec), key + text, groups);
      for (const UserFunctionArguments &function : alike) {
        ProbeSpec single = spec;
        single.target = function.symbol;
        single.has_wildcard = single.is_demangled = false;
        single.name =
            fmt::format("{}:{}:{}", family_name(spec.family), spec.binary, function.symbol);
        add_to_group(std::move(single), key + text, groups);
      }
    }
  }

  static void add_to_group(ProbeSpec spec, const std::string &key, Groups &groups) {
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const auto &group) { return group.first == key; });
    if (found == groups.end()) found = groups.insert(groups.end(), {key, {}});
    // All specs of a program have one type of arguments.
    if (!found->second.empty()) {
      spec.args_type = found->second.front().args_type;
      spec.entry_type = found->second.front().entry_type;
      spec.argument_places = found->second.front().argument_places;
      spec.retval_type = found->second.front().retval_type;
    }
    found->second.push_back(std::move(spec));
  }

  // Where arguments and returned value of a kernel function lie is found out when the program is
  // loaded, so only their types matter.
  void add_function(ProbeSpec spec, const ArgumentUse &use, const std::string &key,
                    Groups &groups) {
    bool uses_retval = use.retval && spec.family == ProbeFamily::kFexit;
    if (!use.is_used && !uses_retval) return add_to_group(std::move(spec), key, groups);
    Span span = use.is_used ? *use.first : *use.retval;
    Signatures by_signature;
    for (EventArguments &event : function_events(spec, span, uses_retval)) {
      std::string text = use.is_used ? signature(event.args, use, false) : "";
      if (uses_retval) text += fmt::format(" returns {}", static_cast<const void *>(event.retval));
      by_signature[text].push_back(std::move(event));
    }
    if (!by_signature.empty()) add_signatures(std::move(spec), by_signature, key, groups);
  }

  // The functions that a probe means, with the types of their arguments. An error was emitted when
  // there are none.
  std::vector<EventArguments> function_events(const ProbeSpec &spec, Span use, bool uses_retval) {
    std::vector<EventArguments> events;
    std::string reason = "the kernel does not describe them";
    if (!target_.has_btf()) reason = "the kernel has no type information (BTF)";
    if (spec.category == "bpf") reason = "those of BPF programs are not read";
    std::string without_result;
    for (const std::string &full : function_names(spec)) {
      size_t colon = full.find(':');
      std::string module = full.substr(0, colon), name = full.substr(colon + 1);
      std::optional<FunctionSignature> function =
          target_.kernel_function(compilation_.types, module, name);
      if (!function) continue;
      module = function->module.empty() ? "vmlinux" : function->module;
      TypeRef result = function->return_type;
      // The kernel lets no function be traced that returns a struct.
      bool has_result = result && result->kind != TypeKind::kVoid && !result->is_struct();
      if (uses_retval && !has_result) {
        without_result = fmt::format("{}:{}", family_name(spec.family), name);
        continue;
      }
      std::string event = fmt::format("{}:{}:{}", family_name(spec.family), module, name);
      TypeRef args = function_arguments(compilation_.types, event, *function);
      events.push_back({module, name, args, uses_retval ? result : nullptr});
    }
    if (!events.empty()) return events;
    if (!without_result.empty()) {
      compilation_.diagnostics.emit(use, kProbeNoReturnValue, without_result);
    } else {
      compilation_.diagnostics.emit(use, kProbeArgumentsUnknown, spec.name, reason);
    }
    return events;
  }

  // "module:function" of what a probe means here; the module may be empty.
  std::vector<std::string> function_names(const ProbeSpec &spec) {
    if (spec.category == "bpf") return {};
    if (!spec.has_wildcard) return {spec.category + ":" + spec.target};
    std::vector<std::string> typed = target_.typed_functions(spec.category, spec.target);
    std::vector<std::string> traceable = target_.kernel_functions(spec.category, spec.target);
    std::vector<std::string> names;
    std::set_intersection(typed.begin(), typed.end(), traceable.begin(), traceable.end(),
                          std::back_inserter(names));
    return names;
  }

  // What the code made from the clause depends on: type and, unless the loader finds it, place of
  // the fields it uses.
  std::string signature(TypeRef args, const ArgumentUse &use, bool has_place) {
    std::string text;
    const StructDef &def = compilation_.types.complete(args->struct_def);
    std::set<std::string> found;
    for (const StructDef::Member &member : def.members) {
      if (!use.is_whole && !use.fields.contains(member.name)) continue;
      found.insert(member.name);
      text += fmt::format(" {}:{}:{}", member.name, static_cast<const void *>(member.type),
                          has_place ? member.bit_offset : 0);
    }
    for (const std::string &field : use.fields) {
      if (!found.contains(field)) text += " no " + field;
    }
    return text;
  }

  std::vector<EventArguments> tracepoint_events(const ProbeSpec &spec, const ArgumentUse &use) {
    std::vector<std::pair<std::string, std::string>> names;
    if (spec.has_wildcard) {
      for (const std::string &name : target_.tracepoints(spec.category, spec.target)) {
        size_t colon = name.find(':');
        if (colon == std::string::npos) continue;
        names.emplace_back(name.substr(0, colon), name.substr(colon + 1));
      }
      std::sort(names.begin(), names.end());
      // All exits of system calls have the same record.
      if (program_kind(spec) == 2 && names.size() > 1) names.resize(1);
    } else {
      names.emplace_back(spec.category, spec.target);
    }
    std::vector<EventArguments> events;
    std::string reason = "no such tracepoint on this machine";
    for (const auto &[category, event] : names) {
      TypeRef args = tracepoint_type(category, event, use, &reason);
      if (args) events.push_back({category, event, args});
    }
    if (events.empty()) {
      compilation_.diagnostics.emit(*use.first, kProbeArgumentsUnknown, spec.name, reason);
    }
    return events;
  }

  TypeRef tracepoint_type(const std::string &category, const std::string &event,
                          const ArgumentUse &use, std::string *reason) {
    std::set<std::string> used = use.is_whole ? std::set<std::string>{} : use.fields;
    std::string key = fmt::format("{}:{} {}", category, event, fmt::join(used, " "));
    auto [entry, is_new] = argument_types_.try_emplace(key, nullptr);
    if (!is_new) return entry->second;
    Result<TracepointFormat> format =
        find_tracepoint_format(target_, compilation_.types, category, event);
    if (!format) {
      *reason = format.error().message;
      return nullptr;
    }
    uint32_t string_bytes = static_cast<uint32_t>(context_.config.max_strlen);
    entry->second =
        tracepoint_arguments(compilation_.types, category, event, *format, string_bytes, used);
    return entry->second;
  }

  std::vector<EventArguments> raw_events(const ProbeSpec &spec, Span use) {
    std::vector<std::string> names;
    if (spec.has_wildcard) {
      for (const std::string &name : target_.raw_tracepoints()) {
        size_t colon = name.find(':');
        std::string module = colon == std::string::npos ? "vmlinux" : name.substr(0, colon);
        std::string event = colon == std::string::npos ? name : name.substr(colon + 1);
        if (matches_pattern(spec.category, module) && matches_pattern(spec.target, event)) {
          names.push_back(event);
        }
      }
      std::sort(names.begin(), names.end());
    } else {
      names.push_back(spec.target);
    }
    std::vector<EventArguments> events;
    for (const std::string &name : names) {
      auto found = target_.raw_tracepoint(compilation_.types, name);
      if (!found) continue;
      std::string module = found->module.empty() ? "vmlinux" : found->module;
      events.push_back({module, name, raw_type(module, name, *found)});
    }
    if (events.empty()) {
      compilation_.diagnostics.emit(use, kProbeArgumentsUnknown, spec.name,
                                    target_.has_btf() ? "the kernel does not describe them"
                                                      : "the kernel has no type information (BTF)");
    }
    return events;
  }

  // The arguments lie in registers' worth of eight bytes each.
  TypeRef raw_type(const std::string &module, const std::string &event,
                   const FunctionSignature &function) {
    auto [entry, is_new] = argument_types_.try_emplace("raw " + module + ":" + event, nullptr);
    if (!is_new) return entry->second;
    StructDef *def = compilation_.types.new_struct();
    def->name = "rawtracepoint:" + module + ":" + event + "_args";
    def->origin = StructDef::Origin::kProbeArguments;
    for (const FunctionParameter &parameter : function.parameters) {
      StructDef::Member member;
      member.name = parameter.name;
      member.type = parameter.type ? parameter.type : compilation_.types.uint64();
      member.bit_offset = static_cast<uint32_t>(def->members.size()) * 64;
      member.type_text = parameter.type_text;
      def->members.push_back(std::move(member));
    }
    def->size = static_cast<uint32_t>(def->members.size()) * 8;
    def->is_complete = true;
    entry->second = compilation_.types.struct_type(def);
    return entry->second;
  }

  Compilation &compilation_;
  Target &target_;
  ProbeContext context_;
  std::map<std::string, TypeRef> argument_types_;  // by event and the fields that are used
};

}  // namespace

void resolve_probes(Compilation &compilation, ast::Program &program, Target &target,
                    const Options &options) {
  ProbeResolver(compilation, target, options).run(program);
}

}  // namespace awl::frontend
