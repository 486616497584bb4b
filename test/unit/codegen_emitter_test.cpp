// The Emitter without lowering: programs put together by hand, the objects looked at as a loader
// does.
#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "codegen/disassemble.h"
#include "codegen/emitter.h"
#include "codegen/object_writer.h"

namespace awl::codegen {
namespace {

using frontend::Span;
using frontend::StructDef;
using frontend::TypeKind;
using frontend::TypeRef;

const Span kSpan{0, 0, 5};

class EmitterTest : public testing::Test {
 protected:
  EmitterTest() {
    sources_.add("stdin", "begin { @c = count(); }\n");
    checked_.sources = &sources_;
    checked_.types = &types_;
  }

  const frontend::MapInfo &add_map(const std::string &name, TypeRef key, TypeRef value) {
    frontend::MapInfo info;
    info.name = name;
    info.id = static_cast<uint32_t>(checked_.maps.size());
    info.key = key;
    info.value = value;
    checked_.maps.push_back(info);
    return checked_.maps.back();
  }

  Emitter &emitter() {
    if (!emitter_) emitter_ = std::make_unique<Emitter>(checked_, options_);
    return *emitter_;
  }

  ErrorCounter counter() { return emitter().error_counter("map update", kSpan, true); }

  void end() {
    emitter().emit_return();
    emitter().end_program();
  }

  // The disassembly; the object is left in object_.
  std::string finish() {
    auto object = emitter().finish();
    if (!object) {
      ADD_FAILURE() << object.error().message;
      return "";
    }
    object_ = *object_file(*object);
    auto text = disassemble(object_);
    return text ? *text : "";
  }

  static size_t occurrences(const std::string &text, const std::string &what) {
    size_t count = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
      ++count;
    return count;
  }

  std::vector<Elf64_Shdr> sections() const {
    Elf64_Ehdr header;
    std::memcpy(&header, object_.data(), sizeof(header));
    std::vector<Elf64_Shdr> result(header.e_shnum);
    std::memcpy(result.data(), object_.data() + header.e_shoff, result.size() * sizeof(Elf64_Shdr));
    return result;
  }

  std::string section(const std::string &name) const {
    Elf64_Ehdr header;
    std::memcpy(&header, object_.data(), sizeof(header));
    auto all = sections();
    const char *names =
        reinterpret_cast<const char *>(object_.data()) + all[header.e_shstrndx].sh_offset;
    for (const Elf64_Shdr &section : all) {
      if (name == names + section.sh_name) {
        return std::string(reinterpret_cast<const char *>(object_.data()) + section.sh_offset,
                           section.sh_size);
      }
    }
    return "";
  }

  frontend::SourceManager sources_;
  frontend::TypeStore types_;
  frontend::CheckedProgram checked_;
  Options options_;
  std::unique_ptr<Emitter> emitter_;
  std::vector<uint8_t> object_;
};

TEST_F(EmitterTest, EmptyProgramHasLicenseBtfAndDescription) {
  emitter().begin_program("p", "raw_tp", kSpan);
  emitter().description().programs[0].attach_points.push_back({.family = "begin"});
  end();
  finish();
  EXPECT_EQ(section("license"), std::string("GPL\0", 4));
  EXPECT_FALSE(section(".BTF").empty());
  // Line info quotes the script from the object itself.
  EXPECT_NE(section(".BTF").find("begin { @c = count(); }"), std::string::npos);
  EXPECT_TRUE(section(".debug_info").empty());
  auto description = object::parse_description(section(".awl"));
  ASSERT_TRUE(description) << description.error().message;
  ASSERT_EQ(description->programs.size(), 1u);
  EXPECT_EQ(description->programs[0].name, "p");
  EXPECT_EQ(description->programs[0].section, "raw_tp");
}

TEST_F(EmitterTest, ScalarMapIsArrayWithFlag) {
  const auto &info = add_map("@c", nullptr, types_.simple(TypeKind::kCount));
  emitter().begin_program("p", "raw_tp", kSpan);
  emitter().with_map_value(info, nullptr, counter(), [&](llvm::Value *) {});
  end();
  std::string text = finish();
  const object::Map &map = emitter().map_description(info);
  EXPECT_EQ(map.elf_name, "m_c");
  EXPECT_EQ(map.type, object::MapType::kPercpuArray);
  EXPECT_EQ(map.value_size, 16u);
  EXPECT_TRUE(map.is_scalar);
  EXPECT_EQ(occurrences(text, "call 1\n"), 1u) << text;
}

TEST_F(EmitterTest, UpdateOfKeyedMapHasOneLookup) {
  const auto &info = add_map("@h", types_.int64(), types_.aggregation(TypeKind::kHist, true));
  emitter().begin_program("p", "raw_tp", kSpan);
  llvm::Value *key = emitter().allocate(8, 8, "key");
  emitter().zero(key, 8);
  emitter().with_map_value(info, key, counter(), [&](llvm::Value *entry) {
    emitter().b().CreateStore(emitter().i64(1), entry);
  });
  end();
  std::string text = finish();
  std::string program = text.substr(text.find("p (raw_tp)"));
  EXPECT_EQ(occurrences(program, "call 1\n"), 1u) << text;
  EXPECT_EQ(occurrences(program, "call 2\n"), 0u) << text;  // awl_insert does that
  EXPECT_EQ(emitter().map_description(info).type, object::MapType::kHash);
}

// Older kernels (5.10, 6.1) refuse a loop that an instruction closes by falling through to its
// head. Walks the code as their check_cfg() does.
bool falls_through_to_loop_head(const std::string &code) {
  struct Instruction {
    uint8_t code, registers;
    int16_t offset;
    int32_t immediate;
  };
  std::vector<Instruction> instructions(code.size() / sizeof(Instruction));
  std::memcpy(instructions.data(), code.data(), instructions.size() * sizeof(Instruction));
  enum State { kNew, kOpen, kDone };
  std::vector<State> states(instructions.size(), kNew);
  bool found = false;
  auto visit = [&](auto &&self, size_t i) -> void {
    states.at(i) = kOpen;
    uint8_t operation = instructions[i].code & 0xf0, type = instructions[i].code & 0x07;
    bool is_jump = (type == 0x05 || type == 0x06) && operation != 0x80 && operation != 0x90;
    bool is_exit = type == 0x05 && operation == 0x90;
    bool is_goto = is_jump && operation == 0x00;
    size_t next = i + (instructions[i].code == 0x18 ? 2 : 1);
    size_t target = i + 1 + static_cast<size_t>(static_cast<int64_t>(instructions[i].offset));
    if (is_jump && states.at(target) == kNew) self(self, target);
    if (!is_exit && !is_goto) {
      if (!is_jump && states.at(next) == kOpen) found = true;
      if (states.at(next) == kNew) self(self, next);
    }
    states[i] = kDone;
  };
  visit(visit, 0);
  return found;
}

TEST_F(EmitterTest, OldKernelsTakeTheLoops) {
  add_map("@a", types_.int64(), types_.simple(TypeKind::kCount));
  add_map("@b", types_.int64(), types_.simple(TypeKind::kCount));
  emitter().begin_program("p", "raw_tp", kSpan);
  llvm::Value *text = emitter().allocate(512, 8, "text");
  emitter().zero(text, 512);
  llvm::Value *key = emitter().allocate(8, 8, "key");
  emitter().zero(key, 8);
  for (const frontend::MapInfo *info : {&checked_.maps[0], &checked_.maps[1]}) {
    emitter().with_map_value(*info, key, counter(), [&](llvm::Value *entry) {
      emitter().b().CreateStore(emitter().i64(1), entry);
    });
  }
  end();
  std::string text_of = finish();
  EXPECT_FALSE(falls_through_to_loop_head(section("raw_tp"))) << text_of;
}

TEST_F(EmitterTest, RecordIsBuiltInTheRing) {
  object::Event event;
  event.size = 16;
  uint32_t id = emitter().add_event(event);
  emitter().begin_program("p", "raw_tp", kSpan);
  emitter().output_record(id, [&](llvm::Value *record) {
    emitter().b().CreateStore(
        emitter().i64(7), emitter().b().CreateConstGEP1_64(emitter().b().getInt8Ty(), record, 8));
  });
  end();
  std::string text = finish();
  EXPECT_EQ(occurrences(text, "call 131\n"), 1u);
  EXPECT_EQ(occurrences(text, "call 132\n"), 1u);
  EXPECT_EQ(occurrences(text, "call 130\n"), 0u);
}

TEST_F(EmitterTest, RelocationsPointAtTheirInstructions) {
  emitter().begin_program("p", "tracepoint", kSpan);
  object::AttachPoint attach_point;
  attach_point.has_wildcard = true;
  attach_point.family = "tracepoint";
  emitter().description().programs[0].attach_points.push_back(attach_point);
  llvm::Value *field = emitter().load_tracepoint_field(emitter().ctx(), "pid", 24, 4);
  llvm::Value *address = emitter().tracepoint_field_address(emitter().ctx(), "comm", 8, 16);
  llvm::Value *sum =
      emitter().b().CreateAdd(field, emitter().b().CreateLoad(emitter().b().getInt64Ty(), address));
  emitter().emit_return(emitter().b().CreateAdd(sum, emitter().probe_id()));
  emitter().end_program();
  finish();
  const object::Program &program = emitter().description().programs[0];
  EXPECT_TRUE(program.uses_probe_id);
  ASSERT_EQ(program.relocations.size(), 3u);
  std::string code = section("tracepoint");
  for (const object::Relocation &relocation : program.relocations) {
    const char *at = code.data() + relocation.instruction * 8;
    int16_t offset;
    int32_t immediate;
    std::memcpy(&offset, at + 2, 2);
    std::memcpy(&immediate, at + 4, 4);
    if (relocation.kind == object::Relocation::Kind::kProbeId) {
      EXPECT_EQ(immediate, -1);
    } else if (relocation.is_add) {
      EXPECT_EQ(relocation.field, "comm");
      EXPECT_EQ(immediate, 8);
    } else {
      EXPECT_EQ(relocation.field, "pid");
      EXPECT_EQ(offset, 24);
    }
  }
}

TEST_F(EmitterTest, ProbeIdOfTheOnlyTargetIsAConstant) {
  for (const char *name : {"first", "second"}) {
    emitter().begin_program(name, "raw_tp", kSpan);
    object::AttachPoint attach_point;
    attach_point.family = "begin";
    emitter().description().programs.back().attach_points.push_back(attach_point);
    emitter().emit_return(emitter().probe_id());
    emitter().end_program();
  }
  finish();
  EXPECT_EQ(emitter().description().programs[0].relocations.at(0).built_value, 0);
  EXPECT_EQ(emitter().description().programs[1].relocations.at(0).built_value, 1);
}

// What stands behind the last "___" is no part of a name to libbpf.
TEST_F(EmitterTest, ATypeOfAnyModuleHasOneFlavorAtMost) {
  StructDef *thing = types_.new_struct();
  thing->origin = StructDef::Origin::kKernel;
  thing->is_complete = true;
  thing->size = 8;
  thing->name = "thing___mine";
  thing->members = {{"x", types_.int64(), 0}};
  for (int module = 0; module < 2; ++module) {
    emitter_.reset();
    emitter().begin_program("p", "raw_tp", kSpan);
    frontend::MemberPath path;
    ASSERT_TRUE(frontend::find_member(types_, thing, "x", &path));
    emitter().emit_return(emitter().core_byte_offset(path));
    emitter().end_program();
    finish();
    const std::string btf = section(".BTF");
    const size_t at = btf.find("thing___mine");
    ASSERT_NE(at, std::string::npos);
    const std::string name = btf.c_str() + at;
    EXPECT_EQ(occurrences(name, "___"), 1u) << name;
  }
}

TEST_F(EmitterTest, KernelMembersAreRelocatedByName) {
  StructDef *outer = types_.new_struct(), *inner = types_.new_struct();
  inner->origin = outer->origin = StructDef::Origin::kKernel;
  inner->is_complete = outer->is_complete = true;
  inner->is_union = true;
  inner->size = 8;
  inner->members = {{"first", types_.int64(), 0}, {"second", types_.integer(4, true), 0}};
  outer->name = "thing";
  outer->size = 64;
  outer->members = {{"late", types_.integer(4, false), 256},
                    {"", types_.struct_type(inner), 64},
                    {"flag", types_.integer(4, false), 161, 1}};
  emitter().begin_program("p", "raw_tp", kSpan);
  llvm::Value *sum = emitter().i64(0);
  for (const char *name : {"late", "second"}) {
    frontend::MemberPath path;
    ASSERT_TRUE(frontend::find_member(types_, outer, name, &path));
    sum = emitter().b().CreateAdd(sum, emitter().core_byte_offset(path));
  }
  frontend::MemberPath path;
  ASSERT_TRUE(frontend::find_member(types_, outer, "flag", &path));
  sum = emitter().b().CreateAdd(sum, emitter().core_read_bitfield(path, emitter().ctx(), kSpan));
  emitter().emit_return(sum);
  emitter().end_program();
  finish();
  // Access strings: members in the order of their offsets, through the anonymous union.
  std::string btf = section(".BTF");
  EXPECT_NE(btf.find(std::string("\0"
                                 "0:2\0",
                                 5)),
            std::string::npos);  // late
  EXPECT_NE(btf.find(std::string("\0"
                                 "0:0:0\0",
                                 7)),
            std::string::npos);  // second
  EXPECT_NE(btf.find(std::string("\0"
                                 "0:1\0",
                                 5)),
            std::string::npos);                     // flag
  EXPECT_EQ(btf.find("first"), std::string::npos);  // not used: not there
}

TEST_F(EmitterTest, LargeMemoryIsScratchAndIsReleased) {
  emitter().begin_program("p", "raw_tp", kSpan);
  llvm::Value *memory = emitter().allocate(1024, 8, "text");
  emitter().zero(memory, 1024);
  end();
  std::string text = finish();
  std::string program = text.substr(text.find("p (raw_tp)"));
  // Claimed, given back when taken, released at the end.
  EXPECT_EQ(occurrences(program, "lock *(u64 *)"), 3u) << program;
  EXPECT_LT(occurrences(program, "\n"), 50u) << program;
  EXPECT_EQ(emitter().description().error_sites.at(0).what, "scratch memory");
}

TEST_F(EmitterTest, ScratchIsClaimedAfterThePredicate) {
  emitter().begin_program("p", "raw_tp", kSpan);
  llvm::BasicBlock *no = emitter().new_block("no"), *yes = emitter().new_block("yes");
  emitter().b().CreateCondBr(
      emitter().b().CreateICmpEQ(emitter().load_variable("awl_pid"), emitter().i64(0)), yes, no);
  emitter().b().SetInsertPoint(no);
  emitter().emit_return();
  emitter().b().SetInsertPoint(yes);
  emitter().end_predicate();
  emitter().call(Helper::kGetCurrentComm, {emitter().allocate(64, 8, "comm"), emitter().i32(64)});
  end();
  std::string text = finish();
  std::string program = text.substr(text.find("p (raw_tp)"));
  EXPECT_LT(program.find("if r1 "), program.find("call 1\n")) << program;
}

TEST_F(EmitterTest, ErrorRecordsAreSentWhenWanted) {
  options_.report_read_errors = true;
  emitter().begin_program("p", "raw_tp", kSpan);
  emitter().count_error(emitter().error_site("division by zero", kSpan, true), nullptr);
  end();
  finish();
  ASSERT_EQ(emitter().description().events.size(), 1u);
  EXPECT_EQ(emitter().description().events[0].kind, object::EventKind::kRuntimeError);
  EXPECT_EQ(emitter().description().events[0].size, 32u);
}

TEST_F(EmitterTest, CallbackGoesOnWhereTheProgramWas) {
  emitter().begin_program("p", "raw_tp", kSpan);
  llvm::Function *callback = emitter().begin_callback("round", {"index", "ctx"}, kSpan);
  emitter().emit_return(emitter().i64(0));
  emitter().end_callback();
  emitter().call(Helper::kLoop, {emitter().i32(3), callback, emitter().allocate(8, 8, "shared"),
                                 emitter().i64(0)});
  end();
  std::string text = finish();
  EXPECT_NE(text.find("round (.text)"), std::string::npos);
  EXPECT_NE(text.find("call 181"), std::string::npos);
}

TEST(ObjectWriter, RefusesWhatIsNoObject) {
  std::vector<uint8_t> bytes(10, 0);
  EXPECT_FALSE(append_section(bytes, ".awl", "{}"));
  EXPECT_FALSE(read_symbols(bytes));
  bytes.assign(sizeof(Elf64_Ehdr), 0xff);
  EXPECT_FALSE(append_section(bytes, ".awl", "{}"));
  EXPECT_FALSE(read_symbols(bytes));
}

}  // namespace
}  // namespace awl::codegen
