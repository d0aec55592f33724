#include "app/documents/png.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include "core/base/error.h"
#include "core/base/program_library.h"

namespace dachlast {
namespace {

constexpr const char* kPngLibrary = "libdachlast_png.so";

figure::PngPlugin open_plugin() {
  const auto library = program_library(kPngLibrary);
  if (!library)
    throw Error(
        ErrorKind::kDevice, "PNG",
        fmt::format("This build draws none: {} is not where the installation puts it, ../lib/dachlast.", kPngLibrary),
        "Build with Qt 6, or write an SVG.");
  // Never closed: Qt does not end before the program.
  void* handle = dlopen(library->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    throw Error(ErrorKind::kDevice, kPngLibrary, fmt::format("It does not load: {}.", dlerror()),
                "Install Qt 6 (Debian: apt install libqt6gui6), or write an SVG.");
  const auto plugin = reinterpret_cast<const figure::PngPlugin* (*)()>(dlsym(handle, figure::kPngPluginName));
  if (plugin == nullptr || plugin()->version != figure::kPngPluginVersion)
    throw Error(ErrorKind::kDevice, kPngLibrary, "It belongs to another version of Dachlast.",
                "Install both together.");
  return *plugin();
}

}  // namespace

std::string png_of(const figure::Figure& figure, figure::PictureTheme theme, double scale) {
  static const figure::PngPlugin plugin = open_plugin();
  return plugin.png_of(figure, theme, scale);
}

}  // namespace dachlast
