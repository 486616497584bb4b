#include "codegen/disassemble.h"

#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>

#include <fmt/format.h>

#include <map>
#include <memory>

namespace awl::codegen {
namespace {

constexpr const char *kTriple = "bpfel";

// The parts of LLVM's MC layer that a disassembler is put together from.
struct Disassembler {
  llvm::MCTargetOptions options;
  std::unique_ptr<llvm::MCRegisterInfo> registers;
  std::unique_ptr<llvm::MCAsmInfo> asm_info;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget;
  std::unique_ptr<llvm::MCInstrInfo> instructions;
  std::unique_ptr<llvm::MCContext> context;
  std::unique_ptr<llvm::MCDisassembler> disassembler;
  std::unique_ptr<llvm::MCInstPrinter> printer;

  bool open() {
    LLVMInitializeBPFTargetInfo();
    LLVMInitializeBPFTargetMC();
    LLVMInitializeBPFDisassembler();
    std::string error;
    const llvm::Triple triple(kTriple);
    const llvm::Target *target = llvm::TargetRegistry::lookupTarget(kTriple, error);
    if (!target) return false;
    registers.reset(target->createMCRegInfo(kTriple));
    asm_info.reset(target->createMCAsmInfo(*registers, kTriple, options));
    subtarget.reset(target->createMCSubtargetInfo(kTriple, "v3", ""));
    instructions.reset(target->createMCInstrInfo());
    context = std::make_unique<llvm::MCContext>(triple, asm_info.get(), registers.get(), subtarget.get());
    disassembler.reset(target->createMCDisassembler(*subtarget, *context));
    printer.reset(target->createMCInstPrinter(triple, 0, *asm_info, *instructions, *registers));
    return disassembler && printer;
  }
};

// One line per instruction of a section; programs are headed by their names.
void print_section(Disassembler &tools, llvm::StringRef section, llvm::StringRef bytes,
                   const std::map<uint64_t, std::string> &programs, std::string &out) {
  llvm::ArrayRef<uint8_t> rest(bytes.bytes_begin(), bytes.size());
  uint64_t address = 0;
  while (!rest.empty()) {
    if (auto program = programs.find(address); program != programs.end())
      out += fmt::format("\n{} ({}):\n", program->second, section.str());
    llvm::MCInst instruction;
    uint64_t size = 8;
    std::string text;
    llvm::raw_string_ostream stream(text);
    if (tools.disassembler->getInstruction(instruction, size, rest, address, llvm::nulls()) ==
        llvm::MCDisassembler::Success)
      tools.printer->printInst(&instruction, address, "", *tools.subtarget, stream);
    else
      text = "\t<unknown>";
    if (size == 0 || size > rest.size()) size = std::min<uint64_t>(8, rest.size());
    out += fmt::format("{:6}:{}\n", address / 8, text);
    rest = rest.drop_front(size);
    address += size;
  }
}

}  // namespace

Result<std::string> disassemble(const std::vector<uint8_t> &object) {
  const llvm::StringRef bytes(reinterpret_cast<const char *>(object.data()), object.size());
  auto file = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(bytes, "object"));
  if (!file) return Error{"cannot read the object: " + llvm::toString(file.takeError())};
  Disassembler tools;
  if (!tools.open()) return Error{"LLVM has no BPF disassembler"};

  std::string out;
  for (const llvm::object::SectionRef &section : (*file)->sections()) {
    auto name = section.getName();
    auto contents = section.getContents();
    if (!name || !contents || !section.isText() || contents->empty()) {
      llvm::consumeError(name.takeError());
      llvm::consumeError(contents.takeError());
      continue;
    }
    std::map<uint64_t, std::string> programs;
    for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
      auto in_section = symbol.getSection();
      auto type = symbol.getType();
      auto symbol_name = symbol.getName();
      auto address = symbol.getAddress();
      if (in_section && type && symbol_name && address && *in_section != (*file)->section_end() &&
          **in_section == section && *type == llvm::object::SymbolRef::ST_Function)
        programs[*address] = symbol_name->str();
      llvm::consumeError(in_section.takeError());
      llvm::consumeError(type.takeError());
      llvm::consumeError(symbol_name.takeError());
      llvm::consumeError(address.takeError());
    }
    print_section(tools, *name, *contents, programs, out);
  }
  return out;
}

}  // namespace awl::codegen
