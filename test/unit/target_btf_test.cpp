#include <gtest/gtest.h>

#include "base/file.h"
#include "frontend/target/btf_reader.h"
#include "frontend/target/btf_subset.h"
#include "frontend/target/kernel_btf.h"

namespace awl::frontend {
namespace {

// Writes BTF by hand.
class Builder {
 public:
  uint32_t string(const std::string &text) {
    const auto at = static_cast<uint32_t>(strings_.size());
    strings_ += text;
    strings_ += '\0';
    return at;
  }
  uint32_t type(uint32_t kind, const std::string &name, uint32_t size_or_type, uint32_t count = 0,
                bool flag = false) {
    word(name.empty() ? 0 : string(name));
    word(kind << 24 | count | (flag ? 1u << 31 : 0));
    word(size_or_type);
    return ++ids_;
  }
  void word(uint32_t value) { types_.append(reinterpret_cast<const char *>(&value), sizeof value); }
  uint32_t integer(const std::string &name, uint32_t size, uint32_t encoding, uint32_t bits = 0) {
    const uint32_t id = type(BTF_KIND_INT, name, size);
    word(encoding << 24 | (bits ? bits : size * 8));
    return id;
  }
  void member(const std::string &name, uint32_t type, uint32_t offset) {
    const uint32_t text = name.empty() ? 0 : string(name);
    word(text);
    word(type);
    word(offset);
  }
  std::string bytes() const {
    btf_header header{};
    header.magic = BTF_MAGIC;
    header.version = BTF_VERSION;
    header.hdr_len = sizeof header;
    header.type_len = static_cast<uint32_t>(types_.size());
    header.str_off = header.type_len;
    header.str_len = static_cast<uint32_t>(strings_.size());
    return std::string(reinterpret_cast<const char *>(&header), sizeof header) + types_ + strings_;
  }

 protected:
  uint32_t ids_ = 0;
  std::string types_, strings_ = std::string(1, '\0');
};

// A module's: ids and strings go on where the base ends.
class SplitBuilder : public Builder {
 public:
  SplitBuilder(const Btf &base, uint32_t base_strings) : base_strings_(base_strings) {
    ids_ = base.end_id() - 1;
    strings_.clear();
  }
  void named(uint32_t kind, const std::string &name, uint32_t size, uint32_t count) {
    word(base_strings_ + string(name));
    word(kind << 24 | count);
    word(size);
    ++ids_;
  }

 private:
  uint32_t base_strings_;
};

class FakeKernel : public KernelBtf {
 public:
  explicit FakeKernel(std::string bytes) : bytes_(std::move(bytes)) {}

 protected:
  Result<BtfRef> open_vmlinux() override { return Btf::parse(bytes_); }
  std::vector<BtfRef> open_modules(const BtfRef &) override { return {}; }

 private:
  std::string bytes_;
};

// struct demo { char name[16]; unsigned a:3, b:5 (signed int); struct demo *next; union { int x; };
// }
std::string demo_btf() {
  Builder builder;
  const uint32_t character = builder.integer("char", 1, 0);            // 1
  const uint32_t integer = builder.integer("int", 4, BTF_INT_SIGNED);  // 2
  const uint32_t word = builder.integer("unsigned int", 4, 0);         // 3
  const uint32_t array = builder.type(BTF_KIND_ARRAY, "", 0);          // 4
  builder.word(character);
  builder.word(integer);
  builder.word(16);
  const uint32_t demo = 5;
  builder.type(BTF_KIND_STRUCT, "demo", 40, 5, true);
  builder.member("name", array, 0);
  builder.member("a", word, 3u << 24 | 128);
  builder.member("b", integer, 5u << 24 | 131);
  builder.member("next", 6, 192);
  builder.member("", 7, 256);
  builder.type(BTF_KIND_PTR, "", demo);    // 6
  builder.type(BTF_KIND_UNION, "", 4, 1);  // 7
  builder.member("x", integer, 0);
  builder.type(BTF_KIND_ENUM, "color", 4, 2, true);  // 8
  builder.word(builder.string("RED"));
  builder.word(0xffffffff);
  builder.word(builder.string("GREEN"));
  builder.word(7);
  builder.type(kBtfEnum64, "wide", 8, 1);  // 9
  builder.word(builder.string("WIDE"));
  builder.word(5);
  builder.word(1);
  builder.type(BTF_KIND_CONST, "", 6);                // 10
  builder.type(BTF_KIND_TYPEDEF, "demo_t", 10);       // 11
  builder.type(kBtfTypeTag, "user", character);       // 12
  builder.type(BTF_KIND_PTR, "", 12);                 // 13
  builder.type(BTF_KIND_FUNC_PROTO, "", integer, 2);  // 14
  builder.word(builder.string("which"));
  builder.word(11);
  builder.word(builder.string("buffer"));
  builder.word(13);
  builder.type(BTF_KIND_FUNC, "demo_function", 14);  // 15
  builder.type(BTF_KIND_PTR, "", 14);                // 16
  builder.type(BTF_KIND_TYPEDEF, "callback_t", 16);  // 17
  builder.integer("_Bool", 1, BTF_INT_BOOL);         // 18
  return builder.bytes();
}

TEST(Btf, FindsTypesByNameAndKind) {
  const auto btf = Btf::parse(demo_btf());
  ASSERT_TRUE(btf) << btf.error().message;
  EXPECT_EQ((*btf)->end_id(), 19u);
  EXPECT_EQ((*btf)->find("demo", kind_bit(BTF_KIND_STRUCT)), 5u);
  EXPECT_EQ((*btf)->find("demo", kind_bit(BTF_KIND_UNION)), 0u);
  EXPECT_EQ((*btf)->find("dem", kind_bit(BTF_KIND_STRUCT)), 0u);
  EXPECT_EQ((*btf)->find("", kind_bit(BTF_KIND_UNION)), 0u);
  // Often enough to change to the table.
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ((*btf)->find("demo_function", kind_bit(BTF_KIND_FUNC)), 15u);
    EXPECT_EQ((*btf)->find("nothing", ~0u), 0u);
  }
}

TEST(Btf, FindsEnumerators) {
  const auto btf = Btf::parse(demo_btf());
  uint32_t id = 0;
  int64_t value = 0;
  ASSERT_TRUE((*btf)->find_enumerator("RED", &id, &value));
  EXPECT_EQ(id, 8u);
  EXPECT_EQ(value, -1);
  ASSERT_TRUE((*btf)->find_enumerator("WIDE", &id, &value));
  EXPECT_EQ(value, int64_t{1} << 32 | 5);
  EXPECT_FALSE((*btf)->find_enumerator("BLUE", &id, &value));
}

TEST(Btf, WritesTypesAsC) {
  const auto btf = Btf::parse(demo_btf());
  EXPECT_EQ(type_text(**btf, 4), "char[16]");
  EXPECT_EQ(type_text(**btf, 6), "struct demo *");
  EXPECT_EQ(type_text(**btf, 10), "struct demo * const");
  EXPECT_EQ(type_text(**btf, 16), "int (*)(demo_t, char *)");
  EXPECT_EQ(type_text(**btf, 0), "void");
  EXPECT_EQ(type_text(**btf, 999), "void");
}

TEST(Btf, RefusesMalformedHeaders) {
  EXPECT_FALSE(Btf::parse(""));
  EXPECT_FALSE(Btf::parse("short"));
  const auto with = [](auto change) {
    std::string bytes = demo_btf();
    change(*reinterpret_cast<btf_header *>(bytes.data()));
    return Btf::parse(bytes);
  };
  EXPECT_FALSE(with([](btf_header &header) { header.magic = 0x9feb; }));
  EXPECT_FALSE(with([](btf_header &header) { header.version = 2; }));
  EXPECT_FALSE(with([](btf_header &header) { header.hdr_len = 8; }));
  EXPECT_FALSE(with([](btf_header &header) { header.hdr_len = ~0u; }));
  EXPECT_FALSE(with([](btf_header &header) { header.type_off = 2; }));
  EXPECT_FALSE(with([](btf_header &header) { header.type_len = ~0u; }));
  EXPECT_FALSE(with([](btf_header &header) { header.str_off = ~0u; }));
  EXPECT_FALSE(with([](btf_header &header) { header.str_len -= 1; }));
}

TEST(Btf, EndsAtAMalformedType) {
  const std::string whole = demo_btf();
  ASSERT_TRUE((*Btf::parse(whole))->check());
  std::string cut = whole;
  reinterpret_cast<btf_header *>(cut.data())->type_len -= 4;
  const auto btf = Btf::parse(cut);
  ASSERT_TRUE(btf);
  EXPECT_FALSE((*btf)->check());
  EXPECT_NE((*btf)->type(17), nullptr);
  EXPECT_EQ((*btf)->type(18), nullptr);
  EXPECT_EQ((*btf)->end_id(), 18u);
}

// Everything that a script could ask of it.
void use(const std::string &bytes) {
  FakeKernel kernel(bytes);
  const Btf *btf = kernel.vmlinux();
  if (btf == nullptr) return;
  TypeStore store;
  BtfTypes types(kernel, store);
  for (uint32_t id = 0; id < btf->end_id() + 2; ++id) {
    const TypeRef type = types.type_of(*btf, id);
    ASSERT_NE(type, nullptr);
    if (type->is_struct()) types.complete(type->struct_def);
    types.signature(*btf, id);
    type_text(*btf, id);
  }
  types.find_struct("demo", false);
  types.find_typedef("demo_t");
  TypeStore::Constant constant;
  types.find_constant("GREEN", &constant);
  BtfSubset subset(*btf);
  for (uint32_t id = 0; id < btf->end_id() + 2; ++id) subset.add(id);
  EXPECT_TRUE(Btf::parse(subset.write()));
}

TEST(Btf, SurvivesEveryTruncationAndFlippedByte) {
  const std::string whole = demo_btf();
  for (size_t size = 0; size < whole.size(); ++size) use(whole.substr(0, size));
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0xff, 0x01, 0x80}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      use(changed);
    }
  }
}

TEST(Btf, SurvivesTypesThatContainThemselves) {
  Builder builder;
  builder.type(BTF_KIND_TYPEDEF, "loop_t", 1);
  builder.type(BTF_KIND_PTR, "", 2);
  builder.type(BTF_KIND_ARRAY, "", 0);
  builder.word(3);
  builder.word(3);
  builder.word(0xffffffff);
  builder.type(BTF_KIND_STRUCT, "self", 8, 2);
  builder.member("", 4, 0);
  builder.member("again", 3, 0);
  builder.type(BTF_KIND_FUNC_PROTO, "", 5, 3);
  for (int i = 0; i < 3; ++i) {
    builder.word(builder.string("p"));
    builder.word(5);
  }
  builder.type(BTF_KIND_FWD, "self", 0);
  builder.type(BTF_KIND_FWD, "nowhere", 0);
  use(builder.bytes());
}

TEST(Btf, ReadsSplitModules) {
  Builder base_builder;
  base_builder.integer("int", 4, BTF_INT_SIGNED);
  const std::string base_bytes = base_builder.bytes();
  const auto base = Btf::parse(base_bytes);
  ASSERT_TRUE(base);
  const uint32_t base_strings = 1 + 4;
  SplitBuilder builder(**base, base_strings);
  builder.named(BTF_KIND_STRUCT, "in_module", 4, 1);
  builder.word(1);  // "int", a string of the base
  builder.word(1);
  builder.word(0);
  const auto split = Btf::parse(builder.bytes(), "ext4", *base);
  ASSERT_TRUE(split) << split.error().message;
  EXPECT_EQ((*split)->first_id(), 2u);
  EXPECT_EQ((*split)->find("in_module", kind_bit(BTF_KIND_STRUCT)), 2u);
  EXPECT_EQ((*split)->find("int", kind_bit(BTF_KIND_INT)), 0u);
  EXPECT_EQ((*split)->name(*(*split)->type(1)), "int");
  EXPECT_EQ((*split)->string((*split)->members(*(*split)->type(2))[0].name_off), "int");
  EXPECT_EQ((*base)->type(2), nullptr);
}

TEST(BtfTypes, MakesTheLanguagesTypes) {
  FakeKernel kernel(demo_btf());
  TypeStore store;
  BtfTypes types(kernel, store);
  const TypeRef demo = types.find_struct("demo", false);
  ASSERT_NE(demo, nullptr);
  EXPECT_EQ(types.find_struct("demo", true), nullptr);
  EXPECT_FALSE(demo->struct_def->is_complete);
  types.complete(demo->struct_def);
  const StructDef &def = *demo->struct_def;
  EXPECT_TRUE(def.is_complete);
  EXPECT_EQ(def.origin, StructDef::Origin::kKernel);
  EXPECT_EQ(def.btf_id, 5u);
  EXPECT_EQ(def.size, 40u);
  ASSERT_EQ(def.members.size(), 5u);
  EXPECT_EQ(def.members[0].type, store.array(store.integer(1, true), 16));
  EXPECT_EQ(def.members[0].type_text, "char[16]");
  EXPECT_EQ(def.members[1].bit_offset, 128u);
  EXPECT_EQ(def.members[1].bit_size, 3u);
  EXPECT_EQ(def.members[2].bit_size, 5u);
  EXPECT_TRUE(def.members[2].type->is_signed);
  EXPECT_EQ(def.members[3].type, store.pointer(demo, AddressSpace::kKernel));
  EXPECT_EQ(def.members[4].name, "");
  EXPECT_TRUE(def.members[4].type->struct_def->is_union);
  EXPECT_EQ(types.find_typedef("demo_t"), def.members[3].type);
  EXPECT_EQ(types.find_typedef("_Bool"), store.boolean());
}

TEST(BtfTypes, MakesSignatures) {
  FakeKernel kernel(demo_btf());
  TypeStore store;
  BtfTypes types(kernel, store);
  const auto signature = find_kernel_function(kernel, types, "", "demo_function");
  ASSERT_TRUE(signature);
  ASSERT_EQ(signature->parameters.size(), 2u);
  EXPECT_EQ(signature->parameters[0].name, "which");
  EXPECT_EQ(signature->parameters[0].type_text, "demo_t");
  EXPECT_EQ(signature->parameters[1].type,
            store.pointer(store.integer(1, true), AddressSpace::kUser));
  EXPECT_EQ(signature->return_type, store.integer(4, true));
  EXPECT_FALSE(find_kernel_function(kernel, types, "", "no_function"));
  EXPECT_FALSE(find_kernel_function(kernel, types, "no_module", "demo_function"));
}

TEST(BtfTypes, FindsConstants) {
  FakeKernel kernel(demo_btf());
  TypeStore store;
  BtfTypes types(kernel, store);
  TypeStore::Constant constant;
  ASSERT_TRUE(types.find_constant("GREEN", &constant));
  EXPECT_EQ(constant.value, 7);
  ASSERT_NE(constant.of, nullptr);
  EXPECT_EQ(constant.of->name, "color");
  EXPECT_TRUE(constant.of->is_signed);
  EXPECT_EQ(types.find_enum("color")->enum_def, constant.of);
}

TEST(BtfSubset, KeepsWhatIsHeldAndDeclaresWhatIsPointedTo) {
  Builder builder;
  const uint32_t integer = builder.integer("int", 4, BTF_INT_SIGNED);  // 1
  builder.type(BTF_KIND_STRUCT, "inner", 4, 1);                        // 2
  builder.member("value", integer, 0);
  builder.type(BTF_KIND_STRUCT, "far", 4, 1);  // 3
  builder.member("value", integer, 0);
  builder.type(BTF_KIND_PTR, "", 3);              // 4
  builder.type(BTF_KIND_STRUCT, "outer", 24, 3);  // 5
  builder.member("inner", 2, 0);
  builder.member("far", 4, 64);
  builder.member("self", 6, 128);
  builder.type(BTF_KIND_PTR, "", 5);              // 6
  builder.type(BTF_KIND_STRUCT, "unused", 4, 0);  // 7
  const auto whole = Btf::parse(builder.bytes());
  ASSERT_TRUE(whole);
  BtfSubset subset(**whole);
  subset.add(5);
  const auto part = Btf::parse(subset.write());
  ASSERT_TRUE(part);
  const uint32_t structs = kind_bit(BTF_KIND_STRUCT);
  EXPECT_NE((*part)->find("outer", structs), 0u);
  EXPECT_NE((*part)->find("inner", structs), 0u);
  EXPECT_EQ((*part)->find("far", structs), 0u);
  EXPECT_NE((*part)->find("far", kind_bit(BTF_KIND_FWD)), 0u);
  EXPECT_EQ((*part)->find("outer", kind_bit(BTF_KIND_FWD)), 0u);
  EXPECT_EQ((*part)->find("unused", structs), 0u);
}

}  // namespace
}  // namespace awl::frontend
