// Diagnostics: what a user did wrong in a script, said at the narrowest place.
//
// A kind is declared once, beside the code that emits it, with the types of its arguments:
//
//   AWL_DIAGNOSTIC(kUndefinedVariable, Error, "undefined-variable",
//                  "undefined variable {}", std::string_view);
//   ...
//   diagnostics.emit(node.span, kUndefinedVariable, node.name)
//       .hint("assign to it first");
//
// Emitting an error is what makes a phase fail; rendering is apart (renderer.h). Kinds register
// themselves, so that a test can ask that each has a test.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "frontend/source/source.h"

namespace awl::frontend {

enum class Severity { kWarning, kError };

// What all kinds have in common; the list of them is all_diagnostic_kinds().
struct DiagnosticKindBase {
  const char *id;  // kebab-case, stable, unique
  Severity severity;
  const char *format;  // fmt syntax
  DiagnosticKindBase(const char *id, Severity severity, const char *format);
};

// Every kind linked into the program, in no particular order.
const std::vector<const DiagnosticKindBase *> &all_diagnostic_kinds();

template <class... Args>
struct DiagnosticKind : DiagnosticKindBase {
  using DiagnosticKindBase::DiagnosticKindBase;
};

#define AWL_DIAGNOSTIC(name, severity, id, format, ...)                                     \
  inline const ::awl::frontend::DiagnosticKind<__VA_ARGS__> name{                           \
      id, ::awl::frontend::Severity::k##severity, format}

// A second place that explains the first, such as where a macro was defined.
struct DiagnosticNote {
  Span span;
  std::string message;
};

struct Diagnostic {
  const DiagnosticKindBase *kind = nullptr;
  Severity severity = Severity::kError;
  Span span;
  std::string message;
  std::string hint;  // empty: none
  std::vector<DiagnosticNote> notes;
};

// Collects the diagnostics of one compilation in the order of emission.
class Diagnostics {
 public:
  // Adds details to the diagnostic that was just emitted.
  class Builder {
   public:
    Builder(Diagnostic *diagnostic) : diagnostic_(diagnostic) {}
    Builder &hint(std::string text) {
      if (diagnostic_) diagnostic_->hint = std::move(text);
      return *this;
    }
    Builder &note(Span span, std::string text) {
      if (diagnostic_) diagnostic_->notes.push_back({span, std::move(text)});
      return *this;
    }

   private:
    Diagnostic *diagnostic_;
  };

  template <class... Args>
  Builder emit(Span span, const DiagnosticKind<Args...> &kind, const std::type_identity_t<Args> &...args) {
    return add(span, kind, fmt::format(fmt::runtime(kind.format), args...));
  }

  bool has_errors() const { return error_count_ > 0; }
  size_t error_count() const { return error_count_; }
  const std::vector<Diagnostic> &all() const { return diagnostics_; }

 private:
  Builder add(Span span, const DiagnosticKindBase &kind, std::string message);

  std::vector<Diagnostic> diagnostics_;
  size_t error_count_ = 0;
};

}  // namespace awl::frontend
