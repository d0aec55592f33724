#include "core/base/statistics.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr double kConfidence = 0.95;

// The 2.5 % and 97.5 % points of 2000 resamples rest on 50 values each side: their own noise is then a few per cent of
// the interval's width, and two sides of 1000 samples take a few tens of milliseconds.
constexpr int kResamples = 2000;
constexpr std::uint64_t kSeed = 20050301;

void require(std::span<const double> samples, std::size_t n_needed) {
  if (samples.size() < n_needed)
    throw Error(ErrorKind::kFailure, "statistics",
                fmt::format("Got {} samples where {} are needed.", samples.size(), n_needed));
}

std::vector<double> sorted(std::span<const double> samples) {
  std::vector<double> result(samples.begin(), samples.end());
  std::sort(result.begin(), result.end());
  return result;
}

double median_in_place(std::vector<double>& samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  if (samples.size() % 2 == 1) return *middle;
  return 0.5 * (*std::max_element(samples.begin(), middle) + *middle);
}

/// P(B(n, ½) = k), by logarithms: 2^-n alone underflows from n = 1075.
double fair_binomial(int n, int k) {
  return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) - n * std::log(2.0));
}

/// Fills `resample` with draws from `samples`. Multiply and shift instead of std::uniform_int_distribution, whose
/// results differ between standard libraries.
void draw(std::span<const double> samples, std::mt19937_64& random, std::vector<double>& resample) {
  resample.resize(samples.size());
  for (double& value : resample) value = samples[((random() >> 32) * samples.size()) >> 32];
}

}  // namespace

double median(std::span<const double> samples) {
  require(samples, 1);
  std::vector<double> copy(samples.begin(), samples.end());
  return median_in_place(copy);
}

double percentile(std::span<const double> samples, double percent) {
  require(samples, 1);
  const std::vector<double> x = sorted(samples);
  const double h = static_cast<double>(x.size() - 1) * std::clamp(percent, 0.0, 100.0) / 100.0;
  const auto below = static_cast<std::size_t>(h);
  if (below + 1 == x.size()) return x.back();
  return x[below] + (h - static_cast<double>(below)) * (x[below + 1] - x[below]);
}

double standard_deviation(std::span<const double> samples) {
  require(samples, 2);
  const auto n = static_cast<double>(samples.size());
  double sum = 0.0;
  for (const double x : samples) sum += x;
  double squares = 0.0;  // of deviations, in a second pass: subtracting large sums would cancel
  for (const double x : samples) squares += (x - sum / n) * (x - sum / n);
  return std::sqrt(squares / (n - 1.0));
}

double median_absolute_deviation(std::span<const double> samples) {
  const double centre = median(samples);
  std::vector<double> deviations;
  deviations.reserve(samples.size());
  for (const double x : samples) deviations.push_back(std::abs(x - centre));
  return median_in_place(deviations);
}

Interval median_interval(std::span<const double> samples) {
  require(samples, 1);
  const std::vector<double> x = sorted(samples);
  const auto n = static_cast<int>(x.size());
  // Walk inwards from [x(1), x(n)] while the coverage stays high enough. `outside` = P(B(n, ½) < k).
  int k = 1;
  double outside = fair_binomial(n, 0);
  while (2 * (k + 1) <= n + 1) {
    const double wider = outside + fair_binomial(n, k);
    if (1.0 - 2.0 * wider < kConfidence) break;
    outside = wider;
    ++k;
  }
  return {x[static_cast<std::size_t>(k - 1)], x[static_cast<std::size_t>(n - k)], 1.0 - 2.0 * outside};
}

MedianDifference median_difference(std::span<const double> baseline, std::span<const double> changed) {
  require(baseline, 1);
  require(changed, 1);
  std::mt19937_64 random(kSeed);
  std::vector<double> resample;
  std::vector<double> differences;
  differences.reserve(kResamples);
  for (int i = 0; i < kResamples; ++i) {
    draw(baseline, random, resample);
    const double before = median_in_place(resample);
    draw(changed, random, resample);
    differences.push_back(median_in_place(resample) - before);
  }
  constexpr double tail = 100.0 * (1.0 - kConfidence) / 2.0;
  return {median(changed) - median(baseline),
          {percentile(differences, tail), percentile(differences, 100.0 - tail), kConfidence}};
}

}  // namespace dachlast
