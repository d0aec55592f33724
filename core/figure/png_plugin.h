#pragma once

#include <cstdint>
#include <string>

#include "core/figure/figure.h"

// What the shared object that draws figures as PNG exports. It draws with Qt, as the window does; programs that need no pictures of
// pixels do without. Program and object are built from one source by one compiler.
namespace dachlast::figure {

inline constexpr const char* kPngPluginName = "dachlast_png_plugin";
inline constexpr int kPngPluginVersion = 1;

enum class PictureTheme : std::uint8_t { kLight, kDark };

struct PngPlugin {
  int version;
  /// The figure on its surface colour, `scale` pixels a unit, as the bytes of a PNG file.
  /// Errors   throws `Error` (kFailure) where the picture cannot be made.
  /// Threads  the one that called first.
  std::string (*png_of)(const Figure& figure, PictureTheme theme, double scale);
};

}  // namespace dachlast::figure
