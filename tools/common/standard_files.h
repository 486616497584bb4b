// Descriptors 0 to 2, which a program may be started without, and which may take nothing.
#pragma once

namespace awl::tools {

// Opens /dev/null where standard input, output or errors are closed: else the next file that is
// opened takes their number, and output goes to it.
void open_standard_files();

// Writes out what standard output still holds. The exit code: `code`, or 1 where that was 0 and not
// all could be written, which is reported.
int close_standard_output(int code);

}  // namespace awl::tools
