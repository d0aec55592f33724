#include "reports/html.h"

#include <fmt/format.h>

#include <array>

#include "core/viewmodel/cache_growth.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/phase_bars.h"
#include "core/viewmodel/privacy.h"
#include "core/viewmodel/roofline_plot.h"
#include "reports/assets.h"
#include "reports/escape.h"
#include "reports/json.h"
#include "reports/sections/sections.h"
#include "reports/svg.h"

namespace dachlast::reports {
namespace {

// Wide fills the sheet of 1,100 pixels less its margins; narrow is drawn for telephones 400 wide.
constexpr double kWide = 980.0;
constexpr double kNarrow = 350.0;
constexpr figure::Size kRooflineWide{kWide, 600.0};
constexpr figure::Size kRooflineNarrow{kNarrow, 460.0};
constexpr figure::Size kGrowthWide{kWide, 340.0};
constexpr figure::Size kGrowthNarrow{kNarrow, 300.0};

struct Section {
  std::string_view id;
  std::string_view title;
  std::string (*write)(const RunReport&);
};

// In the order and numbering of UX.md §4; sections without content leave themselves out.
constexpr std::array kSections = {
    Section{"summary", "Summary", summary_section},
    Section{"configuration", "Configuration", configuration_section},
    Section{"memory", "Memory", memory_section},
    Section{"phases", "Phases", phases_section},
    Section{"roofline", "Roofline", roofline_section},
    Section{"kv-cache", "KV cache", kv_cache_section},
    Section{"assumptions", "Assumptions and limits", assumptions_section},
    Section{"reproduce", "Reproduce this", reproduce_section},
    Section{"data", "Data", data_section},
};

RunReport make_report(const Run& run, std::span<const MemorySegment> memory) {
  RunReport report;
  report.view = viewmodel::run_view(run, memory);
  report.command = run.command;
  report.json = json_run(run);
  if (run.generation) report.generated_text = run.generation->text;
  if (run.points.empty()) return report;
  report.phase_bars = {viewmodel::phase_bars(run, kWide, "bars"), viewmodel::phase_bars(run, kNarrow, "bars-narrow")};
  const auto plot = viewmodel::roofline_plot(run);
  report.roofline = {viewmodel::roofline_figure(plot, kRooflineWide, "roofline-chart"),
                     viewmodel::roofline_figure(plot, kRooflineNarrow, "roofline-chart-narrow")};
  report.roofline_table = viewmodel::roofline_table(plot);
  if (report.view.cache_speedup)
    report.cache_growth = {viewmodel::cache_growth_figure(*run.uncached, kGrowthWide, "growth"),
                           viewmodel::cache_growth_figure(*run.uncached, kGrowthNarrow, "growth-narrow")};
  return report;
}

// A running head has one line; long names are cut at a character.
std::string shortened(std::string_view title) {
  constexpr std::size_t kMost = 90;
  if (title.size() <= kMost) return std::string(title);
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(title[end]) & 0xc0) == 0x80) --end;
  return std::string(title.substr(0, end)) + "…";
}

// As a CSS string: what could end it or the style element is written as a code point.
std::string css_string(std::string_view text) {
  std::string css = "\"";
  for (const char c : safe_text(text)) {
    if (c == '"' || c == '\\' || c == '<' || c == '\n' || c == '\t')
      css += fmt::format("\\{:06x}", static_cast<unsigned char>(c));
    else
      css += c;
  }
  return css + "\"";
}

// Title and date above, page n of m below: only on paper.
std::string page_boxes(std::string_view title, const HtmlOptions& options) {
  return fmt::format(
      "@page{{@top-left{{content:{};font:8pt sans-serif;color:#565f6c}}@top-right{{content:{};font:8pt sans-serif;"
      "color:#565f6c}}@bottom-right{{content:counter(page) \" of \" counter(pages);font:8pt "
      "sans-serif;color:#565f6c}}}}\n",
      css_string(shortened(title)), css_string(viewmodel::format_date(options.timestamp)));
}

std::string head(const HtmlOptions& options, std::string_view title) {
  constexpr std::string_view kThemes[] = {"", " data-theme=\"light\"", " data-theme=\"dark\""};
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"{}>\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "img-src data:; script-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"generator\" content=\"Dachlast\">\n<title>{}</title>\n<style>\n{}{}{}</style>\n</head>\n",
      kThemes[static_cast<int>(options.theme)], html_escape(title), palette_css(), kReportCss,
      page_boxes(title, options));
}

std::string byline(const Run& run, const HtmlOptions& options) {
  std::string text = "Dachlast report";
  if (!options.author.empty()) text += " · " + options.author;
  if (!run.created_at.empty()) text += " · measured " + viewmodel::format_date(run.created_at);
  if (!options.timestamp.empty()) text += " · written " + viewmodel::format_date(options.timestamp);
  return text;
}

std::string page_header(const Run& run, const HtmlOptions& options, std::string_view title) {
  return fmt::format(
      "<header>\n<div><p class=\"name\">{}</p>\n<h1>{}</h1></div>\n"
      "<button type=\"button\" id=\"theme\" hidden>Light / dark</button>\n</header>\n",
      html_escape(byline(run, options)), html_escape(title));
}

std::string body(const RunReport& report) {
  std::string links;
  std::string sections;
  for (const Section& section : kSections) {
    const std::string html = section.write(report);
    if (html.empty()) continue;
    sections += html;
    links += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.id, section.title);
  }
  return fmt::format("<nav aria-label=\"Sections\"><ul>\n{}</ul></nav>\n<main id=\"main\">\n{}</main>\n", links,
                     sections);
}

}  // namespace

std::string run_html(const Run& run, const HtmlOptions& options, std::span<const MemorySegment> memory) {
  const Run shown = viewmodel::without_paths(run);
  const RunReport report = make_report(shown, memory);
  const std::string title = options.title.empty() ? report.view.title : options.title;
  std::string html = head(options, title);
  html += "<body>\n<a class=\"skip\" href=\"#main\">Skip to content</a>\n<div class=\"sheet\">\n";
  html += page_header(shown, options, title);
  if (!options.note.empty()) html += fmt::format("<p class=\"lead\">{}</p>\n", html_escape(options.note));
  html += body(report);
  html +=
      fmt::format("<footer>Written by Dachlast {}. Measured figures come from this run; ≈ marks estimates.</footer>\n",
                  html_escape(shown.program_version));
  return html + fmt::format("</div>\n<script>\n{}</script>\n</body>\n</html>\n", kReportScript);
}

}  // namespace dachlast::reports
