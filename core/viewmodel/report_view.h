#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/memory/memory_model.h"
#include "core/roofline/compare.h"
#include "core/roofline/run.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// A chart at the two widths a page needs: one for screens and paper, one for telephones.
struct ResponsiveFigure {
  figure::Figure wide;
  figure::Figure narrow;
  std::optional<Table> table = std::nullopt;  // of its numbers; for who takes the chart out of the report
};

/// Width of a report's charts, in figure units: what a sheet of 1,100 pixels leaves, and a telephone.
inline constexpr double kWideFigure = 980.0;
inline constexpr double kNarrowFigure = 350.0;
/// A chart that stands beside another part, and that part.
inline constexpr double kThirdFigure = 320.0;
inline constexpr double kTwoThirdsFigure = 646.0;

/// How good the news is; each has its own symbol and colour.
enum class ReportStatus : std::uint8_t { kGood, kLimited, kBad };

/// A list under a heading.
struct ReportList {
  std::string title;
  std::vector<std::string> items;
};

/// Configurations to choose from, and those that were rejected with their reasons.
struct ReportOptions {
  std::vector<std::string> lines;
  std::optional<ResponsiveFigure> chart;
  std::vector<Table> tables;
};

/// What changed against a baseline.
struct ReportComparison {
  std::string answer;
  Table configuration;
  Table phases;
  Table changed;          // points whose change lies outside the noise
  std::string unchanged;  // how many lie within it
  std::vector<std::string> notes;
};

/// A section that has nothing to show, and why.
struct LeftOut {
  std::string section;
  std::string reason;
};

/// Everything a report shows, by section of UX.md §4: of a run, of a scenario, of two runs. Parts that are empty leave
/// their section out, and `left_out` says why.
struct ReportView {
  std::string title;        // "gpt2 on AMD EPYC, 2 threads"
  std::string measured_at;  // ISO 8601; empty: nothing was measured
  std::string program_version;

  // 1 Summary
  ReportStatus status = ReportStatus::kGood;
  std::string status_text;  // "Measured, complete", "Fits"
  std::vector<std::string> answer;
  std::vector<KeyFigure> key_figures;
  std::string configuration_line;
  std::string risk;
  ReportList recommendation;

  // 2 Configuration
  std::optional<Table> configuration;

  // 3 Memory
  std::vector<std::string> memory_lines;
  std::optional<ResponsiveFigure> memory_bar;
  std::optional<ResponsiveFigure> memory_context;
  std::optional<ResponsiveFigure> memory_grid;
  std::optional<Table> memory;

  // 4 Phases
  std::optional<ResponsiveFigure> phase_bars;
  std::optional<Table> phases;
  std::vector<PointOps> ops;
  std::string ops_left_out;  // how many points have no table of their own; empty: all have

  // 5 Roofline
  std::optional<ResponsiveFigure> roofline;
  std::vector<Table> roofline_tables;  // the numbered operations first, then the roofs

  // 6 KV cache
  std::vector<std::string> kv_lines;
  std::optional<ResponsiveFigure> kv_growth;
  std::vector<Table> kv_tables;

  // 7 Latency and throughput
  std::vector<std::string> latency_lines;
  std::vector<ResponsiveFigure> latency_charts;
  std::vector<Table> latency_tables;

  // 8, 9
  std::optional<ReportOptions> options;
  std::optional<ReportComparison> comparison;

  // 10 Assumptions and limits
  std::vector<Remark> warnings;
  std::vector<Remark> assumptions;
  std::vector<std::string> accuracy_lines;
  std::optional<Table> accuracy;
  std::vector<LeftOut> left_out;

  // 11 Reproduce
  std::string command;
  std::optional<Table> inputs;  // hashes of what went in
  std::string generated_text;

  // Charts that the reader added
  std::vector<figure::Figure> appendix;
};

/// The report of one run; folders are left out of it. `memory`: the breakdown that was planned, where it is known.
/// `wording`: of the language its charts will be read in; their labels find room in it.
ReportView report_view(const Run& run, std::span<const MemorySegment> memory = {},
                       const figure::Wording* wording = nullptr);

/// The report of `run` held against `base`.
ReportView report_view(const Run& base, const Run& run, const Comparison& comparison,
                       std::span<const MemorySegment> memory = {}, const figure::Wording* wording = nullptr);

/// TTFT, ITL, TPOT and throughput: one definition each, the same in every report.
Table latency_definitions();

}  // namespace dachlast::viewmodel
