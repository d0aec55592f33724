#pragma once

#include <optional>
#include <span>
#include <stop_token>

#include "core/engine/point_runner.h"

namespace dachlast {

/// A point and how much of the processors others took while it was measured; empty where the system does not say.
struct QuietPoint {
  PointResult result;
  std::optional<double> others_share;

  bool quiet() const;
};

/// How long and how often a point is measured.
struct QuietRule {
  double seconds = 0.22;  // just long enough for the kernel's accounting
  int n_attempts = 2;
};

/// Measures a point again while other programs compete for its processors, and keeps the quietest attempt.
QuietPoint run_quietly(Engine& engine, Phase phase, int context_tokens, const QuietRule& rule,
                       std::span<const int> core_ids, std::stop_token stop = {});

}  // namespace dachlast
