#include "core/base/program_library.h"

#include <cstdlib>
#include <system_error>

#include "core/base/error.h"

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

void* open_program_library(const std::filesystem::path& library, const std::string& way_out) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    throw Error(ErrorKind::kDevice, library.filename().string(), std::string("It does not load: ") + dlerror() + ".",
                way_out);
  return handle;
}

void refuse_other_version(const std::filesystem::path& library) {
  throw Error(ErrorKind::kDevice, library.filename().string(), "It belongs to another version of Dachlast.",
              "Install both together.");
}

}  // namespace dachlast
