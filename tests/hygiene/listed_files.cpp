#include "tests/hygiene/listed_files.h"

#include <array>
#include <filesystem>
#include <regex>

namespace dachlast::hygiene {
namespace {

std::string resolve(std::string_view folder, std::string_view word) {
  constexpr std::array<std::string_view, 3> root_variables = {"${PROJECT_SOURCE_DIR}/", "${CMAKE_SOURCE_DIR}/",
                                                              "${dachlast_SOURCE_DIR}/"};
  for (const std::string_view variable : root_variables)
    if (word.starts_with(variable)) return std::string(word.substr(variable.size()));
  constexpr std::string_view here = "${CMAKE_CURRENT_SOURCE_DIR}/";
  if (word.starts_with(here)) word.remove_prefix(here.size());
  return (std::filesystem::path(folder) / word).lexically_normal().string();
}

}  // namespace

std::set<std::string> listed_paths(std::string_view folder, std::string_view cmake_text) {
  const std::string code = std::regex_replace(std::string(cmake_text), std::regex("#[^\n]*"), "");
  static const std::regex word(R"re([^\s()";]+)re");
  std::set<std::string> paths;
  for (std::sregex_iterator match(code.begin(), code.end(), word), end; match != end; ++match)
    paths.insert(resolve(folder, match->str()));
  return paths;
}

}  // namespace dachlast::hygiene
