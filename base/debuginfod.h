// Debug files from servers, for binaries whose own are not installed.
//
// Servers are asked by elfutils' program debuginfod-find, and only where the user has named some in
// $DEBUGINFOD_URLS; it keeps what it has fetched. That may take long, so nobody asks while
// something is traced: only for what cannot be had otherwise, before that, and it is said first.
#pragma once

#include <string>

#include "base/result.h"

namespace awl {

// The path of the debug file of a build; empty: no servers are named. Errors: the program is not
// installed, takes more than a minute, or found nothing. The same is not asked twice.
Result<std::string> fetch_debug_file(const std::string &build_id);

}  // namespace awl
