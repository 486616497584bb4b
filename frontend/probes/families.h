// The table of probe families: one record each.
//
// A record says how a family is called and which function reads the parts of its attach points.
// Adding a family, or an option of one, means touching its record and its function here, and the
// record of the same name in codegen and runtime.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/diagnostics/diagnostic.h"
#include "frontend/frontend.h"
#include "frontend/probes/probe.h"

namespace awl::frontend {

// What reading an attach point may ask for.
struct ProbeContext {
  Diagnostics &diagnostics;
  TypeStore &types;
  Target &target;
  const Options &options;
  const Config &config;
  std::map<std::string, TypeRef> made_types;  // types made up for network families, by name
};

struct FamilyInfo {
  ProbeFamily family;
  const char *name;                       // canonical: "tracepoint"
  std::vector<std::string_view> aliases;  // "t", and old names
  const char *usage;                      // "tracepoint:CATEGORY:EVENT", for messages
  size_t min_parts = 0;                   // parts after the provider
  size_t max_parts = 0;
  // Fills in what the parts say; false after an error was emitted, or when the attach point is to
  // be left out. Null: there is nothing to read.
  bool (*resolve)(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) = nullptr;
};

const std::vector<FamilyInfo> &all_families();
// By name or alias; null when there is none.
const FamilyInfo *find_family(std::string_view provider);
const FamilyInfo &family_info(ProbeFamily family);
// The signals that self:signal:NAME can wait for.
const std::vector<std::string> &self_signals();

// The meaning of an attach point, mostly one spec: a pattern that means both entries and exits of
// system calls becomes two, as they are traced in different ways. None after an error was emitted
// or when it is left out (`test` outside of test mode, a missing probe that the configuration lets
// pass). `args` is not typed yet: see resolve_arguments.
std::vector<ProbeSpec> resolve_attach_point(ProbeContext &context, const ast::AttachPoint &point);

}  // namespace awl::frontend
