#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {
namespace {

using viewmodel::Completeness;
using viewmodel::KeyFigure;

std::string status(const viewmodel::RunView& view) {
  const bool complete = view.completeness == Completeness::kComplete;
  return fmt::format("<p class=\"status {}\"><span class=\"symbol\" aria-hidden=\"true\">{}</span>Measured, {}</p>\n",
                     complete ? "good" : "limited", complete ? "●" : "◐", html_escape(view.status));
}

std::string figures(const std::vector<KeyFigure>& list) {
  std::string html = "<dl class=\"figures\">\n";
  for (const KeyFigure& figure : list) {
    const std::string_view approx = figure.origin == Origin::kEstimated ? "≈\u00a0" : "";
    const std::string_view origin = figure.origin ? name_of(*figure.origin) : "";
    html += fmt::format(
        "<div><dt>{}</dt><dd class=\"value\">{}{}</dd><dd class=\"ref\">{}</dd><dd class=\"ref\">{}</dd></div>\n",
        html_escape(figure.label), approx, html_escape(figure.value), html_escape(figure.note), origin);
  }
  return html + "</dl>\n";
}

std::string assumed(const std::vector<Remark>& assumptions) {
  if (assumptions.empty()) return {};
  std::string html = "<h3>What was assumed</h3>\n<ul class=\"quiet\">\n";
  for (const auto& assumption : assumptions) html += fmt::format("<li>{}</li>\n", html_escape(assumption.text));
  return html + "</ul>\n";
}

std::string recommendation(const viewmodel::RunView& view) {
  if (view.findings.empty()) return {};
  std::string html = "<h3>Where time can be saved</h3>\n<ol class=\"findings\">\n";
  for (const auto& finding : view.findings) html += fmt::format("<li>{}</li>\n", html_escape(finding.text));
  return html + "</ol>\n";
}

std::string risk(const viewmodel::RunView& view) {
  if (view.biggest_risk.empty()) return {};
  return fmt::format("<p class=\"risk\"><span class=\"symbol\" aria-hidden=\"true\">▲</span>{}</p>\n",
                     html_escape(view.biggest_risk));
}

}  // namespace

std::string summary_section(const RunReport& report) {
  const auto& view = report.view;
  std::string html = "<section id=\"summary\" aria-label=\"Summary\">\n";
  html += status(view);
  html += "<div class=\"answer\">\n";
  for (const auto& sentence : view.answer) html += html_paragraph(sentence);
  html += "</div>\n" + figures(view.key_figures);
  html += html_paragraph(view.configuration_line, "configuration");
  html += risk(view);
  html += "<div class=\"columns\">\n<div>" + recommendation(view) + "</div>\n<div>" + assumed(view.assumptions) +
          "</div>\n</div>\n";
  return html + "</section>\n";
}

}  // namespace dachlast::reports
