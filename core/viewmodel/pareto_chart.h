#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/figure/figure.h"

namespace dachlast::viewmodel {

/// What a point of a Pareto chart is to the reader.
enum class ParetoRank : std::uint8_t {
  kCandidate,  // another one beats it in both figures, or it misses a limit
  kFrontier,
  kOption  // offered: labelled
};

struct ParetoPoint {
  double request_tokens_s = 0.0;  // of one request
  double device_tokens_s = 0.0;   // of all requests, over the devices
  ParetoRank rank = ParetoRank::kCandidate;
  std::string datum;    // id, shared with the table of candidates
  std::string label;    // of options: "1"
  std::string tooltip;  // the configuration, one fact a line
};

/// Deployments by what a client sees and what a device yields.
struct ParetoChart {
  std::string title;
  std::string description;
  std::vector<ParetoPoint> points;  // the frontier in the order of its line
  std::optional<double> tpot_limit_s;
};

/// Tokens/s of a request to the right, tokens/s per device upwards, both logarithmic: candidates small, the frontier joined by a
/// line, options labelled, the region within the TPOT limit tinted. All points are estimates, so all are hollow.
/// Numbers  without points the axes stand alone, with a sentence that says so.
figure::Figure pareto_figure(const ParetoChart& chart, figure::Size size, std::string id);

}  // namespace dachlast::viewmodel
