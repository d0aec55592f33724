#include "core/collect/cupti/sample_clock.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace dachlast {
namespace {

/// How far a bound of one moment has loosened by another.
std::int64_t slack(std::int64_t from_ns, std::int64_t to_ns) {
  return static_cast<std::int64_t>(std::ceil(SampleClock::kMostDrift * std::abs(static_cast<double>(to_ns - from_ns))));
}

}  // namespace

void SampleClock::not_before(std::int64_t sample_ns, std::int64_t monotonic_ns) {
  lower_.emplace_back(sample_ns, monotonic_ns - sample_ns);
}

void SampleClock::not_after(std::int64_t sample_ns, std::int64_t monotonic_ns) {
  upper_.emplace_back(sample_ns, monotonic_ns - sample_ns);
}

void SampleClock::finish() {
  tighten(lower_, Side::kLower);
  tighten(upper_, Side::kUpper);
}

/// Every bound, loosened, holds at every other moment too: after one pass each way none but the neighbours matter.
void SampleClock::tighten(std::vector<Bound>& bounds, Side side) {
  std::sort(bounds.begin(), bounds.end());
  const auto carry = [side](const Bound& from, Bound& to) {
    const std::int64_t loosened = slack(from.first, to.first);
    to.second = side == Side::kLower ? std::max(to.second, from.second - loosened)
                                     : std::min(to.second, from.second + loosened);
  };
  for (std::size_t i = 1; i < bounds.size(); ++i) carry(bounds[i - 1], bounds[i]);
  for (std::size_t i = bounds.size(); i-- > 1;) carry(bounds[i], bounds[i - 1]);
}

std::int64_t SampleClock::offset_at(const std::vector<Bound>& bounds, Side side, std::int64_t sample_ns) {
  const auto after = std::lower_bound(bounds.begin(), bounds.end(), sample_ns,
                                      [](const Bound& bound, std::int64_t at_ns) { return bound.first < at_ns; });
  std::optional<std::int64_t> best;
  const auto consider = [&](const Bound& bound) {
    const std::int64_t loosened = slack(bound.first, sample_ns);
    const std::int64_t offset = side == Side::kLower ? bound.second - loosened : bound.second + loosened;
    if (!best || (side == Side::kLower ? offset > *best : offset < *best)) best = offset;
  };
  if (after != bounds.end()) consider(*after);
  if (after != bounds.begin()) consider(*std::prev(after));
  return best.value_or(0);
}

std::optional<SampleClock::Moment> SampleClock::monotonic(std::int64_t sample_ns) const {
  if (lower_.empty() || upper_.empty()) return std::nullopt;
  const std::int64_t lower = offset_at(lower_, Side::kLower, sample_ns);
  const std::int64_t upper = offset_at(upper_, Side::kUpper, sample_ns);
  if (lower > upper) return std::nullopt;
  const std::int64_t width = upper - lower;
  return Moment{sample_ns + lower + width / 2, (width + 1) / 2};
}

}  // namespace dachlast
