// Whether a description holds together, so that the printers need not look twice: sizes of types,
// fields inside their value or record, indices in range.
#pragma once

#include "base/result.h"
#include "runtime/object/description.h"

namespace awl::object {

Status check_description(const Description &description);

// Whether a value of this type lies within its `size` bytes, and all that its kind needs is there.
Status check_type(const ValueType &type);

}  // namespace awl::object
