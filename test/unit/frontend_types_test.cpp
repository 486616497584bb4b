#include <gtest/gtest.h>

#include "frontend/types/type.h"

namespace awl::frontend {
namespace {

TEST(TypeStore, InternsEqualTypes) {
  TypeStore types;
  EXPECT_EQ(types.integer(4, true), types.integer(4, true));
  EXPECT_NE(types.integer(4, true), types.integer(4, false));
  EXPECT_EQ(types.pointer(types.int64()), types.pointer(types.int64()));
  EXPECT_NE(types.pointer(types.int64()), types.pointer(types.int64(), AddressSpace::kUser));
  EXPECT_EQ(types.tuple({types.int64(), types.string(4)}),
            types.tuple({types.int64(), types.string(4)}));
  EXPECT_NE(types.tuple({types.int64()}), types.record({{"a", types.int64()}}));
  EXPECT_NE(types.aggregation(TypeKind::kHist, false, {.bits = 1}),
            types.aggregation(TypeKind::kHist, false, {.bits = 2}));
  EXPECT_NE(types.kernel_stack(StackMode::kPerf, 3), types.kernel_stack(StackMode::kPerf, 4));
}

TEST(TypeStore, NamesTypesAsUsersDo) {
  TypeStore types;
  StructDef *def = types.new_struct();
  def->name = "task";
  TypeRef task = types.struct_type(def);
  EXPECT_EQ(to_string(types.integer(1, true)), "int8");
  EXPECT_EQ(to_string(types.uint64()), "uint64");
  EXPECT_EQ(to_string(types.pointer(types.pointer(task))), "struct task * *");
  EXPECT_EQ(to_string(types.array(types.array(types.integer(4, true), 4), 3)), "int32[3][4]");
  EXPECT_EQ(to_string(types.tuple({types.integer(1, true), types.string(3)})), "(int8,string[3])");
  EXPECT_EQ(to_string(types.record({{"a", types.integer(1, true)}, {"b", types.string(2)}})),
            "record { .a = int8, .b = string[2] }");
  EXPECT_EQ(to_string(types.user_stack(StackMode::kPerf, 3)), "ustack_perf_3");
  EXPECT_EQ(to_string(types.buffer(3)), "buffer[7]");
  EXPECT_EQ(to_string(types.aggregation(TypeKind::kAvg, false)), "uavg_t");
  EXPECT_EQ(to_string(types.aggregation(TypeKind::kAvg, true)), "avg_t");
  EXPECT_EQ(to_string(types.aggregation(TypeKind::kCount, false)), "count_t");
}

TEST(TypeStore, LaysTuplesOutAsCDoes) {
  TypeStore types;
  TypeRef tuple = types.tuple({types.integer(1, true), types.int64(), types.integer(2, true)});
  EXPECT_EQ(tuple->fields[0].offset, 0u);
  EXPECT_EQ(tuple->fields[1].offset, 8u);
  EXPECT_EQ(tuple->fields[2].offset, 16u);
  EXPECT_EQ(tuple->size, 24u);
  EXPECT_EQ(tuple->alignment, 8u);
  TypeRef small = types.tuple({types.string(3), types.integer(2, true)});
  EXPECT_EQ(small->fields[1].offset, 4u);
  EXPECT_EQ(small->size, 6u);
}

TEST(TypeStore, KnowsSizesOfValues) {
  TypeStore types;
  EXPECT_EQ(types.simple(TypeKind::kInet)->size, 20u);
  EXPECT_EQ(types.simple(TypeKind::kMacAddress)->size, 6u);
  EXPECT_EQ(types.simple(TypeKind::kUserSymbol)->size, 16u);
  EXPECT_EQ(types.kernel_stack(StackMode::kBpftrace, 127)->size, 8u);
  EXPECT_EQ(types.user_stack(StackMode::kBpftrace, 127)->size, 16u);
  EXPECT_EQ(types.aggregation(TypeKind::kHist, false)->size, 66u * 8);
  EXPECT_EQ(types.aggregation(TypeKind::kLhist, false, {.min = 0, .max = 100, .step = 10})->count,
            12u);
  EXPECT_EQ(types.aggregation(TypeKind::kMin, true)->size, 16u);
}

TEST(TypeStore, FindsNamedTypes) {
  TypeStore types;
  EXPECT_EQ(types.find_named("unsigned long"), types.uint64());
  EXPECT_EQ(types.find_named("long long unsigned int"), types.uint64());
  EXPECT_EQ(types.find_named("const unsigned char"), types.integer(1, false));
  EXPECT_EQ(types.find_named("short"), types.integer(2, true));
  EXPECT_EQ(types.find_named("u32"), types.integer(4, false));
  EXPECT_EQ(types.find_named("bool"), types.boolean());
  EXPECT_EQ(types.find_named("string")->size, 0u);
  EXPECT_EQ(types.find_named("long short"), nullptr);
  EXPECT_EQ(types.find_named("unsigned signed"), nullptr);
  EXPECT_EQ(types.find_named(""), nullptr);
  types.define_typedef("my_t", types.int64());
  EXPECT_EQ(types.find_named("my_t"), types.int64());
}

// A resolver that tells what `struct inner` holds when somebody asks.
struct LateResolver : TypeStore::Resolver {
  explicit LateResolver(TypeStore &types) : types(types) {}
  TypeRef find_struct(const std::string &tag, bool is_union) override {
    if (tag != "inner" || is_union) return nullptr;
    if (!def) {
      def = types.new_struct();
      def->name = tag;
      def->origin = StructDef::Origin::kKernel;
    }
    return types.struct_type(def);
  }
  TypeRef find_enum(const std::string &) override { return nullptr; }
  TypeRef find_typedef(const std::string &) override { return nullptr; }
  bool find_constant(const std::string &, TypeStore::Constant *) override { return false; }
  void complete(StructDef *d) override {
    ++completions;
    d->members = {{.name = "x", .type = types.int64(), .bit_offset = 64}};
    d->size = 16;
    d->is_complete = true;
  }
  TypeStore &types;
  StructDef *def = nullptr;
  int completions = 0;
};

TEST(TypeStore, CompletesStructsOfTheKernelWhenAsked) {
  TypeStore types;
  LateResolver resolver(types);
  types.set_resolver(&resolver);
  TypeRef inner = types.find_struct("inner", false);
  ASSERT_NE(inner, nullptr);
  TypeRef array = types.array(inner, 3);
  EXPECT_EQ(resolver.completions, 0);
  EXPECT_EQ(types.size_of(array), 48u);
  EXPECT_EQ(types.find_struct("inner", false), inner);
  EXPECT_EQ(inner->size, 16u);
  EXPECT_EQ(inner->alignment, 8u);
  EXPECT_EQ(types.array(inner, 3), array);
  EXPECT_EQ(resolver.completions, 1);
}

TEST(FindMember, LooksIntoAnonymousMembers) {
  TypeStore types;
  StructDef *inner = types.new_struct();
  inner->members = {{.name = "deep", .type = types.int64(), .bit_offset = 32}};
  inner->is_complete = true;
  StructDef *outer = types.new_struct();
  outer->members = {{.name = "a", .type = types.int64()},
                    {.name = "", .type = types.struct_type(inner), .bit_offset = 64}};
  outer->is_complete = true;
  MemberPath path;
  ASSERT_TRUE(find_member(types, outer, "deep", &path));
  EXPECT_EQ(path.bit_offset, 96u);
  EXPECT_EQ(path.indices, (std::vector<uint32_t>{1, 0}));
  ASSERT_TRUE(find_member(types, outer, "a", &path));
  EXPECT_EQ(path.members.size(), 1u);
  EXPECT_FALSE(find_member(types, outer, "b", &path));
  EXPECT_FALSE(find_member(types, outer, "", &path));
}

TEST(FindMember, EndsWhenTypesHoldThemselves) {
  TypeStore types;
  StructDef *def = types.new_struct();
  def->is_complete = true;
  def->members = {{.name = "", .type = types.struct_type(def)}};
  MemberPath path;
  EXPECT_FALSE(find_member(types, def, "x", &path));
}

}  // namespace
}  // namespace awl::frontend
