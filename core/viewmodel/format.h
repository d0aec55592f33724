#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/units.h"

namespace dachlast::viewmodel {

// The one number formatter of terminal, window and report (UX.md §6). Texts carry a non-breaking space before the unit;
// media that cannot show one call `plain_spaces`. Not for machine formats: those never round.

/// What stands where there is no number. Never "0".
inline constexpr std::string_view kMissing = "–";

/// Needs are rounded up and limits down, so that rounding never promises room that is not there.
enum class Rounding : std::uint8_t { kNearest, kUp, kDown };

/// A unit and how many base units (s, byte, FLOP) it holds.
struct Unit {
  std::string_view text;
  double base = 1.0;
};

enum class Measure : std::uint8_t {
  kTime,       // ns, µs, ms, s
  kCapacity,   // B, KiB, MiB, GiB: memory
  kTraffic,    // B, kB, MB, GB: bytes moved, decimal like the bandwidth they are compared with
  kBandwidth,  // B/s, …, TB/s
  kWork,       // FLOP, …, TFLOP
  kWorkRate,   // FLOP/s, …, PFLOP/s
  kIntensity,  // FLOP/B
  kTokenRate,  // tokens/s
  kCount       // no unit
};

/// The largest unit in which `value` is at least 1 (memory: GiB from 0.5 on).
Unit unit_for(Measure measure, double value);

/// The unit for a whole column: the one of its largest value.
Unit unit_for(Measure measure, std::span<const double> values);

/// The largest unit in which every one of `values` reads 0.1 or more, unless the largest would then need six digits:
/// for columns whose small values matter as much as the large ones.
Unit unit_for_all(Measure measure, std::span<const double> values);

/// The number alone: 3 significant digits, thousands grouped; GiB two decimals below 100, one above; B whole,
/// KiB and MiB whole from 1,000 on.
std::string in_unit(double value, const Unit& unit, Rounding rounding = Rounding::kNearest);

/// Number and unit: "8.21 ms", "22.22 GiB", "3.02 TB/s". `kMissing` for anything not finite.
std::string format(Measure measure, double value, Rounding rounding = Rounding::kNearest);
std::string format(Measure measure, std::optional<double> value, Rounding rounding = Rounding::kNearest);

/// A share of one as percent, whole, one decimal below 10: "83 %", "8.2 %".
std::string format_percent(double share);
/// As above, without the sign: for a column whose head says %.
std::string percent_number(double share);
/// A signed change: "+7.9 %", "−18 %", "±0.0 %".
std::string format_change(double share);

/// A duration: `format(Measure::kTime, …)`.
std::string format_time(Seconds time);

/// Whole, grouped with commas: "55,520". Tokens are always written so.
std::string format_count(std::int64_t count);

/// Parameters as models are named: "124 M", "8.03 B".
std::string format_parameters(double count);

/// A factor: "1.42×".
std::string format_factor(double factor);

/// ISO 8601 UTC as people read it: "2026-03-01 14:05 UTC"; any other text is returned as it is.
std::string format_date(std::string_view iso);

/// Non-breaking spaces become spaces.
std::string plain_spaces(std::string_view text);

/// "1 token", "2 tokens": the count grouped, the noun by number.
std::string counted(std::int64_t count, std::string_view one, std::string_view many);

}  // namespace dachlast::viewmodel
