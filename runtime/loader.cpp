#include "runtime/loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>

#include "base/file.h"
#include "runtime/attach/function_types.h"
#include "runtime/attach/tracing_errors.h"
#include "runtime/kernel_limits.h"
#include "runtime/libbpf_messages.h"
#include "runtime/needed_types.h"
#include "runtime/object_maps.h"
#include "runtime/patch_program.h"
#include "runtime/ring_reader.h"
#include "runtime/tracing_programs.h"
#include "runtime/unwind/unwind_tables.h"
#include "runtime/variables.h"
#include "runtime/verifier_log.h"

namespace awl::runtime {
namespace {

constexpr uint32_t kControlRingSize = 256u << 10;
constexpr size_t kMaxLogSize = 64u << 20;
constexpr std::string_view kHookPrefix = "lsm/";
constexpr size_t kMaxSkipped = 64;  // functions in a row that the kernel does not let be traced

Error explain_eperm(const Error &error) {
  if (error.code != EPERM && error.code != EACCES) return error;
  if (geteuid() == 0) return error;
  return {"tracing needs root, or the capabilities CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN (" +
              error.message + ")",
          error.code};
}

}  // namespace

// Does the steps in order; an object of this class lives for one load_object().
class Loader {
 public:
  Loader(ObjectFile file, const object::Description &description, const Plan &plan,
         const LoadInputs &inputs, object::Location &refused)
      : file_(std::move(file)),
        description_(description),
        plan_(plan),
        inputs_(inputs),
        refused_(refused),
        log_size_(std::clamp<size_t>(description.settings.log_size, 4096, kMaxLogSize)) {}

  Result<LoadedObject> load() {
    take_libbpf_messages(inputs_.debug_libbpf);
    loaded_.programs_.resize(description_.programs.size());
    Status limits = check_kernel_limits(file_, description_);
    if (!limits) return limits.error();
    Result<NeededTypes> types =
        find_needed_types(file_, description_, plan_, inputs_.head_start.get());
    if (!types) return types.error();
    types_ = std::move(*types);
    tracing_.emplace();
    skipped_.assign(description_.programs.size(), 0);
    size_t rounds = 1;
    for (size_t i = 0; i < description_.programs.size(); ++i) {
      loaded_.programs_[i].assign(plan_.instances[i].size(), -1);
      size_t own = 0;
      while (instance_of_round(i, own)) ++own;
      rounds = std::max(rounds, own);
    }
    for (size_t round = 0; round < rounds; ++round) {
      Status status = load_round(round);
      if (!status) return explain_eperm(status.error());
    }
    Status named = fill_probe_names();
    if (named) named = fill_next_programs();
    if (!named) return named.error();
    return std::move(loaded_);
  }

 private:
  struct Free {
    void operator()(char *memory) const { free(memory); }
  };
  using Log = std::unique_ptr<char, Free>;
  // Zeroes that cost nothing until the kernel writes to them.
  Log allocate_log() const { return Log(static_cast<char *>(calloc(log_size_, 1))); }

  // The index of the instance of a program that a round loads: copies are made from the one
  // before.
  std::optional<size_t> instance_of_round(size_t program, size_t round) {
    const std::vector<Instance> &instances = plan_.instances[program];
    for (size_t k = 0; k < instances.size(); ++k) {
      if (!instances[k].is_copy && round-- == 0) return k + skipped_[program];
    }
    return std::nullopt;
  }

  // The kernel does not let every function be traced that a pattern finds. True: the program that
  // was refused is tied to the next one.
  bool skip_refused(size_t round) {
    for (size_t i = 0; i < description_.programs.size(); ++i) {
      if (description_.programs[i].name != libbpf_messages().refused_program) continue;
      const std::vector<Instance> &instances = plan_.instances[i];
      const std::optional<size_t> k = instance_of_round(i, round);
      if (!k || !instances[*k].targets.front().is_optional) return false;
      if (*k + 1 >= instances.size() || !instances[*k + 1].is_copy) return false;
      if (++skipped_[i] > kMaxSkipped) return false;
      logs_.clear();
      return true;
    }
    return false;
  }

  // Loads the instance `round` of every program that has so many.
  Status load_round(size_t round) {
    skipped_.assign(description_.programs.size(), 0);
    for (size_t i = 0; i < description_.programs.size(); ++i) {
      const std::optional<size_t> k = instance_of_round(i, round);
      if (!k) continue;
      Status patched = patch_program(file_, description_.programs[i], plan_.instances[i][*k]);
      if (!patched) return patched.error();
    }
    Result<BpfObject> opened = load_once(round);
    while (!opened && skip_refused(round)) opened = load_once(round);
    if (!opened) return opened.error();
    BpfObject object = std::move(*opened);
    for (size_t i = 0; i < description_.programs.size(); ++i) {
      const std::optional<size_t> k = instance_of_round(i, round);
      if (!k) continue;
      bpf_program *program =
          bpf_object__find_program_by_name(object.get(), description_.programs[i].name.c_str());
      loaded_.programs_[i][*k] = bpf_program__fd(program);
      Status copied = load_copies(i, *k, program);
      if (!copied) return copied.error();
    }
    loaded_.objects_.push_back(std::move(object));
    return ok();
  }

  Result<BpfObject> load_once(size_t round) {
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "awl");
    if (!types_.path.empty()) options.btf_custom_path = types_.path.c_str();
    BpfObject object(bpf_object__open_mem(file_.bytes().data(), file_.bytes().size(), &options));
    if (object == nullptr) return libbpf_error("cannot open the object", errno);
    Status prepared = prepare_programs(object.get(), round);
    if (!prepared) return prepared.error();
    prepared = round == 0 ? prepare_maps(object.get()) : reuse_maps(object.get());
    if (!prepared) return prepared.error();
    libbpf_messages() = {};
    const int failed = bpf_object__load(object.get()) != 0 ? errno : 0;
    if (inputs_.debug_verifier) {
      for (const Log &log : logs_) fputs(log.get(), stderr);
    }
    if (failed != 0) return explain_failure(failed);
    return object;
  }

  // Loads the copies of an instance, one for each further function. One that the kernel does not
  // let be traced stays without a program.
  Status load_copies(size_t index, size_t original, bpf_program *program) {
    const std::vector<Instance> &instances = plan_.instances[index];
    const ObjectSection *license = file_.find_section("license");
    const std::string text = license != nullptr ? file_.section_text(*license) : "GPL";
    for (size_t k = original + 1; k < instances.size() && instances[k].is_copy; ++k) {
      Result<TracingTarget> target = tracing_target(instances[k].targets.front());
      if (!target) return target.error();
      Result<FileDescriptor> copy =
          tracing_->load_copy(program, *target, text.c_str(), logs_.back().get(), log_size_);
      if (!copy) {
        const int code = copy.error().code;
        if (code == EMFILE || code == ENFILE || code == ENOMEM) return copy.error();
        continue;
      }
      loaded_.programs_[index][k] = copy->get();
      loaded_.copies_.push_back(std::move(*copy));
    }
    return ok();
  }

  // What the program for a target of fentry or fexit is tied to.
  Result<TracingTarget> tracing_target(const Target &target) {
    TracingTarget result{target.btf_id, -1, -1};
    if (target.bpf_program != 0) {
      FileDescriptor &program = traced_programs_[target.bpf_program];
      if (!program) program = FileDescriptor(bpf_prog_get_fd_by_id(target.bpf_program));
      if (!program) return Error::from_errno("cannot open the BPF program of " + target.name);
      result.program = program.get();
    } else if (target.category != "vmlinux") {
      FileDescriptor &module = module_types_[target.category];
      if (!module) {
        Result<FileDescriptor> opened = open_module_btf(target.category);
        if (!opened) return opened.error();
        module = std::move(*opened);
      }
      result.module_btf = module.get();
    }
    return result;
  }

  Status prepare_programs(bpf_object *object, size_t round) {
    bpf_program *program;
    bpf_object__for_each_program(program, object) { bpf_program__set_autoload(program, false); }
    for (size_t i = 0; i < description_.programs.size(); ++i) {
      const std::optional<size_t> k = instance_of_round(i, round);
      if (!k) continue;
      const Instance &instance = plan_.instances[i][*k];
      const object::Program &described = description_.programs[i];
      program = bpf_object__find_program_by_name(object, described.name.c_str());
      if (program == nullptr) return Error{"the object has no program " + described.name};
      if (bpf_program__section_name(program) != described.section) {
        return Error{"program " + described.name + " is not in section " + described.section};
      }
      bpf_program__set_autoload(program, true);
      if (const MultiLink link = instance.targets.front().link; link != MultiLink::kNone)
        bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(link));
      Status tied = tie(described, instance);
      if (!tied) return tied;
      // Programs are loaded one after another and the first failure ends it, so they share a
      // buffer, unless all logs are wanted.
      if (logs_.empty() || inputs_.debug_verifier) logs_.push_back(allocate_log());
      bpf_program__set_log_buf(program, logs_.back().get(), log_size_);
      if (inputs_.debug_verifier) bpf_program__set_log_level(program, 1);
    }
    return ok();
  }

  Status tie(const object::Program &program, const Instance &instance) {
    if (!TracingPrograms::is_section(program.section)) return ok();
    if (program.section.starts_with(kRawBtfPrefix)) {
      const auto id = types_.trace_ids.find(program.section.substr(kRawBtfPrefix.size()));
      if (id == types_.trace_ids.end()) {
        return Error{"the kernel's types (BTF) have no raw tracepoint " + program.section};
      }
      tracing_->set_target(program.name, {id->second, -1, -1});
      return ok();
    }
    Result<TracingTarget> target = tracing_target(instance.targets.front());
    if (!target) return target.error();
    tracing_->set_target(program.name, *target);
    return ok();
  }

  Status prepare_maps(bpf_object *object) {
    Status checked = check_maps(object, description_);
    if (!checked) return checked;
    const size_t output_size = output_ring_size(description_);
    resize_map(object, object::kOutputRing, static_cast<uint32_t>(output_size));
    if (inputs_.head_start) {
      bpf_map *ring = bpf_object__find_map_by_name(object, object::kOutputRing);
      const FileDescriptor early = inputs_.head_start->take_ring(output_size);
      if (ring != nullptr && early && bpf_map__reuse_fd(ring, early.get()) != 0)
        return libbpf_error("cannot use the output ring", errno);
    }
    resize_map(object, object::kControlRing, kControlRingSize);
    resize_map(object, object::kNextProgramsMap, static_cast<uint32_t>(std::max(plan_.chained, 1)));
    resize_map(object, object::kProbeNamesMap,
               static_cast<uint32_t>(std::max<size_t>(plan_.names.size(), 1)));
    bpf_map *map;
    bpf_object__for_each_map(map, object) {
      if (bpf_map__type(map) == BPF_MAP_TYPE_STACK_TRACE) limit_frames(map);
      if (bpf_map__type(map) == BPF_MAP_TYPE_ARRAY_OF_MAPS) {
        table_template_ = make_unwind_table(0);
        if (!table_template_) return Error::from_errno("cannot make tables to unwind stacks by");
        bpf_map__set_inner_map_fd(map, table_template_.get());
      }
      const std::string section = bpf_map__name(map);
      const size_t dot = section.find(".rodata");
      if (dot == std::string::npos || section.substr(dot) != ".rodata") continue;
      size_t size = 0;
      void *data = const_cast<void *>(bpf_map__initial_value(map, &size));
      if (data == nullptr) return Error{"the object's constants cannot be set"};
      return set_variables({file_, description_, plan_, inputs_, types_.trace_ids},
                           static_cast<uint8_t *>(data), size);
    }
    return ok();
  }

  // For programs that compare the probe's name with text.
  Status fill_probe_names() {
    const int fd = loaded_.map(object::kProbeNamesMap);
    if (fd < 0) return ok();
    for (uint32_t id = 0; id < plan_.names.size(); ++id) {
      char text[object::kProbeNameSize] = {};
      plan_.names[id].name.copy(text, sizeof(text) - 1);
      if (bpf_map_update_elem(fd, &id, text, BPF_ANY) != 0) {
        return Error::from_errno("cannot write the names of the probes");
      }
    }
    return ok();
  }

  // For programs that hand over to another one.
  Status fill_next_programs() {
    const int fd = loaded_.map(object::kNextProgramsMap);
    if (fd < 0) return ok();
    for (size_t i = 0; i < plan_.instances.size(); ++i) {
      for (size_t k = 0; k < plan_.instances[i].size(); ++k) {
        const int32_t index = plan_.instances[i][k].chain_index;
        const int program = loaded_.program(i, k);
        if (index >= 0 && bpf_map_update_elem(fd, &index, &program, BPF_ANY) != 0) {
          return Error::from_errno("cannot chain the programs");
        }
      }
    }
    return ok();
  }

  Status reuse_maps(bpf_object *object) {
    bpf_map *map;
    bpf_object__for_each_map(map, object) {
      const int fd = loaded_.map(bpf_map__name(map));
      if (fd >= 0 && bpf_map__reuse_fd(map, fd) != 0) {
        return libbpf_error(std::string("cannot share the map ") + bpf_map__name(map), errno);
      }
    }
    return ok();
  }

  // bpf_object__load() failed: the verifier's log if a program was refused, else libbpf's words.
  Error explain_failure(int code) const {
    if (code == EPERM && geteuid() != 0) return Error::from_errno("cannot load the programs", code);
    const Log *log = nullptr;  // the last that was written to
    for (const Log &candidate : logs_) {
      if (candidate.get()[0] != '\0') log = &candidate;
    }
    if (log == nullptr) return explain_without_log(code);
    return explain_verifier_log(std::string(log->get(), strnlen(log->get(), log_size_)),
                                libbpf_messages().refused_program, code, description_);
  }

  // The verifier said nothing: the kernel has no such programs, or the function is no place for
  // one.
  Error explain_without_log(int code) const {
    if (!libbpf_messages().refused_map.empty()) return explain_map(code);
    for (size_t i = 0; i < description_.programs.size(); ++i) {
      const object::Program &program = description_.programs[i];
      const bool is_tied =
          TracingPrograms::is_section(program.section) || program.section.starts_with(kHookPrefix);
      if (program.name != libbpf_messages().refused_program || !is_tied ||
          plan_.instances[i].empty())
        continue;
      const std::string &family = program.attach_points.front().family;
      if (family != "fentry" && family != "fexit" && family != "lsm") continue;
      const size_t index = std::min(skipped_[i], plan_.instances[i].size() - 1);
      const Target &target = plan_.instances[i][index].targets.front();
      refused_ = target.point->location;
      return explain_tracing_error(target, code).with_context("cannot attach to " + target.name);
    }
    return libbpf_error("cannot load the object", code);
  }

  Error explain_map(int code) const {
    std::string name = libbpf_messages().refused_map;
    std::string hint;
    for (const object::Map &map : description_.maps) {
      if (map.elf_name != name) continue;
      refused_ = map.location;
      name = map.name;
      if (code == ENOMEM || code == E2BIG) {
        hint = ". Fewer entries take less memory: let " + name +
               " = hash(1000), or max_map_keys for maps that are not declared";
      }
    }
    return {"cannot create the map " + name + ": " + strerror(code) + hint, code};
  }

  FileDescriptor table_template_;  // what the tables in an ARRAY_OF_MAPS look like
  NeededTypes types_;
  std::optional<TracingPrograms> tracing_;
  std::vector<size_t> skipped_;  // per program: functions that were refused in this round
  std::map<uint32_t, FileDescriptor> traced_programs_;
  std::map<std::string, FileDescriptor> module_types_;
  ObjectFile file_;
  const object::Description &description_;
  const Plan &plan_;
  const LoadInputs &inputs_;
  object::Location &refused_;
  LoadedObject loaded_;
  const size_t log_size_;
  std::vector<Log> logs_;
};

Result<LoadedObject> load_object(ObjectFile file, const object::Description &description,
                                 const Plan &plan, const LoadInputs &inputs,
                                 object::Location &refused) {
  return Loader(std::move(file), description, plan, inputs, refused).load();
}

}  // namespace awl::runtime
