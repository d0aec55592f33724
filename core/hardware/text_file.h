#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace dachlast {

/// Content of a small file of /proc or /sys; empty where it cannot be read, which its readers treat as "not told".
inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace dachlast
