#include "core/viewmodel/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace dachlast::viewmodel {
namespace {

constexpr std::string_view kNbsp = "\u00a0";
constexpr std::string_view kMinus = "\u2212";

constexpr Unit kTime[] = {{"ns", 1e-9}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1.0}};
constexpr Unit kCapacity[] = {{"B", 1.0}, {"KiB", kKiB}, {"MiB", kMiB}, {"GiB", kGiB}};
constexpr Unit kTraffic[] = {{"B", 1.0}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}};
constexpr Unit kBandwidth[] = {{"B/s", 1.0}, {"kB/s", 1e3}, {"MB/s", 1e6}, {"GB/s", 1e9}, {"TB/s", 1e12}};
constexpr Unit kWork[] = {{"FLOP", 1.0}, {"kFLOP", 1e3}, {"MFLOP", 1e6}, {"GFLOP", 1e9}, {"TFLOP", 1e12}};
constexpr Unit kWorkRate[] = {{"FLOP/s", 1.0},  {"kFLOP/s", 1e3},  {"MFLOP/s", 1e6},
                              {"GFLOP/s", 1e9}, {"TFLOP/s", 1e12}, {"PFLOP/s", 1e15}};
constexpr Unit kIntensity[] = {{"FLOP/B", 1.0}};
constexpr Unit kTokenRate[] = {{"tokens/s", 1.0}};
constexpr Unit kCount[] = {{"", 1.0}};

// Driver output changes from MiB to GiB near here, and "0.50 GiB" reads better than "512 MiB" beside other GiB.
constexpr double kSmallestGiB = 0.5;

std::span<const Unit> units_of(Measure measure) {
  switch (measure) {
    case Measure::kTime: return kTime;
    case Measure::kCapacity: return kCapacity;
    case Measure::kTraffic: return kTraffic;
    case Measure::kBandwidth: return kBandwidth;
    case Measure::kWork: return kWork;
    case Measure::kWorkRate: return kWorkRate;
    case Measure::kIntensity: return kIntensity;
    case Measure::kTokenRate: return kTokenRate;
    case Measure::kCount: return kCount;
  }
  return kCount;
}

double rounded(double value, Rounding rounding) {
  // A value that is whole but for the last bits of a division must not be pushed to the next step.
  const double slack = 1e-9 * std::max(1.0, std::abs(value));
  switch (rounding) {
    case Rounding::kNearest: return std::round(value);
    case Rounding::kUp: return std::ceil(value - slack);
    case Rounding::kDown: return std::floor(value + slack);
  }
  return value;
}

std::string grouped(const std::string& digits) {
  const std::size_t start = digits.starts_with('-') ? 1 : 0;
  std::size_t point = digits.find('.');
  if (point == std::string::npos) point = digits.size();
  std::string text = digits;
  for (std::size_t at = point; at > start + 3;) text.insert(at -= 3, ",");
  return start == 1 ? std::string(kMinus) + text.substr(1) : text;
}

std::string fixed(double value, int decimals, Rounding rounding) {
  const double step = std::pow(10.0, -decimals);
  const double scaled = rounded(value / step, rounding);
  const double number = decimals > 0 ? scaled / std::pow(10.0, decimals) : scaled * step;
  return grouped(fmt::format("{:.{}f}", number == 0.0 ? 0.0 : number, std::max(decimals, 0)));
}

int decimals_for(double value, int digits) {
  if (value == 0.0) return 0;
  return digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-12));
}

std::string significant(double value, Rounding rounding) {
  int decimals = decimals_for(value, 3);
  // 9.996 becomes 10.0, not 10.00: rounding may add a digit in front.
  const double step = std::pow(10.0, -decimals);
  decimals = std::min(decimals, decimals_for(rounded(value / step, rounding) * step, 3));
  return fixed(value, decimals, rounding);
}

bool is_unit(const Unit& unit, std::string_view text) {
  return unit.text == text;
}

std::string with_unit(std::string number, std::string_view unit) {
  if (unit.empty()) return number;
  return number.append(kNbsp).append(unit);
}

}  // namespace

Unit unit_for(Measure measure, double value) {
  const auto units = units_of(measure);
  const double magnitude = std::abs(value);
  Unit best = units.front();
  for (const Unit& unit : units) {
    const double least = is_unit(unit, "GiB") ? kSmallestGiB : 1.0;
    // 999.6 µs shows as 1.00 ms: what rounds up to the next unit belongs to it.
    const double rounds_to_one = measure == Measure::kCapacity ? 1.0 : 0.9995;
    if (magnitude >= least * unit.base * rounds_to_one) best = unit;
  }
  return magnitude == 0.0 ? units_of(measure).front() : best;
}

Unit unit_for(Measure measure, std::span<const double> values) {
  double largest = 0.0;
  for (const double value : values)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  return unit_for(measure, largest);
}

Unit unit_for_all(Measure measure, std::span<const double> values) {
  double least = 0.0;
  double most = 0.0;
  for (const double value : values) {
    if (!std::isfinite(value) || value == 0.0) continue;
    most = std::max(most, std::abs(value));
    least = least == 0.0 ? std::abs(value) : std::min(least, std::abs(value));
  }
  Unit best = unit_for(measure, most);
  for (const Unit& unit : units_of(measure))
    if (unit.base < best.base && least < 0.1 * best.base && most < 1e5 * unit.base) best = unit;
  return best;
}

std::string in_unit(double value, const Unit& unit, Rounding rounding) {
  if (!std::isfinite(value)) return std::string(kMissing);
  const double number = value / unit.base;
  if (is_unit(unit, "GiB")) return fixed(number, std::abs(number) < 100.0 ? 2 : 1, rounding);
  // 1,024 MiB is a power of two people know; three digits would make it 1,020.
  const bool binary = is_unit(unit, "KiB") || is_unit(unit, "MiB");
  if (is_unit(unit, "B") || (binary && std::abs(number) >= 1000.0)) return fixed(number, 0, rounding);
  return significant(number, rounding);
}

std::string format(Measure measure, double value, Rounding rounding) {
  if (!std::isfinite(value)) return std::string(kMissing);
  const Unit unit = unit_for(measure, value);
  return with_unit(in_unit(value, unit, rounding), unit.text);
}

std::string format(Measure measure, std::optional<double> value, Rounding rounding) {
  return value ? format(measure, *value, rounding) : std::string(kMissing);
}

std::string percent_number(double share) {
  if (!std::isfinite(share)) return std::string(kMissing);
  const double percent = 100.0 * share;
  // 9.96 would read "10.0": judge by the rounded value.
  const bool small = std::abs(std::round(percent * 10.0)) < 100.0;
  if (percent != 0.0 && std::abs(percent) < 0.05)
    return "<\u2009"
           "0.1";
  return fixed(percent, small && percent != 0.0 ? 1 : 0, Rounding::kNearest);
}

std::string format_percent(double share) {
  return std::isfinite(share) ? with_unit(percent_number(share), "%") : std::string(kMissing);
}

std::string format_change(double share) {
  if (!std::isfinite(share)) return std::string(kMissing);
  if (std::abs(share) < 0.0005) return with_unit("±0.0", "%");
  const std::string number = percent_number(share);
  return with_unit(share > 0 ? "+" + number : number, "%");
}

std::string format_time(Seconds time) {
  return format(Measure::kTime, time.value);
}

std::string format_count(std::int64_t count) {
  return grouped(fmt::format("{}", count));
}

std::string format_parameters(double count) {
  constexpr Unit kUnits[] = {{"", 1.0}, {"k", 1e3}, {"M", 1e6}, {"B", 1e9}, {"T", 1e12}};
  if (!std::isfinite(count) || count <= 0) return std::string(kMissing);
  Unit best = kUnits[0];
  for (const Unit& unit : kUnits)
    if (count >= 0.9995 * unit.base) best = unit;
  return with_unit(significant(count / best.base, Rounding::kNearest), best.text);
}

std::string format_factor(double factor) {
  return std::isfinite(factor) ? significant(factor, Rounding::kNearest) + "×" : std::string(kMissing);
}

std::string format_date(std::string_view iso) {
  const bool complete = iso.size() >= 16 && iso[4] == '-' && iso[7] == '-' && iso[10] == 'T' && iso[13] == ':';
  if (!complete || !iso.ends_with('Z')) return std::string(iso);
  return fmt::format("{} {} UTC", iso.substr(0, 10), iso.substr(11, 5));
}

std::string plain_spaces(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool nbsp = text.substr(i).starts_with(kNbsp);
    plain += nbsp ? ' ' : text[i];
    if (nbsp) ++i;
  }
  return plain;
}

std::string counted(std::int64_t count, std::string_view one, std::string_view many) {
  return with_unit(format_count(count), count == 1 ? one : many);
}

}  // namespace dachlast::viewmodel
