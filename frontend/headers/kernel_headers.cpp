#include "frontend/headers/kernel_headers.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/find_program.h"
#include "base/helper_program.h"

namespace awl::frontend {
namespace {

constexpr int kUnpackLimitS = 60;

// Folders of the kernel's include/, as far as scripts use them.
constexpr std::string_view kKernelFolders[] = {
    "acpi",   "asm",    "asm-generic", "block", "crypto", "drm",   "generated",
    "keys",   "kernel", "kvm",         "linux", "media",  "misc",  "mtd",
    "net",    "pcmcia", "ras",         "rdma",  "scsi",   "soc",   "sound",
    "target", "trace",  "uapi",        "ufs",   "vdso",   "video", "xen",
};
// The C library has a folder net/, too.
constexpr std::string_view kLibraryNet[] = {
    "net/ethernet.h",  "net/if.h",      "net/if_arp.h",   "net/if_packet.h", "net/if_ppp.h",
    "net/if_shaper.h", "net/if_slip.h", "net/ppp-comp.h", "net/ppp_defs.h",  "net/route.h",
};

bool is_file(const std::string &path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

const char *setting(const char *own, const char *peer) {
  const char *value = std::getenv(own);
  return value ? value : std::getenv(peer);
}

// Debian's build folder has a Makefile that includes the one of the common sources.
std::string debian_common(const std::string &build) {
  const std::string parent = std::filesystem::path(build).parent_path().string();
  const std::string name = std::filesystem::path(build).filename().string();
  // linux-headers-6.1.0-18-amd64 → linux-headers-6.1.0-18-common
  const size_t dash = name.rfind('-');
  if (dash == std::string::npos) return "";
  std::string base = name.substr(0, dash);
  for (const char *flavour : {"-cloud", "-rt"}) {
    if (base.ends_with(flavour)) base.resize(base.size() - std::string_view(flavour).size());
  }
  return parent + "/" + base + "-common";
}

KernelHeaders headers_at(const std::string &folder) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(folder, error);
  if (error) return {};
  const std::string build = real.string();
  const bool is_built = is_file(build + "/include/generated/autoconf.h");
  if (is_file(build + "/include/linux/kconfig.h")) return {build, build};
  if (!is_built) return {};
  const std::string common = debian_common(build);
  return is_file(common + "/include/linux/kconfig.h") ? KernelHeaders{common, build}
                                                      : KernelHeaders{};
}

}  // namespace

UnpackedHeaders::~UnpackedHeaders() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  // Only now may a signal end us.
}

KernelHeaders UnpackedHeaders::unpack(const std::string &archive) {
  const Result<std::string> tar = find_program("tar");
  if (!tar || !is_file(archive)) return {};
  signals_.emplace();
  const char *parent = std::getenv("TMPDIR");
  std::string pattern = std::string(parent ? parent : "/tmp") + "/awl-headers-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) return {};
  folder_ = pattern;
  const Result<HelperOutcome> outcome =
      run_helper({*tar, "-xf", archive, "-C", folder_}, "", kUnpackLimitS);
  return outcome && outcome->exit_code == 0 ? headers_at(folder_) : KernelHeaders{};
}

std::string kernel_arch(const std::string &machine) {
  if (machine == "x86_64" || machine == "i686") return "x86";
  if (machine == "aarch64") return "arm64";
  if (machine.starts_with("ppc")) return "powerpc";
  if (machine == "s390x") return "s390";
  if (machine.starts_with("riscv")) return "riscv";
  if (machine.starts_with("loongarch")) return "loongarch";
  return machine;
}

KernelHeaders find_kernel_headers(const std::string &release, const std::string &root) {
  if (const char *source = setting("AWL_KERNEL_SOURCE", "BPFTRACE_KERNEL_SOURCE")) {
    const char *build = setting("AWL_KERNEL_BUILD", "BPFTRACE_KERNEL_BUILD");
    if (build) return {source, build};
    // A folder with `build` and `source` below it, as /lib/modules/RELEASE, or sources themselves.
    for (const char *below : {"/build", ""}) {
      if (KernelHeaders found = headers_at(source + std::string(below))) return found;
    }
    return {source, source};
  }
  for (const std::string &folder :
       {"/lib/modules/" + release + "/build", "/lib/modules/" + release + "/source",
        "/usr/src/linux-headers-" + release, "/usr/src/kernels/" + release,
        "/usr/src/linux-" + release}) {
    if (KernelHeaders found = headers_at(root + folder)) return found;
  }
  return {};
}

std::vector<std::string> kernel_include_options(const KernelHeaders &headers,
                                                const std::string &machine) {
  const std::string arch = "/arch/" + kernel_arch(machine);
  std::vector<std::string> options{"-nostdlibinc"};
  for (const std::string &folder :
       {headers.source + arch + "/include", headers.build + arch + "/include/generated",
        headers.source + "/include", headers.build + "/include",
        headers.source + arch + "/include/uapi", headers.build + arch + "/include/generated/uapi",
        headers.source + "/include/uapi", headers.build + "/include/generated/uapi"}) {
    options.push_back("-I" + folder);
  }
  // As kernel code is compiled; what follows keeps instructions of newer compilers out, which
  // clang may not know and nobody needs for types.
  options.insert(options.end(), {"-include", headers.source + "/include/linux/kconfig.h",
                                 "-D__KERNEL__", "-fshort-wchar", "-mcmodel=kernel", "-fno-pic"});
  // The C library's, for a script that names both.
  options.insert(options.end(), {"-idirafter", "/usr/include/" + machine + "-linux-gnu",
                                 "-idirafter", "/usr/include"});
  return options;
}

bool is_kernel_header(const std::string &name) {
  const size_t slash = name.find('/');
  if (slash == std::string::npos) return false;
  const std::string_view folder = std::string_view(name).substr(0, slash);
  return std::find(std::begin(kKernelFolders), std::end(kKernelFolders), folder) !=
             std::end(kKernelFolders) &&
         std::find(std::begin(kLibraryNet), std::end(kLibraryNet), name) == std::end(kLibraryNet);
}

}  // namespace awl::frontend
