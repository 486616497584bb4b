// Result: a value or the reason why there is none.
//
// For failures of the environment (a file gone, EPERM, no BTF). A user's mistake in a script is
// a diagnostic instead (frontend/diagnostics), a broken invariant an assertion. Context is added
// on the way up, outermost first: "cannot attach uprobe:a:b: cannot open a: No such file".
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

namespace awl {

// Why something could not be done. `code` is a positive errno where there is one, else 0.
struct Error {
  std::string message;
  int code = 0;

  // The same error with what was being attempted put in front.
  Error with_context(const std::string &context) const { return {context + ": " + message, code}; }

  // An error from an errno value: "<what>: <strerror(code)>".
  static Error from_errno(const std::string &what, int code = errno) {
    return {what + ": " + std::strerror(code), code};
  }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T &operator*() { return std::get<0>(state_); }
  const T &operator*() const { return std::get<0>(state_); }
  T *operator->() { return &std::get<0>(state_); }
  const T *operator->() const { return &std::get<0>(state_); }
  const Error &error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

// Nothing to return but success or failure: `return ok();`.
using Status = Result<std::monostate>;
inline Status ok() { return std::monostate{}; }

}  // namespace awl
