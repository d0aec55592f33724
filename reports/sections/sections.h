#pragma once

#include <optional>
#include <string>

#include "core/figure/figure.h"
#include "core/viewmodel/run_view.h"

namespace dachlast::reports {

/// A chart at the two widths a page needs: one for screens and paper, one for telephones.
struct ResponsiveFigure {
  figure::Figure wide;
  figure::Figure narrow;
};

/// All a report of a run shows; sections take what they need.
struct RunReport {
  viewmodel::RunView view;
  std::optional<ResponsiveFigure> phase_bars;
  std::optional<ResponsiveFigure> roofline;
  viewmodel::Table roofline_table;
  std::optional<ResponsiveFigure> cache_growth;
  std::string generated_text;  // what the model produced; empty: nothing
  std::string command;
  std::string json;  // the run as `--format json` writes it
};

// One function a section of UX.md §4, from view-model to HTML. A section without content is an empty string.
std::string summary_section(const RunReport& report);        // 1
std::string configuration_section(const RunReport& report);  // 2
std::string memory_section(const RunReport& report);         // 3
std::string phases_section(const RunReport& report);         // 4
std::string roofline_section(const RunReport& report);       // 5
std::string kv_cache_section(const RunReport& report);       // 6
std::string assumptions_section(const RunReport& report);    // 10
std::string reproduce_section(const RunReport& report);      // 11
std::string data_section(const RunReport& report);           // 12

}  // namespace dachlast::reports
