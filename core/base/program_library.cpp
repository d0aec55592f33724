#include "core/base/program_library.h"

#include <cstdlib>
#include <system_error>

namespace dachlast {

std::optional<std::filesystem::path> program_library(std::string_view name) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed).parent_path();
  const char* named = std::getenv("DACHLAST_LIB_DIR");
  for (const fs::path& folder : {fs::path(named == nullptr ? "" : named), program / "../lib/dachlast",
                                 program / "../lib", program / "../lib/x86_64-linux-gnu/dachlast"}) {
    if (folder.empty()) continue;
    if (fs::path library = (folder / name).lexically_normal(); fs::exists(library, failed)) return library;
  }
  return std::nullopt;
}

}  // namespace dachlast
