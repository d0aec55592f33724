// Sections 2 to 6: what was measured, on what, and where it lies under the roofs.
#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string configuration_section(const RunReport& report) {
  return html_section("configuration", "Configuration", html_table(report.view.configuration, Caption::kHidden));
}

std::string memory_section(const RunReport& report) {
  std::string body;
  if (!report.view.memory_sentence.empty()) body += html_paragraph(report.view.memory_sentence);
  if (report.view.memory) body += html_table(*report.view.memory, Caption::kHidden);
  return body.empty() ? body : html_section("memory", "Memory", body);
}

std::string phases_section(const RunReport& report) {
  std::string body;
  if (report.phase_bars) body += html_figure(*report.phase_bars);
  body += html_table(report.view.phases);
  for (const auto& point : report.view.ops) {
    body += fmt::format("<h3>{}</h3>\n", html_escape(point.heading)) + html_paragraph(point.verdict) +
            html_table(point.table, Caption::kHidden);
  }
  return html_section("phases", "Phases", body);
}

std::string roofline_section(const RunReport& report) {
  if (!report.roofline) return {};
  std::string body = html_figure(*report.roofline) + html_table(report.roofline_table);
  body += "<h3>Roofs</h3>\n" + html_table(report.view.compute_roofs) + html_table(report.view.bandwidth_roofs);
  return html_section("roofline", "Roofline", body);
}

std::string kv_cache_section(const RunReport& report) {
  std::string body;
  if (report.view.cache_speedup) {
    body += html_paragraph(report.view.speedup_sentence, "lead");
    if (report.cache_growth) body += html_figure(*report.cache_growth);
    body += html_table(*report.view.cache_speedup);
  }
  if (report.view.latencies)
    body += html_paragraph(report.view.serving_sentence, "lead") + html_table(*report.view.latencies) +
            html_table(*report.view.kv_use);
  if (report.view.what_if)
    body += html_paragraph(report.view.what_if_sentence, "lead") + html_table(*report.view.what_if);
  if (report.view.kv_traffic) body += html_table(*report.view.kv_traffic);
  if (report.view.break_even)
    body += html_paragraph(report.view.break_even_sentence, "lead") + html_table(*report.view.break_even);
  return body.empty() ? body : html_section("kv-cache", "KV cache", body);
}

}  // namespace dachlast::reports
