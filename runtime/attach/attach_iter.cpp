// iter: a link which runs the program for each object of the kernel whenever it is read, by the
// tracer at once, or by whoever opens the file that it is pinned to.
#include <bpf/bpf.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "runtime/attach/families.h"

namespace awl::runtime {
namespace {

std::string folder_of(const std::string &path) {
  const size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

Status pin(int link, const std::string &path) {
  if (bpf_obj_pin(link, path.c_str()) == 0) return ok();
  const int code = errno;
  struct statfs filesystem {};
  const std::string folder = folder_of(path);
  const bool is_bpf = statfs(folder.c_str(), &filesystem) == 0 &&
                      static_cast<unsigned long>(filesystem.f_type) == BPF_FS_MAGIC;
  if (code != EEXIST && !is_bpf) {
    return Error{"no BPF filesystem is mounted at " + folder + " (mount -t bpf bpf " + folder + ")",
                 code};
  }
  return Error::from_errno("cannot pin it to " + path, code);
}

// With -p: the iterators of tasks go through one process alone (since 6.1).
bool is_of_tasks(const std::string &name) {
  return name == "task" || name == "task_file" || name == "task_vma";
}

}  // namespace

AWL_ATTACHES(attach_iter) {
  for (const Target &target : targets) {
    bpf_iter_link_info scope{};
    LIBBPF_OPTS(bpf_link_create_opts, options);
    const bool is_scoped = context.pid && !context.child_pid && is_of_tasks(target.point->target);
    if (is_scoped) {
      scope.task.pid = static_cast<uint32_t>(*context.pid);
      options.iter_info = &scope;
      options.iter_info_len = sizeof scope;
    }
    FileDescriptor link(bpf_link_create(program, 0, BPF_TRACE_ITER, &options));
    if (!link) {
      const bool is_too_old = is_scoped && errno == E2BIG;
      failures.push_back({&target, is_too_old
                                       ? Error{"iterators through one process alone came with "
                                               "Linux 6.1",
                                               E2BIG}
                                       : Error::from_errno("cannot make the iterator")});
      continue;
    }
    if (!target.point->binary.empty()) {
      Status pinned = pin(link.get(), target.point->binary);
      if (!pinned) failures.push_back({&target, pinned.error()});
      continue;  // it lives on in the file
    }
    attachments.add_iterator(std::move(link));
  }
}

}  // namespace awl::runtime
