#pragma once

#include <string>

#include "core/figure/figure.h"

namespace dachlast::reports {

/// A figure as an inline SVG element: text as text, colours as CSS variables ("var(--memory)"), title and description
/// first. The document around it defines the variables; see `palette_css`.
std::string svg(const figure::Figure& figure);

/// CSS custom properties of both themes: light by default, dark by `prefers-color-scheme` or data-theme="dark".
std::string palette_css();

/// The same element as a file of its own, both themes included.
std::string svg_file(const figure::Figure& figure);

}  // namespace dachlast::reports
