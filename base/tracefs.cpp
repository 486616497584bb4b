#include "base/tracefs.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

#include "base/file.h"
#include "base/pattern.h"
#include "base/text.h"

namespace awl {
namespace {

constexpr size_t kMaxFileSize = 1u << 20;

// glibc 2.36 is the first with wrappers for these, and its <sys/mount.h> clashes with the
// kernel's header, so they are called by number.
int open_filesystem(const char *type) {
  return static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}
int configure_filesystem(int fs) {
  return static_cast<int>(::syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
}
int mount_filesystem(int fs) {
  return static_cast<int>(::syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0));
}

// A detached mount of our own; its descriptor stays open until the process ends.
Result<std::string> mount_privately() {
  const std::string what =
      "tracefs is not mounted at /sys/kernel/tracing and cannot be mounted privately";
  FileDescriptor fs(open_filesystem("tracefs"));
  if (!fs || configure_filesystem(fs.get()) != 0) return Error::from_errno(what);
  FileDescriptor mount(mount_filesystem(fs.get()));
  if (!mount) return Error::from_errno(what);
  return "/proc/self/fd/" + std::to_string(mount.release());
}

Result<std::string> find_tracefs() {
  for (const char *path : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    if (::access((std::string(path) + "/events").c_str(), F_OK) == 0) return std::string(path);
    // The folder may be there and closed to us, which says more than a failing mount would.
    if (errno == EACCES) return Error::from_errno(std::string("cannot look into ") + path, EACCES);
  }
  return mount_privately();
}

// Whether a name can stand in a path below events/ without leading out of it.
bool is_plain_name(const std::string &name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

// "char comm[16]", "unsigned long args[6]", "const char * filename", "__data_loc char[] msg":
// the declaration's name is its last word, an array part behind it belongs to the type.
bool parse_declaration(std::string_view text, TracepointField *field) {
  std::string_view array;
  if (!text.empty() && text.back() == ']') {
    const size_t open = text.rfind('[');
    if (open == std::string_view::npos) return false;
    array = text.substr(open);
    text = trim(text.substr(0, open));
  }
  const size_t start = text.find_last_of(" *]");
  if (start == std::string_view::npos || start + 1 == text.size()) return false;
  field->name = text.substr(start + 1);
  field->type_text = std::string(trim(text.substr(0, start + 1))) + std::string(array);
  field->is_data_loc =
      field->type_text.starts_with("__data_loc") || field->type_text.starts_with("__rel_loc");
  return true;
}

// "field:int prev_prio;	offset:32;	size:4;	signed:1;"
bool parse_field(std::string_view line, TracepointField *field) {
  bool has_declaration = false, has_offset = false, has_size = false;
  while (!line.empty()) {
    std::string_view part = trim(take_until(line, ';'));
    if (part.empty()) continue;
    const std::string_view key = take_until(part, ':');
    uint32_t number = 0;
    if (key == "field") {
      has_declaration = parse_declaration(trim(part), field);
    } else if (key == "offset") {
      has_offset = parse_digits(part, 10, &field->offset);
    } else if (key == "size") {
      has_size = parse_digits(part, 10, &field->size);
    } else if (key == "signed" && parse_digits(part, 10, &number)) {
      field->is_signed = number != 0;
    }
  }
  return has_declaration && has_offset && has_size;
}

}  // namespace

Result<std::string> tracefs_path() {
  static std::mutex mutex;
  static std::string found;
  const std::lock_guard lock(mutex);
  if (!found.empty()) return found;
  Result<std::string> path = find_tracefs();
  if (path) found = *path;
  return path;
}

Result<std::string> read_tracefs_file(const std::string &relative_path) {
  const Result<std::string> root = tracefs_path();
  if (!root) return root.error();
  return read_file(*root + "/" + relative_path, kMaxFileSize);
}

Result<std::vector<std::string>> list_tracepoints(const std::string &category,
                                                  const std::string &event) {
  const Result<std::string> root = tracefs_path();
  if (!root) return root.error();
  std::vector<std::string> found;
  if (!has_wildcard(category) && !has_wildcard(event)) {
    const std::string path = *root + "/events/" + category + "/" + event + "/format";
    if (is_plain_name(category) && is_plain_name(event) && ::access(path.c_str(), F_OK) == 0) {
      found.push_back(category + ":" + event);
    }
    return found;
  }
  // One file with "category:event" a line: much faster than to walk the folders, for each of
  // which the kernel makes its inodes only when it is listed.
  const Result<std::string> events = read_tracefs_file("available_events");
  if (!events) return events.error();
  std::string_view rest = *events;
  while (!rest.empty()) {
    const std::string_view line = take_until(rest, '\n');
    std::string_view name = line;
    const std::string_view line_category = take_until(name, ':');
    if (!name.empty() && matches_pattern(category, line_category) && matches_pattern(event, name)) {
      found.emplace_back(line);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<uint32_t> tracepoint_id(const std::string &category, const std::string &event) {
  const std::string what = "tracepoint " + category + ":" + event;
  if (!is_plain_name(category) || !is_plain_name(event)) {
    return Error{what + " does not exist", ENOENT};
  }
  const Result<std::string> text = read_tracefs_file("events/" + category + "/" + event + "/id");
  if (!text && text.error().code == ENOENT) return Error{what + " does not exist", ENOENT};
  if (!text) return text.error().with_context(what);
  uint32_t id = 0;
  std::string_view rest = *text;
  if (!parse_digits(take_until(rest, '\n'), 10, &id))
    return Error{what + " has no valid id", EINVAL};
  return id;
}

Result<TracepointFormat> read_tracepoint_format(const std::string &category,
                                                const std::string &event) {
  const std::string what = "tracepoint " + category + ":" + event;
  if (!is_plain_name(category) || !is_plain_name(event)) {
    return Error{what + " does not exist", ENOENT};
  }
  const Result<std::string> text =
      read_tracefs_file("events/" + category + "/" + event + "/format");
  if (!text && text.error().code == ENOENT) return Error{what + " does not exist", ENOENT};
  if (!text) return text.error().with_context(what);
  return parse_tracepoint_format(*text, category);
}

TracepointFormat parse_tracepoint_format(std::string_view text, std::string_view category) {
  TracepointFormat format;
  while (!text.empty()) {
    std::string_view line = trim(take_until(text, '\n'));
    if (line.starts_with("ID:")) {
      parse_digits(trim(line.substr(3)), 10, &format.id);
    } else if (line.starts_with("print fmt:")) {
      break;
    } else if (line.starts_with("field:")) {
      TracepointField field;
      const bool is_copy = category == "syscalls" && line.starts_with("field:__data_loc");
      if (!is_copy && parse_field(line, &field) && !field.name.starts_with("common_")) {
        format.fields.push_back(std::move(field));
      }
    }
  }
  return format;
}

}  // namespace awl
