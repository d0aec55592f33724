#pragma once

#include <compare>

namespace dachlast {

/// A number with a unit. Adding keeps the unit; products and quotients exist only where physics has a name for them,
/// so dividing work by traffic yields `Intensity` and dividing traffic by work does not compile.
template <class Tag>
struct Quantity {
  double value = 0.0;

  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return {a.value + b.value}; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return {a.value - b.value}; }
  friend constexpr Quantity operator*(Quantity a, double factor) { return {a.value * factor}; }
  friend constexpr Quantity operator*(double factor, Quantity a) { return {a.value * factor}; }
  friend constexpr Quantity operator/(Quantity a, double divisor) { return {a.value / divisor}; }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value / b.value; }
  constexpr Quantity& operator+=(Quantity b) {
    value += b.value;
    return *this;
  }
};

using Bytes = Quantity<struct BytesTag>;
using Flops = Quantity<struct FlopsTag>;  // work; a rate is FlopsPerSecond
using Seconds = Quantity<struct SecondsTag>;
using Intensity = Quantity<struct IntensityTag>;  // FLOP/byte
using FlopsPerSecond = Quantity<struct FlopsPerSecondTag>;
using BytesPerSecond = Quantity<struct BytesPerSecondTag>;

constexpr Intensity operator/(Flops work, Bytes traffic) {
  return {work.value / traffic.value};
}
constexpr FlopsPerSecond operator/(Flops work, Seconds time) {
  return {work.value / time.value};
}
constexpr BytesPerSecond operator/(Bytes traffic, Seconds time) {
  return {traffic.value / time.value};
}
constexpr Seconds operator/(Flops work, FlopsPerSecond rate) {
  return {work.value / rate.value};
}
constexpr Seconds operator/(Bytes traffic, BytesPerSecond rate) {
  return {traffic.value / rate.value};
}
constexpr Intensity operator/(FlopsPerSecond peak, BytesPerSecond bandwidth) {
  return {peak.value / bandwidth.value};
}
constexpr FlopsPerSecond operator*(Intensity intensity, BytesPerSecond bandwidth) {
  return {intensity.value * bandwidth.value};
}

inline constexpr double kKiB = 1024.0;
inline constexpr double kMiB = 1024.0 * kKiB;
inline constexpr double kGiB = 1024.0 * kMiB;

}  // namespace dachlast
