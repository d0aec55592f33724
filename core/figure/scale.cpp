#include "core/figure/scale.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace dachlast::figure {
namespace {

// Domains end on computed values; a tick that misses an end by rounding alone still belongs to it.
constexpr double kSlack = 1e-9;

double power_of_ten(int exponent) {
  return std::pow(10.0, exponent);
}

double step_1_2_5(double span, int target) {
  // A quarter more than the target is better than less than half of it, which the gap from 2 to 5 would give.
  const double raw = span / (1.25 * std::max(target, 1));
  const double power = power_of_ten(static_cast<int>(std::floor(std::log10(raw))));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= raw * (1.0 - kSlack)) return factor * power;
  return 10.0 * power;
}

std::vector<Tick> linear_ticks(const Interval& domain, int target) {
  const double step = step_1_2_5(domain.hi - domain.lo, target);
  std::vector<Tick> ticks;
  // Multiples of the step from an integer, so that rounding does not add up along the axis.
  const auto first = static_cast<long long>(std::ceil(domain.lo / step - kSlack));
  const auto last = static_cast<long long>(std::floor(domain.hi / step + kSlack));
  for (long long i = first; i <= last; ++i) ticks.push_back({static_cast<double>(i) * step, true});
  return ticks;
}

}  // namespace

Scale::Scale(Kind kind, Interval domain, double from, double to) : kind_(kind), domain_(domain), from_(from), to_(to) {
  if (!std::isfinite(domain.lo) || !std::isfinite(domain.hi) || !(domain.lo < domain.hi))
    throw Error(ErrorKind::kFailure, "chart scale", "the range of values is empty or not finite.");
  if (kind == Kind::kLog && domain.lo <= 0.0)
    throw Error(ErrorKind::kFailure, "chart scale", "a logarithmic scale needs values above 0.");
}

Scale Scale::linear(Interval domain, double from, double to) {
  return {Kind::kLinear, domain, from, to};
}
Scale Scale::log(Interval domain, double from, double to) {
  return {Kind::kLog, domain, from, to};
}

double Scale::transformed(double value) const {
  return kind_ == Kind::kLog ? std::log10(value) : value;
}

double Scale::position(double value) const {
  const double lo = transformed(domain_.lo);
  const double share = (transformed(value) - lo) / (transformed(domain_.hi) - lo);
  return from_ + share * (to_ - from_);
}

double Scale::value(double position) const {
  const double lo = transformed(domain_.lo);
  const double t = lo + (position - from_) / (to_ - from_) * (transformed(domain_.hi) - lo);
  return kind_ == Kind::kLog ? std::pow(10.0, t) : t;
}

std::vector<Tick> Scale::ticks(int target) const {
  const bool decades = kind_ == Kind::kLog && domain_.hi >= 10.0 * domain_.lo * (1.0 - kSlack);
  return decades ? log_ticks(target) : linear_ticks(domain_, target);
}

std::vector<Tick> Scale::log_ticks(int target) const {
  const int first = static_cast<int>(std::floor(std::log10(domain_.lo) + kSlack));
  const int last = static_cast<int>(std::ceil(std::log10(domain_.hi) - kSlack));
  const int every = std::max(1, (last - first + target) / (target + 1));
  const bool label_2_and_5 = last - first < 3;
  std::vector<Tick> ticks;
  for (int exponent = first; exponent <= last; ++exponent) {
    for (int digit = 1; digit <= 9; ++digit) {
      const double value = digit * power_of_ten(exponent);
      if (value < domain_.lo * (1.0 - kSlack) || value > domain_.hi * (1.0 + kSlack)) continue;
      const bool decade = digit == 1 && (exponent - first) % every == 0;
      ticks.push_back({value, decade || (label_2_and_5 && (digit == 2 || digit == 5))});
    }
  }
  return ticks;
}

Interval whole_decades(Interval values) {
  return {power_of_ten(static_cast<int>(std::floor(std::log10(values.lo) + kSlack))),
          power_of_ten(static_cast<int>(std::ceil(std::log10(values.hi) - kSlack)))};
}

}  // namespace dachlast::figure
