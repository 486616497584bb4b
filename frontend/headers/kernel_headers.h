// Where the kernel's headers are, and what clang must be told to read them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deferred_signals.h"

namespace awl::frontend {

// Folders of the running kernel's headers. Distributions split them: what the build made
// (`build`) and the sources (`source`) may be one folder or two.
struct KernelHeaders {
  std::string source, build;
  explicit operator bool() const { return !source.empty(); }
};

// $AWL_KERNEL_SOURCE (and _BUILD), else as distributions install them for the kernel `release`:
// /lib/modules/RELEASE/{source,build}, /usr/src/linux-headers-RELEASE (Debian, Ubuntu),
// /usr/src/kernels/RELEASE (Fedora), /usr/src/linux-RELEASE. `root` stands before each but what
// the environment names. Empty: none are installed.
KernelHeaders find_kernel_headers(const std::string &release, const std::string &root = "");

// What to do about headers that are not there.
inline constexpr std::string_view kInstallKernelHeaders =
    "install the headers of this kernel (Debian and Ubuntu: linux-headers-$(uname -r); Fedora: "
    "kernel-devel), or let BPFTRACE_KERNEL_SOURCE name them";

// Headers that the kernel carries itself (CONFIG_IKHEADERS), unpacked into a folder that goes with
// this object. It takes tar, and about a second. Signals that would end the program wait from then
// on until the folder is gone.
class UnpackedHeaders {
 public:
  static constexpr const char *kArchive = "/sys/kernel/kheaders.tar.xz";

  UnpackedHeaders() = default;
  UnpackedHeaders(const UnpackedHeaders &) = delete;
  ~UnpackedHeaders();

  // Empty: there is no such archive, or it cannot be unpacked.
  KernelHeaders unpack(const std::string &archive = kArchive);

 private:
  std::optional<DeferredSignals> signals_;  // goes last, in the destructor
  std::string folder_;
};

// What the kernel calls an architecture (`uname -m`): "x86", "arm64".
std::string kernel_arch(const std::string &machine);

// Options for clang: where to look, and what a kernel is compiled with.
std::vector<std::string> kernel_include_options(const KernelHeaders &headers,
                                                const std::string &machine);

// Whether a name in angle brackets is one of the kernel's headers, such as <linux/sched.h>, whose
// types BTF has: not one of the C library.
bool is_kernel_header(const std::string &name);

}  // namespace awl::frontend
