#pragma once

#include <string>

namespace dachlast {

/// A sheet, as it is held.
struct Paper {
  double width_mm = 210.0;  // ISO A4
  double height_mm = 297.0;
};

/// Turns a report for paper into PDF with WeasyPrint, a packaged converter that lays out pages and inline SVG without a
/// browser.
/// Errors   throws `Error`: kDevice where the converter is not installed, kFailure where it fails, with its last words.
std::string pdf_of(const std::string& html, const Paper& paper = {});

}  // namespace dachlast
