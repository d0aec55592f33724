# Compiles every header of every library alone, in a source file of its own that includes it twice: it must bring what it
# needs and guard itself. Only public links are given, so a public header that needs a private dependency fails too.
get_property(headers GLOBAL PROPERTY DACHLAST_HEADERS)
get_property(libraries GLOBAL PROPERTY DACHLAST_LIBRARIES)

set(sources)
foreach(header IN LISTS headers)
  cmake_path(RELATIVE_PATH header BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE DACHLAST_HEADER)
  set(source ${PROJECT_BINARY_DIR}/header_check/${DACHLAST_HEADER}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"@DACHLAST_HEADER@\"\n#include \"@DACHLAST_HEADER@\"\n" @ONLY)
  list(APPEND sources ${source})
endforeach()

add_library(dachlast_header_check OBJECT ${sources})
target_link_libraries(dachlast_header_check PRIVATE dachlast_flags ${libraries})
# Nothing runs: the cheapest compilation will do.
target_compile_options(dachlast_header_check PRIVATE -O0)
