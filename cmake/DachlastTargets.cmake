# One function per kind of target, so that a room's CMakeLists.txt lists its files and its arrows and nothing else.

# dachlast_add_library(NAME [INTERNAL] SOURCES … HEADERS … LINKS … PRIVATE_LINKS …)
# Makes target dachlast_NAME and its alias dachlast::NAME. LINKS are the arrows of style/STYLE.md. INTERNAL: not installed.
function(dachlast_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "INTERNAL" "" "SOURCES;HEADERS;LINKS;PRIVATE_LINKS")
  set(target dachlast_${name})
  set(scope PUBLIC)
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:dachlast_flags> ${arg_PRIVATE_LINKS})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(dachlast::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(${target} ${scope} $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                $<INSTALL_INTERFACE:include/dachlast>)
  target_link_libraries(${target} ${scope} ${arg_LINKS})
  target_compile_features(${target} ${scope} cxx_std_20)
  set_property(GLOBAL APPEND PROPERTY DACHLAST_LIBRARIES ${target})
  if(NOT arg_INTERNAL)
    set_property(GLOBAL APPEND PROPERTY DACHLAST_INSTALLED_LIBRARIES ${target})
  endif()
  foreach(header IN LISTS arg_HEADERS)
    cmake_path(ABSOLUTE_PATH header)
    set_property(GLOBAL APPEND PROPERTY DACHLAST_HEADERS ${header})
    if(NOT arg_INTERNAL)
      set_property(GLOBAL APPEND PROPERTY DACHLAST_INSTALLED_HEADERS ${header})
    endif()
    set_property(GLOBAL APPEND PROPERTY DACHLAST_HEADERS_OF_${name} ${header})
  endforeach()
endfunction()

# dachlast_add_test(NAME [QT] LINKS dachlast::X SOURCES … LABELS unit|golden|ui|gpu)
# Makes executable dachlast_NAME_test from GoogleTest files; every TEST becomes one CTest test.
# QT: with an application behind it, offscreen.
function(dachlast_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "QT" "" "SOURCES;LINKS;LABELS")
  set(target dachlast_${name}_test)
  set(main GTest::gmock_main)
  if(arg_QT)
    set(main dachlast_qt_main)
  endif()
  add_executable(${target} ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)  # each test file names its helpers for itself
  target_link_libraries(${target} PRIVATE dachlast_flags ${arg_LINKS} ${main})
  target_compile_definitions(${target} PRIVATE DACHLAST_TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data")
  gtest_discover_tests(${target} DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS "${arg_LABELS}" ENVIRONMENT
                                  "DACHLAST_DATA_DIR=${CMAKE_BINARY_DIR}/share/dachlast")
endfunction()
