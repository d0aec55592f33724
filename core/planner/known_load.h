#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/planner/served_speed.h"
#include "core/planner/validation.h"

namespace dachlast {

// What one measured load of a deployment is worth for its other loads. Most of what a prediction misses is the same at every
// load: releases, builds and settings that no model of the time knows.

/// Figures of a deployment as measured at one load.
struct MeasuredSpeed {
  ServedLoad load;
  std::optional<double> ttft_s;
  std::optional<double> tpot_s;
};

/// How far another load of the same deployment lies from the one measured.
enum class LoadDistance : std::uint8_t {
  kNear,          // requests of the same lengths, at most four times as many or as few at once
  kOtherLengths,  // prompts or answers differ by more than a tenth, clients as above
  kFar            // more or fewer clients: what was measured says no more than the prediction
};
constexpr std::string_view name_of(LoadDistance distance) {
  constexpr std::string_view names[] = {"same lengths, clients within 4 ×", "other lengths, clients within 4 ×",
                                        "more or fewer clients"};
  return names[static_cast<int>(distance)];
}
LoadDistance distance_between(const ServedLoad& measured, const ServedLoad& asked);

/// Between which multiples of a prediction held to a measured load nine of ten published figures lie.
struct KnownLoadRatios {
  RatioInterval ttft;
  RatioInterval tpot;
};
/// Of the bundled rows, as `dachlast validate` prints them for serving_silicon_dev.csv; a test fails where they drift apart. None of
/// far loads.
std::optional<KnownLoadRatios> known_load_ratios(LoadDistance distance);

/// `predicted` for `asked`, each time multiplied by what `measured` showed over `there`, the prediction for the measured load;
/// a time that was not measured stays as predicted, and all of it where that load is far. The rate follows from the times:
/// answers / (TTFT + TPOT · (tokens − 1)).
/// Errors   throws `Error` (kUsage) where a TPOT is told of answers of one token.
ServedSpeed held_to(const ServedSpeed& predicted, const ServedLoad& asked, const ServedSpeed& there,
                    const MeasuredSpeed& measured);

/// How well figures of a deployment follow from one of its others: every published row held to every other row of the same engine,
/// release, model, device, types, layout, image and day.
struct KnownLoadErrors {
  std::string component;  // "ttft", "tpot"
  LoadDistance distance = LoadDistance::kNear;
  std::int64_t n = 0;  // pairs
  double median_abs = 0.0;
  double p90_abs = 0.0;
  RatioInterval ratios;  // published / held prediction, 5 % and 95 % quantiles
};
/// TTFT before TPOT, the nearest loads first; none where no deployment has two rows.
std::vector<KnownLoadErrors> known_load_errors(const Validation& validation);

}  // namespace dachlast
