#include "codegen/debug_info.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/Function.h>

#include <algorithm>
#include <cctype>

namespace awl::codegen {
namespace {

// BTF accepts C identifiers alone as names of members.
std::string member_name(const std::string &name, size_t index) {
  std::string result;
  for (char c : name) result += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (result.empty() || std::isdigit(static_cast<unsigned char>(result[0]))) {
    result = "f" + std::to_string(index) + (result.empty() ? "" : "_" + result);
  }
  return result;
}

}  // namespace

bool DebugInfo::is_pointer_parameter(const std::string &name) {
  return name == "ctx" || name == "map" || name == "key" || name == "value" || name == "table";
}

DebugInfo::DebugInfo(llvm::Module &module, const frontend::SourceManager &sources)
    : sources_(sources), builder_(module) {
  // LLVM writes DWARF beside BTF unless the module says that its debug info is CodeView, which the
  // BPF target does not have: so no DWARF is made, which nobody would read and which takes longer
  // than the rest of a small object.
  module.addModuleFlag(llvm::Module::Warning, "CodeView", 1);
  module.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  unit_ =
      builder_.createCompileUnit(llvm::dwarf::DW_LANG_C11, file(0), "awl",
                                 /*isOptimized=*/true, "", 0, "", llvm::DICompileUnit::FullDebug, 0,
                                 false, false, llvm::DICompileUnit::DebugNameTableKind::None);
}

// LLVM compares each line that it puts into BTF with all before it. Beyond this many lines the
// kernel's log quotes none; their numbers stay, and the runtime has the script's text itself.
constexpr size_t kMostQuotedLines = 1000;

llvm::DIFile *DebugInfo::file(frontend::SourceId source) {
  auto [entry, is_new] = files_.try_emplace(source, nullptr);
  if (is_new) {
    if (source < sources_.size()) {
      const frontend::Source &text = sources_.source(source);
      llvm::StringRef view(text.text().data(), text.text().size());
      if (view.count('\n') > kMostQuotedLines) view = "";
      entry->second = builder_.createFile(text.name(), "", std::nullopt, view);
    } else {
      entry->second = builder_.createFile("script", "");
    }
  }
  return entry->second;
}

llvm::DISubprogram *DebugInfo::subprogram(llvm::Function *function, frontend::Span span,
                                          const std::vector<std::string> &parameters) {
  std::vector<llvm::Metadata *> types{integer(8, false)};
  for (const std::string &parameter : parameters) {
    types.push_back(is_pointer_parameter(parameter) ? pointer(nullptr) : integer(8, false));
  }
  llvm::DIFile *di_file = file(span.source);
  uint32_t line = 1;
  if (span.source < sources_.size()) line = sources_.source(span.source).position(span.begin).line;
  bool is_local = function->hasLocalLinkage();
  auto flags = llvm::DISubprogram::SPFlagDefinition | llvm::DISubprogram::SPFlagOptimized |
               (is_local ? llvm::DISubprogram::SPFlagLocalToUnit : llvm::DISubprogram::SPFlagZero);
  llvm::DISubprogram *result =
      builder_.createFunction(di_file, function->getName(), "", di_file, line,
                              builder_.createSubroutineType(builder_.getOrCreateTypeArray(types)),
                              line, llvm::DINode::FlagPrototyped, flags);
  for (size_t i = 0; i < parameters.size(); ++i) {
    auto *type = llvm::cast<llvm::DIType>(types[i + 1]);
    builder_.createParameterVariable(result, parameters[i], static_cast<unsigned>(i + 1), di_file,
                                     line, type, /*AlwaysPreserve=*/true);
  }
  builder_.finalizeSubprogram(result);
  function->setSubprogram(result);
  return result;
}

// As much of a type as libbpf's linker compares (glob_sym_btf_matches in its linker.c): kinds,
// sizes of integers, names of structs and enumerations.
llvm::DIType *DebugInfo::declared(frontend::TypeRef type) {
  using frontend::TypeKind;
  switch (type->kind) {
    case TypeKind::kVoid:
      return nullptr;
    case TypeKind::kBool:
      return boolean();
    case TypeKind::kPointer:
      return pointer(declared(type->element));
    case TypeKind::kArray:
      return array(declared(type->element), type->count);
    case TypeKind::kEnum:
      return builder_.createEnumerationType(
          unit_, type->enum_def->name, file(0), 0, uint64_t{type->size} * 8, 0,
          builder_.getOrCreateArray({}), integer(type->size, type->is_signed));
    case TypeKind::kStruct:
      if (type->struct_def->name.empty()) return structure("", {}, type->struct_def->size);
      return builder_.createForwardDecl(type->struct_def->is_union
                                            ? llvm::dwarf::DW_TAG_union_type
                                            : llvm::dwarf::DW_TAG_structure_type,
                                        type->struct_def->name, unit_, file(0), 0);
    default:
      return integer(type->size, type->is_signed);
  }
}

void DebugInfo::declare(llvm::Function *function, const frontend::ImportedFunction &imported) {
  std::vector<llvm::Metadata *> types{declared(imported.return_type)};
  for (const auto &parameter : imported.parameters) types.push_back(declared(parameter.type));
  function->setSubprogram(builder_.createFunction(
      unit_, imported.name, "", file(0), 0,
      builder_.createSubroutineType(builder_.getOrCreateTypeArray(types)), 0,
      llvm::DINode::FlagPrototyped, llvm::DISubprogram::SPFlagOptimized));
}

llvm::DILocation *DebugInfo::location(frontend::Span span, frontend::SourceId source,
                                      llvm::DISubprogram *subprogram) {
  if (span.source != source || span.source >= sources_.size()) return nullptr;
  frontend::LineColumn at = sources_.source(span.source).position(span.begin);
  // .BTF.ext has 22 bits for lines and 10 for columns.
  uint32_t column = std::min(at.column, 1023u);
  return llvm::DILocation::get(subprogram->getContext(), at.line, column, subprogram);
}

llvm::DIType *DebugInfo::basic(const char *name, uint32_t bits, unsigned encoding) {
  return builder_.createBasicType(name, bits, encoding);
}

llvm::DIType *DebugInfo::integer(uint32_t bytes, bool is_signed) {
  static constexpr const char *kNames[2][4] = {
      {"unsigned char", "unsigned short", "unsigned int", "unsigned long long"},
      {"signed char", "short", "int", "long long"}};
  size_t log = bytes >= 8 ? 3 : bytes >= 4 ? 2 : bytes >= 2 ? 1 : 0;
  return basic(kNames[is_signed][log], 8u << log,
               is_signed ? llvm::dwarf::DW_ATE_signed : llvm::dwarf::DW_ATE_unsigned);
}

llvm::DIType *DebugInfo::boolean() { return basic("_Bool", 8, llvm::dwarf::DW_ATE_boolean); }
llvm::DIType *DebugInfo::character() { return basic("char", 8, llvm::dwarf::DW_ATE_signed_char); }

llvm::DIType *DebugInfo::pointer(llvm::DIType *to) { return builder_.createPointerType(to, 64); }

llvm::DIType *DebugInfo::array(llvm::DIType *element, uint64_t count) {
  uint64_t bits = element->getSizeInBits() * count;
  auto *range = builder_.getOrCreateSubrange(0, static_cast<int64_t>(count));
  return builder_.createArrayType(bits, 0, element, builder_.getOrCreateArray({range}));
}

llvm::DIType *DebugInfo::structure(const std::string &name, const std::vector<Member> &members,
                                   uint32_t size) {
  std::vector<llvm::Metadata *> nodes;
  for (const Member &member : members) {
    nodes.push_back(builder_.createMemberType(
        unit_, member.name, file(0), 0, member.type->getSizeInBits(), 0,
        uint64_t{member.offset} * 8, llvm::DINode::FlagZero, member.type));
  }
  return builder_.createStructType(unit_, name, file(0), 0, uint64_t{size} * 8, 0,
                                   llvm::DINode::FlagZero, nullptr,
                                   builder_.getOrCreateArray(nodes));
}

llvm::DIType *DebugInfo::read_only(llvm::DIType *type) {
  return builder_.createQualifiedType(
      llvm::dwarf::DW_TAG_const_type,
      builder_.createQualifiedType(llvm::dwarf::DW_TAG_volatile_type, type));
}

llvm::DIType *DebugInfo::fields(const object::ValueType &type) {
  std::vector<Member> members;
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const object::Field &field = type.fields[i];
    // Bitfields and nested structs of the kernel are shown as the bytes that they are in.
    if (field.bit_size != 0) return array(integer(1, false), type.size);
    members.push_back({member_name(field.name, i), value(field.type.at(0)), field.offset});
  }
  return structure("", members, type.size);
}

llvm::DIType *DebugInfo::value(const object::ValueType &type) {
  using object::ValueKind;
  switch (type.kind) {
    case ValueKind::kBool:
      return boolean();
    case ValueKind::kInteger:
    case ValueKind::kEnum:
      return integer(type.size, type.is_signed);
    case ValueKind::kString:
      return array(character(), type.size);
    case ValueKind::kTuple:
    case ValueKind::kRecord:
      return fields(type);
    case ValueKind::kMin:
    case ValueKind::kMax:
      return structure(
          "", {{"value", integer(8, type.is_signed), 0}, {"is_set", integer(8, false), 8}}, 16);
    case ValueKind::kAvg:
    case ValueKind::kStats:
      return structure(
          "", {{"total", integer(8, type.is_signed), 0}, {"count", integer(8, false), 8}}, 16);
    case ValueKind::kHist:
    case ValueKind::kLhist:
      return array(integer(8, false), type.count);
    case ValueKind::kTseries:
      return array(integer(8, false), type.size / 8);
    default:
      break;
  }
  bool is_word = type.size == 1 || type.size == 2 || type.size == 4 || type.size == 8;
  bool is_bytes = type.kind == ValueKind::kArray || type.kind == ValueKind::kStruct ||
                  type.kind == ValueKind::kBuffer;
  if (is_word && !is_bytes) return integer(type.size, type.is_signed);
  return array(integer(1, false), type.size);
}

void DebugInfo::variable(llvm::GlobalVariable *global, llvm::DIType *type) {
  global->addDebugInfo(builder_.createGlobalVariableExpression(
      unit_, global->getName(), "", file(0), 0, type, global->hasLocalLinkage()));
}

void DebugInfo::finalize() { builder_.finalize(); }

}  // namespace awl::codegen
