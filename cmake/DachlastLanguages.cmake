# dachlast_add_languages(TARGET FILE.ts…)
# Puts the strings of the window's other languages into a program as :/languages/NAME.qm. A string that is unfinished or that
# the sources no longer hold fails the build. Without Qt's Linguist tools the window speaks English alone, and configuring says so.
if(DACHLAST_HAS_QT)
  find_package(Qt6LinguistTools 6.4 QUIET)
  if(NOT Qt6LinguistTools_FOUND)
    message(STATUS "The window speaks English only: Qt's Linguist tools were not found (qt6-l10n-tools, qt6-tools-dev).")
  endif()
endif()

function(dachlast_add_languages target)
  if(NOT Qt6LinguistTools_FOUND)
    return()
  endif()
  set(compiled)
  foreach(source IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH source)
    cmake_path(GET source STEM name)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/languages/${name}.qm)
    add_custom_command(
      OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -DFILE=${source} -P ${PROJECT_SOURCE_DIR}/cmake/CheckTranslation.cmake
      COMMAND Qt6::lrelease -silent -nounfinished -removeidentical ${source} -qm ${output}
      DEPENDS ${source} ${PROJECT_SOURCE_DIR}/cmake/CheckTranslation.cmake
      COMMENT "Translating into ${name}" VERBATIM)
    list(APPEND compiled ${output})
  endforeach()
  qt_add_resources(${target} ${target}_languages PREFIX /languages BASE ${CMAKE_CURRENT_BINARY_DIR}/languages
                   FILES ${compiled})
endfunction()
