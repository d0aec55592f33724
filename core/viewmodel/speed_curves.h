#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/roofline/run.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// Speed at one size of a load.
struct SpeedSample {
  int size = 0;         // sequences or tokens
  double ttft_s = 0.0;  // 0: not known
  double tpot_s = 0.0;
  double output_tokens_s = 0.0;
};

/// What is varied; everything else is held.
enum class CurveOver : std::uint8_t { kBatch, kContext };

/// TTFT, TPOT and throughput over batch or context.
struct SpeedCurves {
  CurveOver over = CurveOver::kBatch;
  std::string title;                   // "Speed over batch size"
  std::string subject;                 // "llama-3.1-8b on H100 SXM5 80GB at 32,768 tokens"
  std::vector<SpeedSample> predicted;  // ascending
  std::vector<SpeedSample> measured;   // ascending
  std::optional<int> current;          // of the scenario
  std::string reason;                  // why there is no curve; empty where there is one
};

/// Where more of a size stops paying: the sample that lies furthest above the chord from first to last throughput, both axes scaled
/// to one. Empty where none lies further than a tenth, or there are fewer than four.
/// Source   Satopää et al. 2011, "Finding a 'Kneedle' in a Haystack", doi:10.1109/ICDCSW.2011.20
std::optional<std::size_t> knee_of(const std::vector<SpeedSample>& samples);

/// Three panels that share their axis: measured samples filled and joined by a solid line over a shaded range, predicted ones hollow
/// and dashed.
figure::Figure speed_curves_figure(const SpeedCurves& curves, figure::Size size, std::string id);

/// The samples, one a row.
Table speed_curves_table(const SpeedCurves& curves);

/// Speed as a run measured it: TTFT is the prefill of a context, TPOT a decode step, throughput the batch over it. Over the batch at
/// the longest context, over the context at the smallest batch. No samples where only one size was measured.
SpeedCurves measured_curves(const Run& run, CurveOver over);

}  // namespace dachlast::viewmodel
