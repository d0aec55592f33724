#include "app/documents/png.h"

#include <fmt/core.h>

#include "core/base/error.h"
#include "core/base/program_library.h"

namespace dachlast {
namespace {

constexpr const char* kPngLibrary = "libdachlast_png.so";

const figure::PngPlugin& png_plugin() {
  const auto library = program_library(kPngLibrary);
  if (!library)
    throw Error(
        ErrorKind::kDevice, "PNG",
        fmt::format("This build draws none: {} is not where the installation puts it, ../lib/dachlast.", kPngLibrary),
        "Build with Qt 6, or write an SVG.");
  return open_plugin<figure::PngPlugin>(*library, figure::kPngPluginName, figure::kPngPluginVersion,
                                        "Install Qt 6 (Debian: apt install libqt6gui6), or write an SVG.");
}

}  // namespace

std::string png_of(const figure::Figure& figure, figure::PictureTheme theme, double scale) {
  static const figure::PngPlugin& plugin = png_plugin();
  return plugin.png_of(figure, theme, scale);
}

}  // namespace dachlast
