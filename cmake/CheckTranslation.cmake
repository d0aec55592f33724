# Script: fails where a translation holds a string nobody translated, or one that the sources no longer hold.
#   cmake -DFILE=….ts -P CheckTranslation.cmake
file(READ ${FILE} text)
foreach(bad "<translation type=" "<translation></translation>" "<numerusform></numerusform>")
  string(FIND "${text}" "${bad}" at)
  if(at EQUAL -1)
    continue()
  endif()
  string(SUBSTRING "${text}" 0 ${at} before)
  string(FIND "${before}" "<source>" from REVERSE)
  string(SUBSTRING "${before}" ${from} -1 source)
  string(REGEX REPLACE "<source>([^<]*)<.*" "\\1" source "${source}")
  message(FATAL_ERROR "${FILE}: unfinished or vanished: \"${source}\". Translate it; where the sources changed, run "
                      "scripts/update-translations.sh first.")
endforeach()
