// A guard is a process beside the tracer that sees to what must be done however the tracer ends. It
// learns of the end by a pipe, whose other end the kernel closes even after SIGKILL.
#pragma once

#include <initializer_list>
#include <vector>

#include "base/file.h"

namespace awl::runtime {

// Makes a guard of a process that was just forked: signals and the end of the terminal leave it
// alone, and nothing of the tracer's stays open because of it, the pipe's other end least of all,
// but its own end and what it is to keep.
void become_guard(int pipe, std::initializer_list<const std::vector<FileDescriptor> *> kept = {});

}  // namespace awl::runtime
