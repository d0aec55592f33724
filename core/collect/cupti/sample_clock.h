#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace dachlast {

/// The clock that a GPU's samples are stamped with, against CLOCK_MONOTONIC. No call reads both, so the way between them is
/// bounded from below and above: sampling had not begun before the host asked for it, and a sample had ended when the host
/// read it. The truth lies between the bounds, the middle is taken, and half the way between them is the uncertainty.
/// Two clocks drift apart: a bound found at one moment loosens by `kMostDrift` times the time until another.
class SampleClock {
 public:
  /// Where a moment lies, give or take.
  struct Moment {
    std::int64_t at_ns = 0;
    std::int64_t uncertainty_ns = 0;
  };

  /// The samples' clock came to `sample_ns` at `monotonic_ns` or later.
  void not_before(std::int64_t sample_ns, std::int64_t monotonic_ns);
  /// The samples' clock came to `sample_ns` at `monotonic_ns` or earlier.
  void not_after(std::int64_t sample_ns, std::int64_t monotonic_ns);
  /// Call after the last bound.
  void finish();

  /// Empty without a bound on either side, and where the bounds contradict each other: then this is no clock in nanoseconds.
  std::optional<Moment> monotonic(std::int64_t sample_ns) const;

  // Quartz oscillators of computers are built to within 50 parts in a million, and there are two of them.
  static constexpr double kMostDrift = 100e-6;

 private:
  // Whole numbers: offsets of clocks that count from 1970 have no nanoseconds left as doubles.
  using Bound = std::pair<std::int64_t, std::int64_t>;  // moment of the samples' clock, offset of the other one
  enum class Side : std::uint8_t { kLower, kUpper };

  static void tighten(std::vector<Bound>& bounds, Side side);
  static std::int64_t offset_at(const std::vector<Bound>& bounds, Side side, std::int64_t sample_ns);

  std::vector<Bound> lower_;
  std::vector<Bound> upper_;
};

}  // namespace dachlast
