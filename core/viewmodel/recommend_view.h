#pragma once

#include <string>
#include <vector>

#include "core/planner/recommend.h"
#include "core/viewmodel/pareto_chart.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// A recommendation as people read it.
struct RecommendView {
  std::string answer;                // "RECOMMENDED: 1 × H100 SXM5 80GB, …" or "NOTHING QUALIFIES: …"
  Table options;                     // the offered ones, numbered
  std::vector<std::string> reasons;  // of each option: "1: fewest GPUs, lowest cost"
  Table rejected;                    // layouts, then deployments, the nearest misses first, with reasons
  std::string rejected_summary;      // "3 layouts refused; 120 do not fit, 14 miss a limit, 310 outdone."
  ParetoChart pareto;
};

RecommendView recommend_view(const RecommendQuestion& question, const Recommendation& found);

/// The options with a column that says why each is offered, for where there is room beside them.
Table options_with_reasons(const RecommendView& view);

/// Every candidate, one a row, for machines.
Table candidates_table(const RecommendQuestion& question, const Recommendation& found);

/// "2 × h100-sxm".
std::string devices_of(const RecommendQuestion& question, const Deployment& deployment);
/// "DP 2 × TP 4, EP", "attn DP 8, EP", "one device".
std::string layout_of(const Deployment& deployment);
/// "fp8/bf16": weights and cache.
std::string types_of(const RecommendQuestion& question, const Deployment& deployment);

}  // namespace dachlast::viewmodel
