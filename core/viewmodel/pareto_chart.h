#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/figure/figure.h"

namespace dachlast::viewmodel {

/// What a point of a Pareto chart is to the reader.
enum class ParetoRank : std::uint8_t {
  kCandidate,  // another one beats it in both figures, or it misses a limit
  kFrontier,
  kOption  // offered: labelled
};

/// Figures that an axis may show.
enum class ParetoAxis : std::uint8_t { kRequestRate, kDeviceRate, kTtft, kTpot, kDevices, kCost };
inline constexpr int kParetoAxisCount = static_cast<int>(ParetoAxis::kCost) + 1;

constexpr std::string_view title_of(ParetoAxis axis) {
  constexpr std::array<std::string_view, kParetoAxisCount> kTitles = {
      "Tokens/s of a request", "Tokens/s per GPU", "TTFT, s", "TPOT, s", "GPUs", "Cost per million output tokens"};
  return kTitles[static_cast<std::size_t>(axis)];
}

struct ParetoPoint {
  double request_tokens_s = 0.0;  // of one request
  double device_tokens_s = 0.0;   // of all requests, over the devices
  ParetoRank rank = ParetoRank::kCandidate;
  std::string datum;    // id, shared with the table of candidates
  std::string label;    // of options: "1"
  std::string tooltip;  // the configuration, one fact a line
  double ttft_s = 0.0;  // 0: not known
  double tpot_s = 0.0;
  int n_devices = 0;
  double cost_per_million = 0.0;
  bool meets_limits = true;
};

/// Whether deployments that another one beats are drawn.
enum class Dominated : std::uint8_t { kShown, kHidden };

/// Deployments by two figures: first what a client sees and what a device yields.
struct ParetoChart {
  std::string title;
  std::string description;
  std::vector<ParetoPoint> points;
  std::optional<double> tpot_limit_s = std::nullopt;
  std::optional<double> ttft_limit_s = std::nullopt;
  ParetoAxis x = ParetoAxis::kRequestRate;
  ParetoAxis y = ParetoAxis::kDeviceRate;
  Dominated dominated = Dominated::kShown;
};

/// Both axes logarithmic: candidates small, those joined by a line that no other beats in both figures, options labelled, limits as
/// dashed lines, the region within them tinted. All points are estimates, so all are hollow. A point without one of the figures is
/// left out.
/// Numbers  without points the axes stand alone, with a sentence that says so.
figure::Figure pareto_figure(const ParetoChart& chart, figure::Size size, std::string id);

}  // namespace dachlast::viewmodel
