#include <fmt/format.h>

#include "core/viewmodel/format.h"
#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

namespace {

using viewmodel::KeyFigure;
using viewmodel::ReportView;

// Word, shape and colour say the same thing: none of them alone.
std::string status(const ReportView& report) {
  struct Look {
    std::string_view css;
    std::string_view symbol;
  };
  constexpr Look kLooks[] = {{"good", "●"}, {"limited", "◐"}, {"bad", "✕"}};
  const Look look = kLooks[static_cast<int>(report.status)];
  return fmt::format("<p class=\"status {}\"><span class=\"symbol\" aria-hidden=\"true\">{}</span> {}</p>\n", look.css,
                     look.symbol, html_escape(report.status_text));
}

std::string figures(const std::vector<KeyFigure>& list, const Page& page) {
  if (list.empty()) return {};
  std::string html = "<dl class=\"figures\">\n";
  for (const KeyFigure& figure : list) {
    const std::string_view approx =
        figure.origin == Origin::kEstimated && figure.value != viewmodel::kMissing ? "≈\u00a0" : "";
    const std::string origin = figure.origin ? page.words(name_of(*figure.origin)) : "";
    html += fmt::format(
        "<div><dt>{}</dt><dd class=\"value\">{}{}</dd><dd class=\"ref\">{}</dd><dd class=\"ref\">{}</dd></div>\n",
        html_escape(figure.label), approx, html_escape(figure.value), html_escape(figure.note), html_escape(origin));
  }
  return html + "</dl>\n";
}

std::string assumed(const std::vector<Remark>& assumptions, const Page& page) {
  if (assumptions.empty()) return {};
  std::string html = fmt::format("<h3>{}</h3>\n<ul class=\"quiet\">\n", html_escape(page.words("What was assumed")));
  for (const auto& assumption : assumptions) html += fmt::format("<li>{}</li>\n", html_escape(assumption.text));
  return html + "</ul>\n";
}

std::string recommendation(const viewmodel::ReportList& list) {
  if (list.items.empty()) return {};
  std::string html = fmt::format("<h3>{}</h3>\n<ol class=\"findings\">\n", html_escape(list.title));
  for (const auto& item : list.items) html += fmt::format("<li>{}</li>\n", html_escape(item));
  return html + "</ol>\n";
}

std::string risk(const ReportView& report) {
  if (report.risk.empty()) return {};
  return fmt::format("<p class=\"risk\"><span class=\"symbol\" aria-hidden=\"true\">▲</span> {}</p>\n",
                     html_escape(report.risk));
}

}  // namespace

std::string summary_section(const ReportView& report, const Page& page) {
  std::string html = fmt::format("<section id=\"summary\" aria-label=\"{}\">\n", html_escape(page.words("Summary")));
  html += status(report) + "<div class=\"answer\">\n" + html_paragraphs(report.answer) + "</div>\n";
  html += figures(report.key_figures, page);
  html += html_paragraph(report.configuration_line, "configuration");
  html += risk(report);
  html += "<div class=\"columns\">\n<div>" + recommendation(report.recommendation) + "</div>\n<div>" +
          assumed(report.assumptions, page) + "</div>\n</div>\n";
  return html + "</section>\n";
}

}  // namespace dachlast::reports
