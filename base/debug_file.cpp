#include "base/debug_file.h"

#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>

namespace awl {
namespace {

constexpr uint64_t kMaxLinkSize = 1u << 12;
constexpr const char *kDebugRoot = "/usr/lib/debug";

std::vector<std::string> &debug_folders() {
  static std::vector<std::string> folders;
  return folders;
}

// What .gnu_debuglink says: a file's name, and its checksum in the last four bytes.
struct DebugLink {
  std::string name;
  uint32_t checksum = 0;
};

std::optional<DebugLink> read_debug_link(const ElfFile &binary) {
  const Elf64_Shdr *section = binary.find_section(".gnu_debuglink");
  if (section == nullptr) return std::nullopt;
  const std::string text = binary.section_text(*section, kMaxLinkSize);
  DebugLink link{text.c_str(), 0};
  const size_t at = (link.name.size() + 1 + 3) & ~size_t{3};
  if (link.name.empty() || link.name.find('/') != std::string::npos ||
      text.size() < at + sizeof link.checksum) {
    return std::nullopt;
  }
  std::memcpy(&link.checksum, text.data() + at, sizeof link.checksum);
  return link;
}

struct Candidate {
  std::string path;
  bool by_checksum = false;  // the build id does not count
};

class DebugFileSearch {
 public:
  explicit DebugFileSearch(const ElfFile &binary)
      : binary_(binary), build_id_(binary.build_id()), link_(read_debug_link(binary)) {
    // "/proc/PID/root" in front of a path in another mount namespace.
    const std::string &path = binary.file_path();
    const size_t root = path.starts_with("/proc/") ? path.find("/root/") : std::string::npos;
    if (root != std::string::npos) root_ = path.substr(0, root + 5);
    folder_ = path.substr(0, path.rfind('/') + 1);
  }

  std::string find() const {
    for (const Candidate &candidate : candidates()) {
      if (candidate.path != binary_.path() && is_match(candidate)) return candidate.path;
    }
    return "";
  }

 private:
  std::vector<Candidate> candidates() const {
    std::vector<Candidate> list;
    for (std::string folder : debug_folders()) {
      const bool by_checksum = folder.starts_with('+');
      if (by_checksum) folder.erase(0, 1);
      if (!folder.starts_with('/')) folder = folder_ + folder;
      add(list, folder, by_checksum);
      if (link_) {
        list.push_back({folder + "/" + link_->name, by_checksum});
        list.push_back({folder + below_root() + link_->name, by_checksum});
      }
      list.push_back({folder + "/" + file_name() + ".debug", by_checksum});
      list.push_back({folder + "/" + file_name(), by_checksum});
    }
    if (!root_.empty()) add(list, root_ + kDebugRoot, false);
    add(list, kDebugRoot, false);
    if (!link_) return list;
    list.push_back({folder_ + link_->name});
    list.push_back({folder_ + ".debug/" + link_->name});
    if (!root_.empty()) list.push_back({root_ + kDebugRoot + below_root() + link_->name});
    if (folder_.starts_with('/')) list.push_back({kDebugRoot + below_root() + link_->name});
    return list;
  }

  void add(std::vector<Candidate> &list, const std::string &folder, bool by_checksum) const {
    if (build_id_.size() <= 2) return;
    list.push_back(
        {folder + "/.build-id/" + build_id_.substr(0, 2) + "/" + build_id_.substr(2) + ".debug",
         by_checksum});
  }

  std::string below_root() const { return folder_.substr(root_.size()); }
  std::string file_name() const { return binary_.file_path().substr(folder_.size()); }

  bool is_match(const Candidate &candidate) const {
    Result<ElfFile> file = ElfFile::open(candidate.path);
    if (!file) return false;
    const std::string build_id = file->build_id();
    if (!candidate.by_checksum && !build_id_.empty() && !build_id.empty()) {
      return build_id == build_id_;
    }
    uint32_t checksum = 0;
    return link_ && file_checksum(file->fd(), &checksum) && checksum == link_->checksum;
  }

  const ElfFile &binary_;
  const std::string build_id_;
  const std::optional<DebugLink> link_;
  std::string root_, folder_;
};

std::array<uint32_t, 256> make_checksum_table() {
  constexpr uint32_t kPolynomial = 0xedb88320;
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? kPolynomial : 0);
    table[i] = value;
  }
  return table;
}

}  // namespace

void set_debug_folders(const std::vector<std::string> &folders) { debug_folders() = folders; }

std::string find_debug_file(const ElfFile &binary) { return DebugFileSearch(binary).find(); }

bool file_checksum(int fd, uint32_t *checksum) {
  static const std::array<uint32_t, 256> table = make_checksum_table();
  uint32_t value = ~0u;
  std::vector<char> buffer(1u << 16);
  if (::lseek(fd, 0, SEEK_SET) != 0) return false;
  for (;;) {
    const ssize_t got = read_some(fd, buffer.data(), buffer.size());
    if (got < 0) return false;
    if (got == 0) break;
    for (ssize_t i = 0; i < got; ++i) {
      value = (value >> 8) ^ table[(value ^ static_cast<unsigned char>(buffer[i])) & 0xff];
    }
  }
  *checksum = ~value;
  return true;
}

}  // namespace awl
