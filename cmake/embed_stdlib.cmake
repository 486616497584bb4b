# Writes the standard library into a source file: cmake -DOUTPUT=… -DSOURCES=a.bt;b.bt -P embed_stdlib.cmake
# The texts go in whole, with an index of the macros: which name stands in which file.
set(texts "")
set(names "")
set(number 0)
foreach(source IN LISTS SOURCES)
  file(READ ${source} text)
  get_filename_component(file ${source} NAME)
  string(APPEND texts "    {\"stdlib/${file}\", R\"awl(${text})awl\"},\n")
  string(REGEX MATCHALL "(^|\n)macro [A-Za-z0-9_]+" macros "${text}")
  foreach(macro IN LISTS macros)
    string(REGEX REPLACE ".*macro " "" name "${macro}")
    list(APPEND names "${name} ${number}")
  endforeach()
  math(EXPR number "${number} + 1")
endforeach()
list(REMOVE_DUPLICATES names)
list(SORT names)
set(index "")
foreach(entry IN LISTS names)
  string(REPLACE " " "\", " entry "${entry}")
  string(APPEND index "    {\"${entry}},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made by cmake/embed_stdlib.cmake.
#include \"frontend/stdlib/standard_library.h\"

namespace awl::frontend {

std::span<const StandardFile> standard_files() {
  static constexpr StandardFile kFiles[] = {
${texts}  };
  return kFiles;
}

std::span<const StandardName> standard_names() {
  static constexpr StandardName kNames[] = {
${index}  };
  return kNames;
}

}  // namespace awl::frontend
")
