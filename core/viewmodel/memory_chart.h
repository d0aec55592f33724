#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/memory/memory_model.h"
#include "core/viewmodel/language.h"

namespace dachlast::viewmodel {

/// What one device holds, as a bar.
struct MemoryBar {
  std::string title;                    // "llama-3.1-8b on H100 SXM5 80GB"
  std::vector<MemorySegment> segments;  // bottom-up
  double budget_bytes = 0.0;            // 0: no device, no limits to draw
  double capacity_bytes = 0.0;
};

/// A stacked bar with its segments named beside it, capacity and budget as lines, what is spare or missing as text.
figure::Figure memory_bar_figure(const MemoryBar& bar, figure::Size size, std::string id);

/// Memory of one device over the context, everything else held fixed.
struct ContextChart {
  std::string title;
  std::vector<int> contexts;               // ascending, at least two
  std::vector<std::string> names;          // of the segments, bottom-up
  std::vector<std::vector<double>> bytes;  // [names][contexts]
  double budget_bytes = 0.0;
  double capacity_bytes = 0.0;
  std::optional<int> fits_up_to;  // tokens; rounded down to a whole block
  int trained_limit = 0;          // tokens
  int current = 0;                // tokens of the scenario

  /// What another cache type would take in all.
  struct Alternative {
    std::string label;  // "FP8 KV"
    std::vector<double> total_bytes;
  };
  std::vector<Alternative> alternatives;
};

/// Stacked areas over log₂ of the context; markers where it stops fitting and where the model's training ends.
/// The axis has its ticks in `units`; texts are in GiB, as everywhere, until `in_language` writes them for the reader.
/// Errors   throws `Error` (kFailure) where there are fewer than two contexts.
figure::Figure context_chart_figure(const ContextChart& chart, figure::Size size, std::string id,
                                    CapacityUnits units = CapacityUnits::kIec);

}  // namespace dachlast::viewmodel
