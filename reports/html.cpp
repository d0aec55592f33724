#include "reports/html.h"

#include <fmt/format.h>

#include <array>
#include <regex>
#include <set>
#include <utility>

#include "core/viewmodel/format.h"
#include "core/viewmodel/localise.h"
#include "core/viewmodel/privacy.h"
#include "reports/assets.h"
#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/json.h"
#include "reports/sections/sections.h"
#include "reports/svg.h"

namespace dachlast::reports {
namespace {

using viewmodel::ReportView;

struct Section {
  std::string_view id;
  std::string_view title;
  std::string (*write)(const ReportView&, const Page&);
};

// In the order and numbering of UX.md §4, what the reader added before the data; sections without content leave themselves out.
constexpr std::array kSections = {
    Section{"summary", "Summary", summary_section},
    Section{"configuration", "Configuration", configuration_section},
    Section{"memory", "Memory", memory_section},
    Section{"phases", "Phases", phases_section},
    Section{"roofline", "Roofline", roofline_section},
    Section{"kv-cache", "KV cache", kv_cache_section},
    Section{"latency", "Latency and throughput", latency_section},
    Section{"options", "Options", options_section},
    Section{"comparison", "Comparison", comparison_section},
    Section{"assumptions", "Assumptions and limits", assumptions_section},
    Section{"reproduce", "Reproduce this", reproduce_section},
    Section{"appendix", "Added charts", appendix_section},
    Section{"data", "Data", data_section},
};

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

struct Document {
  const HtmlOptions& options;
  const Page& page;
  std::string title;

  std::string date(std::string_view iso) const { return page.words(viewmodel::format_date(iso)); }
};

// Title and date above, page n of m below: only on paper.
std::string page_boxes(const Document& document) {
  return fmt::format(
      "@page{{@top-left{{content:{};font:8pt sans-serif;color:#565f6c}}@top-right{{content:{};font:8pt sans-serif;"
      "color:#565f6c}}@bottom-right{{content:{} \" \" counter(page) \" {} \" counter(pages);font:8pt "
      "sans-serif;color:#565f6c}}}}\n",
      css_string(shortened(document.title)), css_string(document.date(document.options.timestamp)),
      css_string(document.page.words("Page")), document.page.words("of"));
}

std::string head(const Document& document) {
  constexpr std::string_view kThemes[] = {"", " data-theme=\"light\"", " data-theme=\"dark\""};
  const HtmlOptions& options = document.options;
  const std::string author = options.author.empty()
                                 ? std::string()
                                 : fmt::format("<meta name=\"author\" content=\"{}\">\n", html_escape(options.author));
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"{}\"{}>\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "img-src data:; script-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"generator\" content=\"Dachlast\">\n{}<title>{}</title>\n<style>\n{}{}{}</style>\n</head>\n",
      viewmodel::code_of(options.language), kThemes[static_cast<int>(options.theme)], author,
      html_escape(document.title), palette_css(), kReportCss, page_boxes(document));
}

std::string byline(const Document& document, const ReportView& report) {
  const viewmodel::Words& words = document.page.words;
  std::string text = words("Dachlast report");
  if (!document.options.author.empty()) text += " · " + document.options.author;
  if (!report.measured_at.empty()) text += " · " + words("measured") + " " + document.date(report.measured_at);
  if (!document.options.timestamp.empty())
    text += " · " + words("written") + " " + document.date(document.options.timestamp);
  return text;
}

std::string page_header(const Document& document, const ReportView& report) {
  const viewmodel::Words& words = document.page.words;
  const std::string logo = document.options.logo.empty() ? std::string()
                                                         : fmt::format("<img class=\"logo\" src=\"{}\" alt=\"\">\n",
                                                                       html_escape(document.options.logo));
  const std::string print =
      document.page.level == ReportLevel::kFull
          ? fmt::format(
                "<button type=\"button\" class=\"print\" data-print=\"summary\" hidden>{}</button>\n"
                "<button type=\"button\" class=\"print\" data-print=\"full\" hidden>{}</button>\n",
                html_escape(words("Print summary")), html_escape(words("Print all")))
          : std::string();
  return fmt::format(
      "<header>\n{}<div><p class=\"name\">{}</p>\n<h1>{}</h1></div>\n"
      "<div class=\"tools\">\n{}<button type=\"button\" id=\"theme\" hidden>{}</button>\n</div>\n</header>\n",
      logo, html_escape(byline(document, report)), html_escape(document.title), print,
      html_escape(words("Light / dark")));
}

std::string body(const ReportView& report, const Page& page) {
  std::string links;
  std::string sections;
  for (const Section& section : kSections) {
    const std::string html = section.write(report, page);
    if (html.empty()) continue;
    sections += html;
    links += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.id, html_escape(page.words(section.title)));
  }
  if (page.rich_text()) return sections;
  return fmt::format("<nav aria-label=\"{}\"><ul>\n{}</ul></nav>\n<main id=\"main\">\n{}</main>\n",
                     html_escape(page.words("Sections")), links, sections);
}

std::string footer(const Document& document, const ReportView& report) {
  const viewmodel::Words& words = document.page.words;
  return fmt::format("<footer>{} {}. {}</footer>\n", html_escape(words("Written by Dachlast")),
                     html_escape(report.program_version),
                     html_escape(words("≈ marks estimates; all other figures are measured or counted.")));
}

// Converters to PDF draw an inline figure without looking at the variables of the document around it. The first
// definition of a variable is the light one.
std::string with_light_colours(std::string html) {
  std::set<std::string> done;
  const std::regex definition(R"(--([a-z0-9]+):(#[0-9a-f]{6}))");
  const std::string source = html;
  for (auto it = std::sregex_iterator(source.begin(), source.end(), definition); it != std::sregex_iterator(); ++it) {
    if (!done.insert((*it)[1]).second) continue;
    const std::string variable = fmt::format("var(--{})", (*it)[1].str());
    const std::string colour = (*it)[2];
    for (std::size_t at = html.find(variable); at != std::string::npos; at = html.find(variable, at))
      html.replace(at, variable.size(), colour);
  }
  return html;
}

const viewmodel::Words& words_of(const HtmlOptions& options) {
  return viewmodel::Words::of(options.language, options.units);
}

}  // namespace

std::string report_html(ReportView report, std::span<const EmbeddedData> data, const HtmlOptions& options) {
  const viewmodel::Words& words = words_of(options);
  const bool paper = options.medium == Medium::kPaper;
  report = viewmodel::in_language(std::move(report), words);
  const Page page{words, options.level, paper ? std::span<const EmbeddedData>() : data};
  const Document document{options, page, options.title.empty() ? report.title : options.title};
  std::string html = head(document);
  html += fmt::format("<body>\n<a class=\"skip\" href=\"#main\">{}</a>\n<div class=\"sheet\">\n",
                      html_escape(words("Skip to content")));
  html += page_header(document, report);
  if (!options.note.empty()) html += fmt::format("<p class=\"lead\">{}</p>\n", html_escape(options.note));
  html += body(report, page) + footer(document, report) + "</div>\n";
  if (!paper) html += fmt::format("<script>\n{}</script>\n", kReportScript);
  html += "</body>\n</html>\n";
  return paper ? with_light_colours(std::move(html)) : html;
}

RichReport report_rich_text(ReportView report, std::span<const EmbeddedData> data, const HtmlOptions& options) {
  const viewmodel::Words& words = words_of(options);
  report = viewmodel::in_language(std::move(report), words);
  RichReport rich;
  const Page page{words, options.level, data, &rich.pictures};
  const Document document{options, page, options.title.empty() ? report.title : options.title};
  rich.html = fmt::format("<p class=\"note\">{}</p>\n<h1>{}</h1>\n", html_escape(byline(document, report)),
                          html_escape(document.title));
  if (!options.note.empty()) rich.html += html_paragraph(options.note, "lead");
  rich.html += body(report, page) + footer(document, report);
  // Sections of the full report draw their charts before a summary leaves them out.
  std::erase_if(rich.pictures, [&](const figure::Figure& chart) {
    return rich.html.find(fmt::format("\"figure:{}\"", html_escape(chart.id))) == std::string::npos;
  });
  return rich;
}

std::string run_html(const Run& run, const HtmlOptions& options, std::span<const MemorySegment> memory) {
  const EmbeddedData data[] = {{"dachlast-data", json_run(viewmodel::without_paths(run), JsonLayout::kCompact)}};
  return report_html(viewmodel::report_view(run, memory, &words_of(options)), data, options);
}

std::string comparison_html(const Run& base, const Run& run, const Comparison& comparison, const HtmlOptions& options,
                            std::span<const MemorySegment> memory) {
  const EmbeddedData data[] = {{"dachlast-data", json_run(viewmodel::without_paths(run), JsonLayout::kCompact)},
                               {"dachlast-base", json_run(viewmodel::without_paths(base), JsonLayout::kCompact)},
                               {"dachlast-comparison", json_compare(base, run, comparison)}};
  return report_html(viewmodel::report_view(base, run, comparison, memory, &words_of(options)), data, options);
}

}  // namespace dachlast::reports
