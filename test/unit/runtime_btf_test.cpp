// Taking the needed types out of a kernel's BTF.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "runtime/minimal_btf.h"

namespace awl::runtime {
namespace {

// Builds BTF by hand, type after type.
class BtfBuilder {
 public:
  uint32_t add_int(const std::string &name) { return add(name, BTF_KIND_INT, 0, 4, {0x20}); }
  uint32_t add_pointer(uint32_t to) { return add("", BTF_KIND_PTR, 0, to, {}); }
  uint32_t add_typedef(const std::string &name, uint32_t to) {
    return add(name, BTF_KIND_TYPEDEF, 0, to, {});
  }
  uint32_t add_function(const std::string &name, uint32_t prototype) {
    return add(name, BTF_KIND_FUNC, 0, prototype, {});
  }
  uint32_t add_array(uint32_t of, uint32_t index, uint32_t count) {
    return add("", BTF_KIND_ARRAY, 0, 0, {of, index, count});
  }
  uint32_t add_struct(const std::string &name,
                      const std::vector<std::pair<std::string, uint32_t>> &members) {
    std::vector<uint32_t> details;
    uint32_t bit = 0;
    for (const auto &[member, type] : members) {
      details.insert(details.end(), {add_string(member), type, bit});
      bit += 64;
    }
    return add(name, BTF_KIND_STRUCT, static_cast<uint32_t>(members.size()), bit / 8, details);
  }

  std::vector<uint8_t> finish() const {
    btf_header header{};
    header.magic = BTF_MAGIC;
    header.version = BTF_VERSION;
    header.hdr_len = sizeof header;
    header.type_len = static_cast<uint32_t>(types_.size() * 4);
    header.str_off = header.type_len;
    header.str_len = static_cast<uint32_t>(strings_.size());
    std::vector<uint8_t> bytes(sizeof header + types_.size() * 4 + strings_.size());
    memcpy(bytes.data(), &header, sizeof header);
    memcpy(bytes.data() + sizeof header, types_.data(), types_.size() * 4);
    memcpy(bytes.data() + sizeof header + types_.size() * 4, strings_.data(), strings_.size());
    return bytes;
  }

 private:
  uint32_t add_string(const std::string &text) {
    if (text.empty()) return 0;
    const auto offset = static_cast<uint32_t>(strings_.size());
    strings_ += text + '\0';
    return offset;
  }
  uint32_t add(const std::string &name, uint32_t kind, uint32_t count, uint32_t size_or_type,
               const std::vector<uint32_t> &details) {
    types_.insert(types_.end(), {add_string(name), kind << 24 | count, size_or_type});
    types_.insert(types_.end(), details.begin(), details.end());
    return ++last_id_;
  }

  uint32_t last_id_ = 0;
  std::vector<uint32_t> types_;
  std::string strings_ = std::string(1, '\0');
};

std::vector<uint8_t> make_kernel() {
  BtfBuilder kernel;
  const uint32_t number = kernel.add_int("int");
  const uint32_t pid = kernel.add_typedef("pid_t", number);
  const uint32_t other = kernel.add_struct("other", {{"x", number}});
  const uint32_t inner =
      kernel.add_struct("inner", {{"a", number}, {"b", kernel.add_pointer(other)}});
  const uint32_t array = kernel.add_array(inner, number, 4);
  kernel.add_struct("task_struct", {{"pid", pid}, {"parts", array}});
  kernel.add_typedef("btf_trace_sys_enter", number);
  return kernel.finish();
}

const btf_type *find(const BtfView &view, const std::string &name) {
  for (uint32_t id = 1; id < view.type_count(); ++id) {
    if (view.string(view.type(id)->name_off) == name) return view.type(id);
  }
  return nullptr;
}

TEST(MinimalBtf, HoldsATypeWithAllThatItHolds) {
  const std::vector<uint8_t> bytes = make_kernel();
  Result<BtfView> kernel = BtfView::parse(bytes.data(), bytes.size());
  ASSERT_TRUE(kernel) << kernel.error().message;
  const KernelTypes types =
      extract_kernel_types(*kernel, TypeNames(*kernel), {"task_struct"}, {"sys_enter", "gone"});
  EXPECT_TRUE(types.has_all_names);
  EXPECT_EQ(types.trace_ids[0], 8u);
  EXPECT_FALSE(types.trace_ids[1]);
  Result<BtfView> small = BtfView::parse(types.btf.data(), types.btf.size());
  ASSERT_TRUE(small) << small.error().message;
  const btf_type *task = find(*small, "task_struct");
  ASSERT_NE(task, nullptr);
  ASSERT_EQ(BtfView::count(task), 2u);
  const auto *members = small->details<btf_member>(task);
  EXPECT_EQ(small->string(members[1].name_off), "parts");
  EXPECT_EQ(members[1].offset, 64u);
  const btf_type *array = small->type(members[1].type);
  ASSERT_NE(array, nullptr);
  EXPECT_EQ(small->details<btf_array>(array)->nelems, 4u);
  EXPECT_NE(find(*small, "inner"), nullptr);
  // What is only pointed to stays behind.
  EXPECT_EQ(find(*small, "other"), nullptr);
}

TEST(BtfView, FindsFunctionsByName) {
  BtfBuilder kernel;
  const uint32_t number = kernel.add_int("bpf_session_cookie");
  kernel.add_function("my_bpf_session_cookie", number);
  const uint32_t cookie = kernel.add_function("cookie", number);
  const std::vector<uint8_t> bytes = kernel.finish();
  Result<BtfView> view = BtfView::parse(bytes.data(), bytes.size());
  ASSERT_TRUE(view) << view.error().message;
  // What is no function, a part of a name, and what is not there.
  EXPECT_EQ(view->find_functions({"bpf_session_cookie", "cookie", "cook", "gone"}),
            (std::vector<uint32_t>{0, cookie, 0, 0}));
}

TEST(TypeNames, FindsAllTypesOfAName) {
  BtfBuilder kernel;
  const uint32_t number = kernel.add_int("thing");
  const uint32_t whole = kernel.add_struct("thing", {{"x", number}});
  kernel.add_function("thing", number);
  kernel.add_pointer(whole);
  const uint32_t other = kernel.add_typedef("things", number);
  const std::vector<uint8_t> bytes = kernel.finish();
  Result<BtfView> view = BtfView::parse(bytes.data(), bytes.size());
  ASSERT_TRUE(view) << view.error().message;
  const TypeNames names(*view);
  EXPECT_EQ(names.find(*view, "thing"), (std::vector<uint32_t>{number, whole})) << "no functions";
  EXPECT_EQ(names.find(*view, "things"), std::vector<uint32_t>{other});
  EXPECT_TRUE(names.find(*view, "thin").empty());
  EXPECT_TRUE(names.find(*view, "").empty()) << "a pointer has no name";
}

TEST(MinimalBtf, SaysWhenANameIsMissing) {
  const std::vector<uint8_t> bytes = make_kernel();
  Result<BtfView> kernel = BtfView::parse(bytes.data(), bytes.size());
  ASSERT_TRUE(kernel);
  EXPECT_FALSE(extract_kernel_types(*kernel, TypeNames(*kernel), {"task_struct", "nf_conn"}, {})
                   .has_all_names);
}

TEST(MinimalBtf, ReadsTheNamesOfRelocations) {
  BtfBuilder object;
  const uint32_t number = object.add_int("int");
  const uint32_t task = object.add_struct("task_struct___old", {{"pid", number}});
  const std::vector<uint8_t> bytes = object.finish();
  Result<BtfView> view = BtfView::parse(bytes.data(), bytes.size());
  ASSERT_TRUE(view);
  // Header, then: size of a record; a section with two relocations of the same type.
  const std::vector<uint32_t> ext = {
      BTF_MAGIC | 1u << 16, 32, 0, 0, 0, 0, 0, 44, 16, 1, 2, 0, task, 0, 0, 8, task, 0, 0};
  const auto *data = reinterpret_cast<const uint8_t *>(ext.data());
  Result<std::vector<std::string>> names = relocated_type_names(*view, data, ext.size() * 4);
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_EQ(*names, std::vector<std::string>{"task_struct"});
  // Cut anywhere, it is damaged, never read beyond.
  for (size_t size = 0; size < ext.size() * 4; ++size) {
    const std::vector<uint8_t> part(data, data + size);
    EXPECT_FALSE(relocated_type_names(*view, part.data(), part.size())) << size;
  }
}

TEST(BtfView, SurvivesDamage) {
  const std::vector<uint8_t> whole = make_kernel();
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes = whole;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    Result<BtfView> view = BtfView::parse(bytes.data(), bytes.size());
    if (!view) continue;
    for (uint32_t id = 1; id < view->type_count(); ++id)
      (void)view->string(view->type(id)->name_off);
    (void)view->find_functions({"inner"});
    (void)TypeNames(*view).find(*view, "inner");
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::vector<uint8_t> part(whole.begin(), whole.begin() + static_cast<long>(size));
    EXPECT_FALSE(BtfView::parse(part.data(), part.size()));
  }
}

// The kernel of this machine, where it may be read.
TEST(MinimalBtf, FindsTheTypesOfThisKernel) {
  Result<NamedKernelBtf> kernel = NamedKernelBtf::open();
  if (!kernel) GTEST_SKIP() << kernel.error().message;
  const KernelTypes types =
      extract_kernel_types(kernel->btf.view(), kernel->names, {"task_struct"}, {"sys_enter"});
  EXPECT_TRUE(types.has_all_names);
  EXPECT_LT(types.btf.size(), 1u << 20);
  EXPECT_TRUE(BtfView::parse(types.btf.data(), types.btf.size()));
}

}  // namespace
}  // namespace awl::runtime
