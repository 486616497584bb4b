// What went wrong at an error site, in words.
#pragma once

#include <string>
#include <string_view>

namespace awl::runtime {

struct ErrorText {
  std::string_view message;
  std::string_view hint;  // may be empty
};

// By the name that code generation gave the site, which is the helper's where one failed. What
// is not known explains itself.
ErrorText explain_error(std::string_view what);

}  // namespace awl::runtime
