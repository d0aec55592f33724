#pragma once

#include <vector>

namespace dachlast::figure {

struct Interval {
  double lo = 0.0;
  double hi = 1.0;
};

struct Tick {
  double value;
  bool major;  // major ticks carry a label
};

/// Maps values to positions along an axis, linearly or by logarithm.
class Scale {
 public:
  /// `domain` in data units, `from`/`to` the positions of its ends; from > to draws upwards.
  /// Errors   throws `Error` (kFailure) where the domain is empty, not finite, or not positive on a log scale.
  static Scale linear(Interval domain, double from, double to);
  static Scale log(Interval domain, double from, double to);

  /// Position of `value`, which may lie outside the domain. On a log scale value > 0.
  double position(double value) const;
  /// Value at a position.
  double value(double position) const;
  bool contains(double value) const { return value >= domain_.lo && value <= domain_.hi; }
  const Interval& domain() const { return domain_; }

  /// Ticks within the domain, ascending, steps of 1, 2 or 5 times a power of ten, at most about `target` major ones.
  /// Log scales label decades, or every second, third … decade where there are many; they fall back to 1-2-5 within
  /// decades where there are fewer than three, and to linear steps within one decade.
  std::vector<Tick> ticks(int target) const;

 private:
  enum class Kind { kLinear, kLog };
  Scale(Kind kind, Interval domain, double from, double to);
  double transformed(double value) const;
  std::vector<Tick> log_ticks(int target) const;

  Kind kind_;
  Interval domain_;
  double from_;
  double to_;
};

/// The smallest interval of whole decades that holds `values`, all of them positive.
Interval whole_decades(Interval values);

}  // namespace dachlast::figure
