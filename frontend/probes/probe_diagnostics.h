// What can be wrong with an attach point.
#pragma once

#include <cstdint>
#include <string>

#include "frontend/diagnostics/diagnostic.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kProbeUnknownProvider, Error, "probe-unknown-provider", "unknown probe type '{}'",
               std::string);
AWL_DIAGNOSTIC(kProbeFilterInName, Error, "probe-filter-in-name",
               "the filter was read as a part of the name '{}'", std::string_view);
AWL_DIAGNOSTIC(kProbeArgumentCount, Error, "probe-argument-count",
               "{} takes {} after its name, found {}", std::string, std::string, size_t);
AWL_DIAGNOSTIC(kProbeMissingPart, Error, "probe-missing-part", "{} without {}", std::string,
               std::string);
AWL_DIAGNOSTIC(kProbeBadNumber, Error, "probe-bad-number", "'{}' is not {}", std::string,
               std::string);
AWL_DIAGNOSTIC(kProbeParameterMissing, Warning, "probe-parameter-missing",
               "{} was not given: nothing stands in its place", std::string);
AWL_DIAGNOSTIC(kProbeBadPeriod, Error, "probe-bad-period", "the {} of {} must be positive",
               std::string, std::string);
AWL_DIAGNOSTIC(kProbeShortPeriod, Error, "probe-short-period",
               "a period of {} ns is too short: 1 us is the least", uint64_t);
AWL_DIAGNOSTIC(kProbeUnknownUnit, Error, "probe-unknown-unit",
               "'{}' is not a unit of time: us, ms, s and hz are", std::string);
AWL_DIAGNOSTIC(kProbeUnknownEvent, Error, "probe-unknown-event", "there is no {} event '{}'",
               std::string, std::string);
AWL_DIAGNOSTIC(kProbeUnknownTrigger, Error, "probe-unknown-trigger",
               "'{}' is nothing that a self probe can wait for: only `signal` is", std::string);
AWL_DIAGNOSTIC(kProbeUnknownSignal, Error, "probe-unknown-signal",
               "a self probe cannot wait for '{}'", std::string);
AWL_DIAGNOSTIC(kProbeUnknownEnd, Error, "probe-unknown-end",
               "'{}' is no end of a system call: enter and exit are", std::string);
AWL_DIAGNOSTIC(kProbeWildcardNotAllowed, Error, "probe-wildcard-not-allowed",
               "{} probes take no wildcards", std::string);
AWL_DIAGNOSTIC(kProbeOffsetNotAllowed, Error, "probe-offset-not-allowed",
               "{} probes take no offset: only kprobe and uprobe do", std::string);
AWL_DIAGNOSTIC(kProbeAddressUnsafe, Error, "probe-address-unsafe",
               "a {} at a bare address can harm the machine when there is no instruction",
               std::string);
AWL_DIAGNOSTIC(kProbeWatchMode, Error, "probe-watch-mode",
               "'{}' is no mode of a watchpoint: r, w, rw and x are", std::string);
AWL_DIAGNOSTIC(kProbeUnalignedWatch, Error, "probe-unaligned-watch",
               "{} bytes can be watched only at an address that they divide", uint64_t);
AWL_DIAGNOSTIC(kProbeNoReturnValue, Error, "probe-no-return-value", "{} returns nothing",
               std::string);
AWL_DIAGNOSTIC(kProbeUnknownQualifier, Error, "probe-unknown-qualifier",
               "'{}' is not a language: only `cpp` is", std::string);
AWL_DIAGNOSTIC(kProbeUnknownHook, Error, "probe-unknown-hook", "'{}' is not {} of {} probes",
               std::string, std::string, std::string);
AWL_DIAGNOSTIC(kProbeMissingTarget, Error, "probe-missing-target", "there is no {}", std::string);
AWL_DIAGNOSTIC(kProbeMissingTargetSkipped, Warning, "probe-missing-target-skipped",
               "there is no {}; the probe is left out", std::string);
AWL_DIAGNOSTIC(kProbeBinaryNotFound, Error, "probe-binary-not-found", "{}", std::string);
AWL_DIAGNOSTIC(kProbeArgumentsUnknown, Error, "probe-arguments-unknown",
               "the arguments of {} cannot be known here: {}", std::string, std::string);

}  // namespace awl::frontend
