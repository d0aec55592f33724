#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/hygiene/rules.h"

namespace dachlast::hygiene {

/// A file of the repository; `path` is relative to its root.
struct SourceFile {
  std::string path;
  std::string text;
};

/// Everything in a header or source file that breaks a rule: includes against the arrows, headers out of their room,
/// forbidden code, length.
std::vector<Violation> source_violations(const SourceFile& file, const Rules& rules);

/// `dachlast::` targets named in a folder's CMakeLists.txt to which its layer draws no arrow of its own.
std::vector<Violation> link_violations(const SourceFile& cmake_lists, const Rules& rules);

/// The text with comments and the contents of string and character literals replaced by spaces; lines stay where they
/// are.
std::string code_only(std::string_view text);

}  // namespace dachlast::hygiene
