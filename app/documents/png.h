#pragma once

#include <string>

#include "core/figure/png_plugin.h"

namespace dachlast {

/// A figure as PNG, drawn as the window draws it, `scale` pixels a unit. The program itself holds nothing that draws pixels: a shared
/// object of the desktop program's is opened for it.
/// Errors   throws `Error` (kDevice) where that is not installed or does not load, as `PngPlugin::png_of` else.
std::string png_of(const figure::Figure& figure, figure::PictureTheme theme, double scale);

}  // namespace dachlast
