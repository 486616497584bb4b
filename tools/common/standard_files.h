// Descriptors 0 to 2, which a program may be started without.
#pragma once

namespace awl::tools {

// Opens /dev/null where standard input, output or errors are closed: else the next file that is
// opened takes their number, and output goes to it.
void open_standard_files();

}  // namespace awl::tools
