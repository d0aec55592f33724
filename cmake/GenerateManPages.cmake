# Script: writes dachlast(1) and the page of every command it names into a folder.
#   cmake -DPROGRAM=… -DFOLDER=… -P GenerateManPages.cmake
function(write_page file)
  execute_process(COMMAND ${PROGRAM} man ${ARGN} OUTPUT_FILE ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
write_page(${FOLDER}/dachlast.1)
file(READ ${FOLDER}/dachlast.1 page)
string(REGEX MATCHALL "dachlast\\\\-[a-z]+\\\\fR\\(1\\)" references "${page}")
if(NOT references)
  message(FATAL_ERROR "dachlast.1 names no command: its layout has changed")
endif()
foreach(reference IN LISTS references)
  string(REGEX REPLACE "dachlast\\\\-([a-z]+).*" "\\1" verb "${reference}")
  write_page(${FOLDER}/dachlast-${verb}.1 ${verb})
endforeach()
