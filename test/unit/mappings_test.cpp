// What processes have mapped, from /proc and from the kernel's records.
#include "runtime/symbols/mappings.h"

#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "runtime/symbols/process_events.h"

namespace awl::runtime {
namespace {

TEST(Mappings, OfProc) {
  MappedFiles files;
  const Mappings mappings = Mappings::parse(
      "00400000-00401000 r--p 00000000 fe:00 1234                    /usr/bin/true\n"
      "00401000-00402000 r-xp 00001000 fe:00 1234                    /usr/bin/true\n"
      "7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
      "7f0000002000-7f0000003000 r-xp 00000000 00:00 0               [vdso]\n"
      "nonsense\n7f00-7e00 r-xp 0 0:0 0\n7f0000004000-7f0000005000 r-xp",
      files);
  ASSERT_EQ(mappings.all().size(), 3u);
  EXPECT_EQ(mappings.find(0x400fff), nullptr);
  const Mapping *program = mappings.find(0x401fff);
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(program->offset, 0x1000u);
  EXPECT_EQ(program->file->path, "/usr/bin/true");
  EXPECT_EQ(program->file->inode, 1234u);
  EXPECT_EQ(mappings.find(0x402000), nullptr);
  EXPECT_EQ(mappings.find(0x7f0000000000)->file, nullptr);
  EXPECT_EQ(mappings.find(0x7f0000002000)->file->path, "[vdso]");
  EXPECT_EQ(files.find("/usr/bin/true", 0xfe, 0, 1234), program->file);
  EXPECT_NE(files.find("/usr/bin/true", 0xfe, 0, 1235), program->file);
}

TEST(Mappings, SymbolsCanBeForgotten) {
  MappedFiles files;
  const Mapping mapping{.file = files.find("/proc/self/exe", 0, 0, 0)};
  const auto pid = static_cast<uint32_t>(getpid());
  ASSERT_NE(MappedFiles::open(mapping, pid), nullptr);
  EXPECT_NE(mapping.file->symbols, nullptr);
  files.forget_symbols();
  EXPECT_EQ(mapping.file->symbols, nullptr);
  EXPECT_NE(MappedFiles::open(mapping, pid), nullptr);
}

TEST(Mappings, NewOnesTakeThePlaceOfOld) {
  MappedFiles files;
  MappedFile *old = files.find("/old", 0, 0, 1), *fresh = files.find("/new", 0, 0, 2);
  Mappings mappings;
  mappings.insert({0x1000, 0x5000, 0x100000, old});
  mappings.insert({0x2000, 0x3000, 0, fresh});
  ASSERT_EQ(mappings.all().size(), 3u);
  EXPECT_EQ(mappings.find(0x1fff)->file, old);
  EXPECT_EQ(mappings.find(0x2000)->file, fresh);
  EXPECT_EQ(mappings.find(0x3000)->file, old);
  EXPECT_EQ(mappings.find(0x3000)->offset, 0x102000u);
  mappings.insert({0x0, 0x6000, 0, fresh});
  ASSERT_EQ(mappings.all().size(), 1u);
  mappings.insert({0x5000, 0x7000, 0, old});
  EXPECT_EQ(mappings.find(0x5000)->file, old);
  EXPECT_EQ(mappings.find(0x4fff)->file, fresh);
  mappings.insert({0x8000, 0x9000, 0, old});
  mappings.insert({0x7000, 0x8000, 0, fresh});
  EXPECT_EQ(mappings.find(0x7fff)->file, fresh);
  EXPECT_EQ(mappings.all().size(), 4u);
}

class Told : public ProcessEventHandler {
 public:
  void on_map(const Map &map) override {
    text += "map " + std::to_string(map.pid) + " " + std::to_string(map.start) + "+" +
            std::to_string(map.size) + " " + std::string(map.path) + "\n";
  }
  void on_exec(uint32_t pid) override { text += "exec " + std::to_string(pid) + "\n"; }
  void on_fork(uint32_t pid, uint32_t parent) override {
    text += "fork " + std::to_string(pid) + " of " + std::to_string(parent) + "\n";
  }
  void on_thread(uint32_t pid) override { text += "thread of " + std::to_string(pid) + "\n"; }
  void on_exit(uint32_t pid) override { text += "exit in " + std::to_string(pid) + "\n"; }
  void on_lost() override { text += "lost\n"; }
  std::string text;
};

template <class... T>
std::string record(uint32_t type, uint16_t misc, T... parts) {
  perf_event_header header{type, misc, 0};
  std::string bytes(reinterpret_cast<const char *>(&header), sizeof header);
  (bytes.append(reinterpret_cast<const char *>(&parts), sizeof parts), ...);
  return bytes;
}

std::string map_record(uint64_t start, uint64_t size, uint32_t protection, const char *path) {
  return record(PERF_RECORD_MMAP2, 0, 7u, 7u, start, size, uint64_t{0}, 0u, 0u, uint64_t{1},
                uint64_t{0}, protection, 0u) +
         path;
}

TEST(ProcessEvents, Records) {
  const std::string kTold =
      "map 7 4096+8192 /bin/x\nexec 7\nfork 8 of 7\nthread of 7\nexit in 8\nexit in 8\nlost\n";
  Told told;
  handle_process_record(map_record(4096, 8192, PROT_EXEC, "/bin/x"), told);
  handle_process_record(map_record(4096, 8192, PROT_READ, "/bin/data"), told);
  handle_process_record(map_record(~uint64_t{0}, 2, PROT_EXEC, "/bin/wraps"), told);
  handle_process_record(record(PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC, 7u, 7u), told);
  handle_process_record(record(PERF_RECORD_COMM, 0, 7u, 7u), told);
  handle_process_record(record(PERF_RECORD_FORK, 0, 8u, 7u, 8u, 7u), told);
  handle_process_record(record(PERF_RECORD_FORK, 0, 7u, 7u, 9u, 7u), told);  // a thread
  handle_process_record(record(PERF_RECORD_EXIT, 0, 8u, 7u, 9u, 7u), told);  // a thread
  handle_process_record(record(PERF_RECORD_EXIT, 0, 8u, 7u, 8u, 7u), told);
  handle_process_record(record(PERF_RECORD_LOST, 0), told);
  EXPECT_EQ(told.text, kTold);
  // Whatever is missing of a record.
  for (const std::string &whole :
       {map_record(4096, 1, PROT_EXEC, ""), record(PERF_RECORD_FORK, 0, 8u, 7u, 8u)}) {
    for (size_t size = 0; size + 1 < whole.size(); ++size) {
      handle_process_record(std::string_view(whole).substr(0, size), told);
    }
  }
  EXPECT_EQ(told.text, kTold);
}

}  // namespace
}  // namespace awl::runtime
