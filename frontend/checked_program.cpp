#include "frontend/checked_program.h"

namespace awl::frontend {

const ImportedFunction *CheckedProgram::find_function(const std::string &name) const {
  for (const ImportedFunction &function : functions) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

const MapInfo *CheckedProgram::find_map(const std::string &name) const {
  for (const MapInfo &map : maps) {
    if (map.name == name) return &map;
  }
  return nullptr;
}

const ParameterInfo *CheckedProgram::find_parameter(const std::string &name, bool is_positional,
                                                    ParameterInfo::Kind kind) const {
  for (const ParameterInfo &parameter : parameters) {
    bool is_same = parameter.is_positional == is_positional && parameter.name == name;
    if (is_same && (!is_positional || parameter.kind == kind)) return &parameter;
  }
  return nullptr;
}

}  // namespace awl::frontend
