// awl --info: what to paste into a bug report.

#include <sys/utsname.h>

#include <cstdio>

#include "frontend/headers/clang.h"
#include "frontend/headers/kernel_headers.h"
#include "runtime/features.h"
#include "tools/awl/commands.h"

namespace awl::tools {

int print_info() {
  utsname system{};
  uname(&system);
  printf("System\n  OS: %s %s %s\n  Arch: %s\n\nBuild\n  version: v%s\n", system.sysname,
         system.release, system.version, system.machine, kVersion);
  const std::string clang = frontend::find_clang();
  const frontend::KernelHeaders headers = frontend::find_kernel_headers(system.release);
  printf("  C compiler: %s\n  kernel headers: %s\n",
         clang.empty() ? "none" : (clang + " (" + frontend::clang_version(clang) + ")").c_str(),
         headers ? headers.source.c_str() : "none");
  std::string group;
  for (const runtime::Feature &feature : runtime::detect_features()) {
    if (feature.group != group) printf("\n%s\n", feature.group.c_str());
    group = feature.group;
    printf("  %s: %s\n", feature.name.c_str(), feature.is_available ? "yes" : "no");
  }
  return 0;
}

}  // namespace awl::tools
