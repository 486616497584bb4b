#include "tools/awl/link_object.h"

#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"

namespace awl::tools {
namespace {

std::string last_warning;

int keep_warning(libbpf_print_level level, const char *format, va_list arguments) {
  if (level != LIBBPF_WARN || !last_warning.empty()) return 0;
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  std::string_view message = text;
  if (message.starts_with("libbpf: ")) message.remove_prefix(8);
  last_warning = message.substr(0, message.find('\n'));
  return 0;
}

struct LinkerCloser {
  void operator()(bpf_linker *linker) const { bpf_linker__free(linker); }
};

// The linker takes files by name; these lie in memory.
class MemoryFile {
 public:
  MemoryFile() : file_(::memfd_create("awl-object", MFD_CLOEXEC)) {}

  std::string path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

  Status write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return Error::from_errno("cannot write an object to memory");
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return ok();
  }

 private:
  FileDescriptor file_;
};

Error link_error(const std::string &what) {
  return {"cannot link " + what + (last_warning.empty() ? "" : ": " + last_warning)};
}

Status add(bpf_linker *linker, std::string_view bytes, const std::string &name) {
  MemoryFile file;
  if (Status status = file.write(bytes); !status) return status;
  if (bpf_linker__add_file(linker, file.path().c_str(), nullptr) != 0) return link_error(name);
  return ok();
}

std::string_view text_of(const std::vector<uint8_t> &bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

}  // namespace

Result<std::vector<uint8_t>> link_objects(const std::vector<uint8_t> &own,
                                          const std::vector<frontend::ImportedObject> &imported) {
  last_warning.clear();
  const libbpf_print_fn_t before = libbpf_set_print(keep_warning);
  const auto restore = [before](void *) { libbpf_set_print(before); };
  std::unique_ptr<void, decltype(restore)> restored(&last_warning, restore);

  MemoryFile output;
  std::unique_ptr<bpf_linker, LinkerCloser> linker(bpf_linker__new(output.path().c_str(), nullptr));
  if (!linker) return link_error("the script");
  if (Status status = add(linker.get(), text_of(own), "the script"); !status) return status.error();
  for (const frontend::ImportedObject &object : imported) {
    if (Status status = add(linker.get(), object.bytes, object.path); !status)
      return status.error();
  }
  if (bpf_linker__finalize(linker.get()) != 0) return link_error("the script");

  Result<std::string> linked = read_file(output.path());
  if (!linked) return linked.error();
  return std::vector<uint8_t>(linked->begin(), linked->end());
}

}  // namespace awl::tools
