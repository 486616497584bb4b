#include "runtime/patch_program.h"

#include <linux/bpf.h>

#include <cstdint>
#include <string>

namespace awl::runtime {
namespace {

// A call that is to be made of a function of the kernel; 0: never.
Status patch_call(const object::Program &program, bpf_insn &instruction, int32_t function) {
  const bool is_unset = instruction.src_reg == 0 && instruction.imm == object::kNoHelper;
  const bool is_set = instruction.src_reg == BPF_PSEUDO_KFUNC_CALL;  // in the round before
  if (instruction.code != (BPF_JMP | BPF_CALL) || (!is_unset && !is_set))
    return Error{"a relocation of program " + program.name + " names no call to make"};
  instruction.src_reg = function != 0 ? BPF_PSEUDO_KFUNC_CALL : 0;
  instruction.imm = function != 0 ? function : object::kNoHelper;
  return ok();
}

}  // namespace

Status patch_program(ObjectFile &file, const object::Program &program, const Instance &instance) {
  for (size_t i = 0; i < program.relocations.size(); ++i) {
    const object::Relocation &relocation = program.relocations[i];
    const std::string section_name = relocation.is_in_text ? ".text" : program.section;
    const ObjectSection *section = file.find_section(section_name);
    if (section == nullptr) return Error{"the object has no section " + section_name};
    bpf_insn *instruction = file.instruction(*section, relocation.instruction);
    if (instruction == nullptr) {
      return Error{"a relocation of program " + program.name + " leads out of its section"};
    }
    if (relocation.kind == object::Relocation::Kind::kSession && !relocation.is_add) {
      Status patched = patch_call(program, *instruction, instance.patches[i]);
      if (!patched) return patched;
      continue;
    }
    const bool is_load = BPF_CLASS(instruction->code) == BPF_LDX;
    const bool is_constant =
        BPF_CLASS(instruction->code) == BPF_ALU64 || BPF_CLASS(instruction->code) == BPF_ALU;
    const bool wants_constant =
        relocation.kind == object::Relocation::Kind::kProbeId || relocation.is_add;
    if (wants_constant ? !is_constant : !is_load) {
      return Error{"a relocation of program " + program.name +
                   " does not fit the instruction it names"};
    }
    if (wants_constant) {
      instruction->imm = instance.patches[i];
    } else {
      if (instance.patches[i] < INT16_MIN || instance.patches[i] > INT16_MAX) {
        return Error{"a field of program " + program.name + " lies too far away"};
      }
      instruction->off = static_cast<int16_t>(instance.patches[i]);
    }
  }
  return ok();
}

}  // namespace awl::runtime
