// The lines of a script that a C compiler is shown.
#pragma once

#include <string>
#include <string_view>

#include "frontend/frontend.h"
#include "frontend/headers/read_headers.h"

namespace awl::frontend {

// The absolute path of a header in the folder of the script `from`; empty: there is none.
std::string header_beside(const std::string &name, const std::string &from);

// The file that `#include` of the name takes from beside the script or from the folders of -I, with
// no links in its path; empty: neither has it.
std::string header_file(const std::string &name, bool is_system, const std::string &from,
                        const Options &options);

// `#include <name>` or `"name"`, of which the second is looked for beside the script `from` first.
HeaderLine include_line(const std::string &name, bool is_system, Span span, const std::string &from,
                        bool has_btf, const Options &options);

// A `#define` or `#undef` as it is written.
HeaderLine directive_line(std::string_view text, Span span);

// A line as it is written, an #include among others.
HeaderLine written_line(std::string_view text, bool has_btf, const Options &options);

HeaderOptions header_options(const Options &options, bool has_btf);

}  // namespace awl::frontend
