# Options and flags of the whole build. Flags live on one interface target that every target links PRIVATE.
option(DACHLAST_TESTS "Build the tests" ON)
option(DACHLAST_WERROR "Treat warnings as errors" OFF)
option(DACHLAST_HEADER_CHECK "Compile every library header alone" OFF)
set(DACHLAST_GUI AUTO CACHE STRING "Build the desktop program: AUTO where Qt 6.4 is found, ON, OFF")
set_property(CACHE DACHLAST_GUI PROPERTY STRINGS AUTO ON OFF)
set(DACHLAST_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize takes them (address,undefined)")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(DACHLAST_CCACHE ccache)
if(DACHLAST_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DACHLAST_CCACHE})
endif()

add_library(dachlast_flags INTERFACE)
# Flags of the C++ compiler: nvcc has its own (DachlastCuda.cmake).
set(cxx_flags -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
              -fno-math-errno
              # GCC bug 105651: false alarms on std::string concatenation at -O3.
              -Wno-restrict)
if(DACHLAST_WERROR)
  list(APPEND cxx_flags -Werror)
endif()
if(DACHLAST_SANITIZE)
  add_compile_options(
    "$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${DACHLAST_SANITIZE};-fno-sanitize-recover=all;-fno-omit-frame-pointer>")
  add_link_options(-fsanitize=${DACHLAST_SANITIZE})
  # g++ 12 reports the standard library's own code once it is instrumented.
  list(APPEND cxx_flags -Wno-maybe-uninitialized)
endif()
target_compile_options(dachlast_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${cxx_flags}>")

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)

set(DACHLAST_HAS_QT OFF)
if(NOT DACHLAST_GUI STREQUAL "OFF")
  find_package(Qt6 6.4 QUIET COMPONENTS Widgets PrintSupport)
  set(DACHLAST_HAS_QT ${Qt6_FOUND})
  if(DACHLAST_GUI STREQUAL "ON" AND NOT DACHLAST_HAS_QT)
    message(FATAL_ERROR "DACHLAST_GUI is ON, and Qt 6.4 was not found: install qt6-base-dev.")
  endif()
endif()
