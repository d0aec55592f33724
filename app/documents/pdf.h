#pragma once

#include <string>

namespace dachlast::cli {

/// Turns a report for paper into PDF with WeasyPrint, a packaged converter that lays out pages and inline SVG without a
/// browser.
/// Errors   throws `Error`: kDevice where the converter is not installed, kFailure where it fails, with its last words.
std::string pdf_of(const std::string& html);

}  // namespace dachlast::cli
