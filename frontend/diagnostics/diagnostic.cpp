#include "frontend/diagnostics/diagnostic.h"

#include <utility>

namespace awl::frontend {
namespace {

// Beyond this nobody reads; later ones are counted alone.
constexpr size_t kMaxKept = 200;

std::vector<const DiagnosticKindBase *> &registry() {
  static std::vector<const DiagnosticKindBase *> kinds;
  return kinds;
}

}  // namespace

DiagnosticKindBase::DiagnosticKindBase(const char *id, Severity severity, const char *format)
    : id(id), severity(severity), format(format) {
  registry().push_back(this);
}

const std::vector<const DiagnosticKindBase *> &all_diagnostic_kinds() { return registry(); }

Diagnostics::Builder Diagnostics::add(Span span, const DiagnosticKindBase &kind,
                                      std::string message) {
  if (kind.severity == Severity::kError) ++error_count_;
  if (diagnostics_.size() >= kMaxKept) return Builder(nullptr);
  Diagnostic diagnostic;
  diagnostic.kind = &kind;
  diagnostic.severity = kind.severity;
  diagnostic.span = span;
  diagnostic.message = std::move(message);
  diagnostics_.push_back(std::move(diagnostic));
  return Builder(&diagnostics_.back());
}

}  // namespace awl::frontend
