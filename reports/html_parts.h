#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/viewmodel/report_view.h"
#include "core/viewmodel/table.h"
#include "reports/page.h"

namespace dachlast::reports {

/// Where a heading right above already says what the table shows, its caption is for screen readers only.
enum class Caption : std::uint8_t { kShown, kHidden };

/// A table with caption, scopes, column descriptions, notes and a button that saves it as CSV (shown where scripts
/// run).
std::string html_table(const Page& page, const viewmodel::Table& table, Caption caption = Caption::kShown);

/// A chart in both widths; the style sheet shows the one that suits. In rich text an image that the reader's program draws.
std::string html_figure(const Page& page, const viewmodel::ResponsiveFigure& figure);
/// A chart that has one width.
std::string html_figure(const Page& page, const figure::Figure& figure);

/// Two parts beside each other, the left one a third of the width; below each other on a telephone.
std::string html_beside(const Page& page, const std::string& left, const std::string& right);

/// A section with its heading and anchor; empty where `body` is empty. `in_summary`: whether the summary shows it too.
enum class Shown : std::uint8_t { kAlways, kFullOnly };
std::string html_section(const Page& page, std::string_view id, std::string_view title, std::string_view body,
                         Shown shown = Shown::kFullOnly);

/// A part of a section that only the full report shows; empty in a summary.
std::string html_more(const Page& page, const std::string& body);

/// A paragraph of escaped text; empty where `text` is.
std::string html_paragraph(std::string_view text, std::string_view css_class = {});
std::string html_paragraphs(const std::vector<std::string>& texts, std::string_view css_class = {});

}  // namespace dachlast::reports
