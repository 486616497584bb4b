// Packages of split debug information, as llvm-dwp writes them, cut off and damaged.
#include <dwarf.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/dwarf/dwarf_file.h"
#include "base/dwarf/source_lines.h"
#include "base/dwarf/unit_package.h"
#include "base/elf_symbols.h"

namespace awl {
namespace {

namespace fs = std::filesystem;

std::string program(const std::string &name) {
  return fs::canonical("/proc/self/exe").parent_path().parent_path() / "test/programs" / name;
}

std::string content(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// "name: type, ..." of a function's parameters; empty: it is not described.
std::string parameters(const std::string &path, const std::string &function) {
  const auto symbols = ElfSymbols::open(path);
  const auto file = DwarfFile::open(path);
  if (!symbols || !file) return "";
  const ElfSymbol *symbol = (*symbols)->find_function(function);
  if (symbol == nullptr) return "";
  std::optional<DwarfUnit> unit = (*file)->unit_at(symbol->address);
  std::string text;
  if (!unit) return text;
  dwarf_visit_children(unit->die, [&](Dwarf_Die &child) {
    Dwarf_Addr entry = 0;
    if (dwarf_tag(&child) != DW_TAG_subprogram || dwarf_entrypc(&child, &entry) != 0) return true;
    if (entry != symbol->address) return true;
    dwarf_visit_children(child, [&](Dwarf_Die &parameter) {
      if (dwarf_tag(&parameter) != DW_TAG_formal_parameter) return true;
      std::optional<Dwarf_Die> type = dwarf_referred(parameter, DW_AT_type);
      if (!text.empty()) text += ", ";
      text += dwarf_name(parameter) + ": " + (type ? dwarf_name(*type) : "");
      return true;
    });
    return false;
  });
  return text;
}

size_t count_entries(Dwarf_Die &parent, uint32_t depth) {
  size_t count = 0;
  dwarf_visit_children(parent, [&](Dwarf_Die &child) {
    Dwarf_Addr entry = 0;
    count += 1 + dwarf_name(child).size() + (dwarf_entrypc(&child, &entry) == 0 ? 1 : 0);
    if (depth < 64) count += count_entries(child, depth + 1);
    return count < 1'000'000;
  });
  return count;
}

// A program with a package beside it, each test's own.
class DebugPackageTest : public testing::Test {
 protected:
  DebugPackageTest() {
    char name[] = "/tmp/awl-package-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~DebugPackageTest() override { fs::remove_all(folder_); }

  std::string copy_program(const std::string &name) {
    fs::copy_file(program(name), folder_ + "/prog", fs::copy_options::overwrite_existing);
    return folder_ + "/prog";
  }
  void write_package(const std::string &bytes) {
    std::ofstream(folder_ + "/prog.dwp", std::ios::binary) << bytes;
  }

  std::string folder_;
};

TEST_F(DebugPackageTest, DescribesFunctions) {
  for (const char *name : {"dwarfprog-packed-5", "dwarfprog-packed-4"}) {
    EXPECT_EQ(parameters(program(name), "dwarf_many"),
              "a: long int, b: long int, c: long int, d: long int, e: long int, f: long int, "
              "g: long int, h: short int")
        << name;
  }
}

TEST_F(DebugPackageTest, LiesBehindALinkToo) {
  fs::create_symlink(program("dwarfprog-packed-5"), folder_ + "/link");
  EXPECT_NE(parameters(folder_ + "/link", "dwarf_many"), "");
}

TEST_F(DebugPackageTest, SaysWhichPartIsMissing) {
  const std::string path = copy_program("dwarfprog-packed-5");
  EXPECT_EQ(parameters(path, "dwarf_many"), "");
  const auto file = DwarfFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_TRUE(
      (*file)->missing_part().ends_with(".dwo, which is not there, and not in " + path + ".dwp"))
      << (*file)->missing_part();
  const auto whole = DwarfFile::open(program("dwarfprog-packed-5"));
  ASSERT_TRUE(whole);
  EXPECT_EQ((*whole)->missing_part(), "");
}

TEST_F(DebugPackageTest, OfAnotherBuildIsLeftAlone) {
  copy_program("dwarfprog-packed-5");
  write_package(content(program("dwarfprog-packed-4.dwp")));
  EXPECT_EQ(parameters(folder_ + "/prog", "dwarf_many"), "");
}

TEST_F(DebugPackageTest, SaysWhatIsDamaged) {
  const std::string path = copy_program("dwarfprog-packed-5");
  const std::string whole = content(program("dwarfprog-packed-5.dwp"));
  const auto problem = [&](const std::string &bytes) {
    write_package(bytes);
    EXPECT_EQ(parameters(path, "dwarf_many"), "");
    const auto file = DwarfFile::open(path);
    return file ? (*file)->missing_part() : "";
  };
  const std::string start = path + ".dwp cannot be read: ";
  EXPECT_EQ(problem("no package"), start + "it is not an ELF file of this machine's kind");
  EXPECT_EQ(problem(whole.substr(0, whole.size() / 2)), start + "it has no index of units");
  EXPECT_EQ(problem(content(path)), start + "it has no index of units");
}

TEST_F(DebugPackageTest, CutOff) {
  for (const char *name : {"dwarfprog-packed-5", "dwarfprog-packed-4"}) {
    const std::string path = copy_program(name);
    const std::string whole = content(program(name) + ".dwp");
    ASSERT_GT(whole.size(), 1000u);
    for (size_t size = 0; size < whole.size(); size += whole.size() / 60) {
      write_package(whole.substr(0, size));
      EXPECT_EQ(parameters(path, "dwarf_many"), "") << size;  // the table of sections comes last
    }
    write_package(whole);
    EXPECT_NE(parameters(path, "dwarf_many"), "");
  }
}

TEST_F(DebugPackageTest, Damaged) {
  std::mt19937 random(1);
  for (const char *name : {"dwarfprog-packed-5", "dwarfprog-packed-4"}) {
    const std::string path = copy_program(name);
    const std::string whole = content(program(name) + ".dwp");
    for (int round = 0; round < 300; ++round) {
      std::string damaged = whole;
      // Now and then in the index, which is short.
      const size_t index = whole.size() / 2 + random() % (whole.size() / 2);
      for (int i = 0; i < 8; ++i) {
        const size_t at = round % 2 == 0 ? random() % whole.size() : index + random() % 64;
        if (at < damaged.size()) damaged[at] = static_cast<char>(random());
      }
      write_package(damaged);
      const auto file = DwarfFile::open(path);
      ASSERT_TRUE(file);
      (*file)->visit_units_with("dwarf_many", [](const DwarfUnit &unit) {
        Dwarf_Die die = unit.die;
        count_entries(die, 0);
      });
    }
  }
}

std::string words(std::initializer_list<uint32_t> values) {
  std::string text;
  for (const uint32_t value : values) {
    text.append(reinterpret_cast<const char *>(&value), sizeof value);
  }
  return text;
}

constexpr uint64_t kId = 0x1122334455667788;

// The index of one unit with parts of four bytes: info, abbreviations, offsets of strings.
std::string index(uint32_t version, uint32_t columns, uint32_t units, uint32_t slots,
                  uint32_t row = 1) {
  const uint32_t low = static_cast<uint32_t>(kId), high = static_cast<uint32_t>(kId >> 32);
  return words({version, columns, units, slots}) + words({low, high, 0, 0}) + words({row, 0}) +
         words({1, 3, 6}) + words({4, 0, 0}) + words({4, 4, 8});
}

struct CraftedPackage {
  std::string index, offsets = words({4, 5}) + words({3}), strings{"xy\0cd\0", 6};
  Result<std::string> cut(uint64_t id = kId, uint64_t limit = 1u << 20) const {
    Result<UnitPackage> package = parse();
    if (!package) return package.error();
    return package->cut_out(id, Elf64_Ehdr{}, "address!", limit);
  }
  Result<UnitPackage> parse() const {
    PackageSections sections;
    sections.index = index;
    sections.info = "....INFO";
    sections.abbreviations = "abbr";
    sections.strings = strings;
    sections.string_offsets = offsets;
    return UnitPackage::parse(sections);
  }
};

TEST(UnitPackageTest, TakesItsPartsAndItsStrings) {
  CraftedPackage package{index(5, 3, 1, 2)};
  // The part with offsets of strings has a header and nothing else.
  Result<std::string> image = package.cut();
  ASSERT_TRUE(image) << image.error().message;
  for (const char *text : {"INFO", "abbr", "address!"}) {
    EXPECT_NE(image->find(text), std::string::npos) << text;
  }
  EXPECT_EQ(image->find("...."), std::string::npos);
  EXPECT_EQ(image->find("cd"), std::string::npos) << "a string that the unit does not name";
  package.index.replace(package.index.size() - 4, 4, words({12}));
  image = package.cut();
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_NE(image->find("cd"), std::string::npos);
  EXPECT_EQ(image->find("xy"), std::string::npos);
}

TEST(UnitPackageTest, RefusesWhatDoesNotFit) {
  const auto is_refused = [](const std::string &index, uint64_t id = kId) {
    return !CraftedPackage{index}.cut(id);
  };
  EXPECT_FALSE(is_refused(index(2, 3, 1, 2)));
  EXPECT_TRUE(is_refused(index(5, 3, 1, 2), kId + 2));
  EXPECT_TRUE(is_refused(index(5, 3, 1, 2), kId + 1));
  EXPECT_TRUE(is_refused(index(3, 3, 1, 2))) << "version";
  EXPECT_TRUE(is_refused(index(5, 3, 1, 3))) << "slots";
  EXPECT_TRUE(is_refused(index(5, 3, 1, 0))) << "no slots";
  EXPECT_TRUE(is_refused(index(5, 3, 1, 1u << 31))) << "slots";
  EXPECT_TRUE(is_refused(index(5, 3, UINT32_MAX, 2))) << "units";
  EXPECT_TRUE(is_refused(index(5, UINT32_MAX, 1, 2))) << "columns";
  EXPECT_TRUE(is_refused(index(5, 3, 1, 2, 2))) << "row";
  EXPECT_TRUE(is_refused("")) << "empty";
  EXPECT_TRUE(is_refused(index(5, 3, 1, 2).substr(0, 60))) << "cut off";
}

TEST(UnitPackageTest, RefusesStringsThatAreNotThere) {
  CraftedPackage package{index(2, 3, 1, 2)};
  package.offsets = words({0, 6});
  EXPECT_FALSE(package.cut()) << "behind the end";
  package.offsets = words({0, 3});
  package.strings.pop_back();
  EXPECT_FALSE(package.cut()) << "without an end";
}

TEST(UnitPackageTest, RefusesPartsThatAreNotThere) {
  CraftedPackage package{index(2, 3, 1, 2)};
  package.index.replace(package.index.size() - 12, 4, words({5}));
  const Result<std::string> image = package.cut();
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().message, "its index names parts that are not there");
}

TEST(UnitPackageTest, CutsOutNoMoreThanItMay) {
  const CraftedPackage package{index(5, 3, 1, 2)};
  EXPECT_TRUE(package.cut(kId, 4200));
  const Result<std::string> image = package.cut(kId, 4100);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, EFBIG);
}

TEST(UnitPackageTest, TellsWhichUnitsHaveAName) {
  CraftedPackage package{index(5, 3, 1, 2)};
  package.index.replace(package.index.size() - 4, 4, words({12}));
  const Result<UnitPackage> parsed = package.parse();
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->has(kId));
  EXPECT_FALSE(parsed->has(kId + 1));
  EXPECT_TRUE(parsed->units_with("cd").contains(kId));
  EXPECT_FALSE(parsed->units_with("d").contains(kId)) << "the end of a string it names";
  EXPECT_FALSE(parsed->units_with("xy").contains(kId)) << "a string that it does not name";
  EXPECT_FALSE(parsed->units_with("INFO").contains(kId)) << "without an end";
}

}  // namespace
}  // namespace awl
