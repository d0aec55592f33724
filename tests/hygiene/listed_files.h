#pragma once

#include <set>
#include <string>
#include <string_view>

namespace dachlast::hygiene {

/// Paths, relative to the repository root, that a CMakeLists.txt in `folder` names; words that are no file names are in
/// the set too and do no harm.
std::set<std::string> listed_paths(std::string_view folder, std::string_view cmake_text);

}  // namespace dachlast::hygiene
