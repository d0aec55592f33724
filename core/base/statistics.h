#pragma once

#include <span>

namespace dachlast {

// Statistics of measured samples. Every function takes samples in any order and leaves them untouched.
// Errors   each throws `Error` (kFailure) where it gets fewer samples than its definition needs: one, or two for
//          `standard_deviation`.

/// Closed interval and the probability with which it covers what it estimates.
struct Interval {
  double low = 0.0;
  double high = 0.0;
  double confidence = 0.0;  // 0 … 1
};

/// Middle value; mean of the two middle ones where their number is even.
double median(std::span<const double> samples);

/// Value below which `percent` % of the samples lie, `percent` in 0 … 100, linear between neighbours: with sorted x[0 …
/// n−1] and h = (n − 1) · percent / 100, it is x[⌊h⌋] + (h − ⌊h⌋) · (x[⌊h⌋ + 1] − x[⌊h⌋]).
/// Source   Hyndman & Fan 1996, doi:10.1080/00031305.1996.10473566, definition 7.
double percentile(std::span<const double> samples, double percent);

/// Square root of Σ(x − mean)² / (n − 1).
double standard_deviation(std::span<const double> samples);

/// median(|x − median(x)|), unscaled: 1.4826 times it estimates the standard deviation of normal samples.
double median_absolute_deviation(std::span<const double> samples);

/// The narrowest pair of symmetric order statistics [x(k), x(n+1−k)] that covers the median with at least 95 %,
/// whatever the distribution; `confidence` is the exact coverage 1 − 2 · P(B(n, ½) < k). Below six samples even [min,
/// max] covers less (1 − 2^(1−n)): it is returned with that lower confidence.
/// Source   David & Nagaraja 2003, Order Statistics, 3rd ed., section 7.1.
Interval median_interval(std::span<const double> samples);

/// How far the median of `changed` lies from that of `baseline`, with a 95 % percentile-bootstrap interval.
struct MedianDifference {
  double difference = 0.0;  // median(changed) − median(baseline)
  Interval interval;
};

/// Resamples both sides independently, 2000 times, from a fixed seed: equal samples give equal intervals. With fewer
/// than about six samples a side the interval is too narrow; a single sample a side gives one of width zero. Source
/// Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
MedianDifference median_difference(std::span<const double> baseline, std::span<const double> changed);

}  // namespace dachlast
