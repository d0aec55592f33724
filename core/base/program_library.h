#pragma once

#include <dlfcn.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace dachlast {

/// A shared object of this program's, by the name of its file: in $DACHLAST_LIB_DIR, else where the build and the installation
/// put it beside the program. Empty where there is none.
std::optional<std::filesystem::path> program_library(std::string_view name);

/// A function of an opened library; nullptr where it has none of this name.
template <class Function>
Function* library_function(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

/// Opens a shared object of this program's. It stays open: what comes out of it has its code there.
/// Errors   throws `Error` (kDevice) naming the library where it does not load, with `way_out`.
void* open_program_library(const std::filesystem::path& library, const std::string& way_out);

/// Throws what is said of a library of another version.
[[noreturn]] void refuse_other_version(const std::filesystem::path& library);

/// What a shared object of this program's offers: a structure with its version, which `function` returns.
/// Errors   as `open_program_library`; also where the function is not there, or the version is another than `version`.
template <class Plugin>
const Plugin& open_plugin(const std::filesystem::path& library, const char* function, int version,
                          const std::string& way_out) {
  auto* const tell = library_function<const Plugin*()>(open_program_library(library, way_out), function);
  if (tell == nullptr || tell()->version != version) refuse_other_version(library);
  return *tell();
}

}  // namespace dachlast
