#include "core/planner/cpu_time.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "kernels/cost.h"

namespace dachlast {
namespace {

using Row = std::vector<double>;

/// Solves the normal equations of the columns chosen by `mask`; empty where they are singular.
std::optional<Row> solve(const std::vector<Row>& xs, const Row& ys, unsigned mask) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < xs.front().size(); ++i)
    if (mask >> i & 1U) columns.push_back(i);
  const std::size_t n = columns.size();
  std::vector<Row> a(n, Row(n + 1, 0.0));
  for (std::size_t s = 0; s < xs.size(); ++s)
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) a[i][j] += xs[s][columns[i]] * xs[s][columns[j]];
      a[i][n] += xs[s][columns[i]] * ys[s];
    }
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t r = i + 1; r < n; ++r)
      if (std::abs(a[r][i]) > std::abs(a[pivot][i])) pivot = r;
    if (std::abs(a[pivot][i]) < 1e-14) return std::nullopt;
    std::swap(a[i], a[pivot]);
    for (std::size_t r = 0; r < n; ++r) {
      if (r == i) continue;
      const double factor = a[r][i] / a[i][i];
      for (std::size_t c = i; c <= n; ++c) a[r][c] -= factor * a[i][c];
    }
  }
  Row result(xs.front().size(), 0.0);
  for (std::size_t i = 0; i < n; ++i) result[columns[i]] = a[i][n] / a[i][i];
  return result;
}

double dot(const Row& a, const Row& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Least squares of relative errors without negative coefficients, by trying every set of columns: there are five at most.
/// Columns are scaled to a largest value of one, so that pivots can be compared.
Row fit_nonnegative(std::vector<Row> xs, const Row& seconds) {
  const std::size_t n = xs.front().size();
  for (std::size_t s = 0; s < xs.size(); ++s)
    for (double& x : xs[s]) x /= seconds[s];
  Row scale(n, 0.0);
  for (const Row& x : xs)
    for (std::size_t i = 0; i < n; ++i) scale[i] = std::max(scale[i], x[i]);
  for (Row& x : xs)
    for (std::size_t i = 0; i < n; ++i) x[i] /= scale[i];
  const Row ones(xs.size(), 1.0);
  Row best(n, 0.0);
  double least = std::numeric_limits<double>::infinity();
  for (unsigned mask = 1; mask < 1U << n; ++mask) {
    const auto c = solve(xs, ones, mask);
    if (!c || std::ranges::any_of(*c, [](double v) { return v < 0.0; })) continue;
    double error = 0.0;
    for (const Row& x : xs) error += std::pow(dot(x, *c) - 1.0, 2);
    if (error >= least) continue;
    least = error;
    best = *c;
  }
  for (std::size_t i = 0; i < n; ++i) best[i] /= scale[i];
  return best;
}

/// The same, a factor on it: where noise makes some times longer, relative errors are least below the middle of them.
Row fit_median(const std::vector<Row>& xs, const Row& seconds) {
  Row c = fit_nonnegative(xs, seconds);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < seconds.size(); ++i)
    if (const double fitted = dot(c, xs[i]); fitted > 0.0) ratios.push_back(seconds[i] / fitted);
  if (ratios.empty()) return c;
  for (double& coefficient : c) coefficient *= median(ratios);
  return c;
}

Row projection_columns(const OpFeatures& f) {
  return {1.0, f.n * f.k, f.n, f.k};
}

Row decode_columns(const OpFeatures& f) {
  return {1.0, f.kv_heads * f.n * f.k, f.heads * f.n * f.k, f.heads, f.kv_heads};
}

bool is_decode(const OpFeatures& f) {
  return f.rows <= 1.0;
}

/// Points of equal x become one, their median.
std::vector<std::pair<double, double>> merged(std::vector<std::pair<double, double>> points) {
  std::ranges::sort(points);
  std::vector<std::pair<double, double>> result;
  for (std::size_t i = 0; i < points.size();) {
    std::vector<double> ys;
    const double x = points[i].first;
    for (; i < points.size() && points[i].first == x; ++i) ys.push_back(points[i].second);
    result.emplace_back(x, median(ys));
  }
  return result;
}

[[noreturn]] void throw_untimed(const OpFeatures& f) {
  throw Error(
      ErrorKind::kDevice, std::string(name_of(f.op)),
      fmt::format("nothing like it was timed on this computer{}.", f.type.empty() ? "" : fmt::format(" in {}", f.type)),
      "Run `dachlast calibrate`.");
}

constexpr double kLeastError = 0.03;  // what equal runs differ by on a shared computer

bool reads_dram(const OpSample& sample) {
  const OpFeatures& f = sample.features;
  return sample.level == MemoryLevel::kDram && (is_projection(f.op) || (f.op == OpKind::kAttention && is_decode(f)));
}

/// 0 where no sample has a rate.
double median_rate(const std::vector<OpSample>& samples) {
  std::vector<double> rates;
  for (const OpSample& sample : samples)
    if (sample.dram_rate > 0.0) rates.push_back(sample.dram_rate);
  return rates.empty() ? 0.0 : median(rates);
}

}  // namespace

double at_dram_rate(double seconds, double bytes, double from, double to) {
  constexpr double kFromCache = 1.1;
  if (!(from > 0.0) || !(to > 0.0)) return seconds;
  const double share = bytes / from / seconds;
  if (share > kFromCache) return seconds;
  const double waiting = std::pow(std::min(share, 1.0), 4);
  return seconds * std::pow(1.0 - waiting + waiting * std::pow(from / to, 4), 0.25);
}

/// Beyond the ends y stays as it is.
double CpuCurves::Line::at(double x) const {
  if (x <= points.front().first) return points.front().second;
  if (x >= points.back().first) return points.back().second;
  const auto right = std::ranges::upper_bound(points, x, {}, &std::pair<double, double>::first);
  const auto left = right - 1;
  const double share = std::log(x / left->first) / std::log(right->first / left->first);
  return std::exp(std::log(left->second) + share * std::log(right->second / left->second));
}

double CpuCurves::Line::scaled_at(double x) const {
  return at(x) * std::max(1.0, x / points.back().first);
}

double CpuCurves::HeadKind::distance(const HeadKind& other) const {
  return std::abs(std::log(width / other.width)) + std::abs(std::log(group / other.group));
}

CpuCurves::CpuCurves(const HostCurves& curves)
    : last_cache_(curves.last_cache_bytes), gap_s_(curves.gap_s), n_threads_(curves.n_threads) {
  if (curves.samples.empty())
    throw Error(ErrorKind::kDevice, "this computer", "no operation was timed on it.", "Run `dachlast calibrate`.");
  timed_rate_ = dram_rate_ = median_rate(curves.samples);
  std::vector<OpSample> samples = curves.samples;
  for (OpSample& sample : samples)
    if (reads_dram(sample))
      sample.seconds = dachlast::at_dram_rate(sample.seconds, sample.features.bytes, sample.dram_rate, timed_rate_);
  fit_projections(samples);
  fit_decode(samples);
  fit_prefill(samples);
  fit_elementwise(samples);
}

CpuCurves CpuCurves::at_dram_rate(double bytes_per_s) const {
  CpuCurves result = *this;
  if (timed_rate_ > 0.0) result.dram_rate_ = bytes_per_s;
  return result;
}

double CpuCurves::now(double seconds, const OpFeatures& f) const {
  return dachlast::at_dram_rate(seconds, f.bytes, timed_rate_, dram_rate_);
}

void CpuCurves::fit_projections(const std::vector<OpSample>& samples) {
  std::map<std::pair<Key, double>, std::pair<std::vector<Row>, Row>> groups;
  for (const OpSample& sample : samples) {
    if (!is_projection(sample.features.op)) continue;
    auto& [xs, ys] = groups[{{sample.features.type, sample.level}, sample.features.rows}];
    xs.push_back(projection_columns(sample.features));
    ys.push_back(sample.seconds);
  }
  std::map<std::string, std::vector<double>> errors;
  for (const auto& [key, group] : groups) {
    const Row c = fit_median(group.first, group.second);
    projections_[key.first].push_back({key.second, c});
    for (std::size_t i = 0; i < group.second.size(); ++i)
      errors[key.first.first].push_back(std::abs(std::log(dot(c, group.first[i]) / group.second[i])));
  }
  for (auto& [type, list] : errors) projection_errors_[type] = std::max(kLeastError, percentile(list, 90.0));
}

void CpuCurves::fit_decode(const std::vector<OpSample>& samples) {
  std::map<std::string, std::pair<std::vector<Row>, Row>> streamed;
  std::map<std::string, std::vector<double>> resident;
  const auto is_one = [](const OpSample& s) { return s.features.op == OpKind::kAttention && is_decode(s.features); };
  for (const OpSample& sample : samples) {
    if (!is_one(sample) || sample.level != MemoryLevel::kDram) continue;
    auto& [xs, ys] = streamed[sample.features.type];
    xs.push_back(decode_columns(sample.features));
    ys.push_back(sample.seconds);
  }
  for (const auto& [format, group] : streamed) decode_[format] = fit_median(group.first, group.second);
  // Short contexts alone are timed there: too few sizes for a law of their own.
  for (const OpSample& sample : samples)
    if (const auto law = decode_.find(sample.features.type);
        is_one(sample) && sample.level == MemoryLevel::kL3 && law != decode_.end())
      resident[sample.features.type].push_back(sample.seconds / dot(law->second, decode_columns(sample.features)));
  for (auto& [format, ratios] : resident) resident_decode_[format] = std::min(median(ratios), 1.0);
}

void CpuCurves::fit_prefill(const std::vector<OpSample>& samples) {
  std::map<std::pair<std::string, HeadKind>, std::vector<std::pair<double, double>>> groups;
  for (const OpSample& sample : samples) {
    const OpFeatures& f = sample.features;
    if (f.op == OpKind::kAttention && !is_decode(f))
      groups[{f.type, {f.k, f.heads / f.kv_heads}}].emplace_back(f.rows, f.flops / sample.seconds);
  }
  for (auto& [key, points] : groups) prefill_[key].points = merged(std::move(points));
}

void CpuCurves::fit_elementwise(const std::vector<OpSample>& samples) {
  std::map<std::tuple<OpKind, std::string, MemoryLevel>, std::vector<std::pair<double, double>>> groups;
  for (const OpSample& sample : samples) {
    const OpFeatures& f = sample.features;
    if (!is_projection(f.op) && f.op != OpKind::kAttention)
      groups[{f.op, f.type, sample.level}].emplace_back(f.n, sample.seconds);
  }
  for (auto& [key, points] : groups) elementwise_[key].points = merged(std::move(points));
}

/// A type in other groups stands for one that was not timed: "int8" for "int8:32".
std::string CpuCurves::known_type(const std::string& type) const {
  if (projections_.contains({type, MemoryLevel::kDram})) return type;
  for (const auto& [key, planes] : projections_)
    if (key.first.substr(0, 4) == type.substr(0, 4)) return key.first;
  return type;
}

double CpuCurves::projection(const OpFeatures& f, const std::string& type, MemoryLevel level) const {
  const auto& planes = projections_.at({type, level});
  const Row x = projection_columns(f);
  const auto right = std::ranges::lower_bound(planes, f.rows, {}, &Plane::rows);
  if (right == planes.begin()) return dot(right->c, x);
  const auto left = right - 1;
  const double below = dot(left->c, x);
  if (right == planes.end()) return below * f.rows / left->rows;
  const double share = std::log(f.rows / left->rows) / std::log(right->rows / left->rows);
  return std::exp((1.0 - share) * std::log(below) + share * std::log(dot(right->c, x)));
}

/// 0: all of it stays in the last cache from step to step; 1: all of it comes from DRAM. A cache that is walked through
/// again and again holds little of what is larger than it.
double CpuCurves::streamed_share(double step_bytes) const {
  if (!(last_cache_ > 0.0)) return 1.0;
  constexpr double kFits = 0.75;
  constexpr double kGone = 1.5;
  const double share = std::log(step_bytes / (kFits * last_cache_)) / std::log(kGone / kFits);
  return std::clamp(share, 0.0, 1.0);
}

CpuCurves::Estimate CpuCurves::projection(const OpFeatures& f, double step_bytes) const {
  const std::string type = known_type(f.type);
  if (!projections_.contains({type, MemoryLevel::kDram})) throw_untimed(f);
  const double share = projections_.contains({type, MemoryLevel::kL3}) ? streamed_share(step_bytes) : 1.0;
  double log_seconds = 0.0;
  if (share > 0.0) log_seconds += share * std::log(now(projection(f, type, MemoryLevel::kDram), f));
  if (share < 1.0) log_seconds += (1.0 - share) * std::log(projection(f, type, MemoryLevel::kL3));
  return {std::exp(log_seconds), fmt::format("projection/{}/{}", type, f.rows > 16.0 ? "many rows" : "few rows"),
          projection_errors_.at(type)};
}

CpuCurves::Estimate CpuCurves::attention(const OpFeatures& f, double step_bytes) const {
  if (is_decode(f)) {
    const auto found = decode_.find(f.type);
    if (found == decode_.end()) throw_untimed(f);
    const double streamed = dot(found->second, decode_columns(f));
    const auto resident = resident_decode_.find(f.type);
    const double share = resident != resident_decode_.end() ? streamed_share(step_bytes) : 1.0;
    double log_seconds = share * std::log(now(streamed, f));
    if (share < 1.0) log_seconds += (1.0 - share) * std::log(resident->second * streamed);
    return {std::exp(log_seconds), "decode/" + f.type, 2.0 * kLeastError};
  }
  const HeadKind asked{f.k, f.heads / f.kv_heads};
  const Line* nearest = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [key, line] : prefill_) {
    if (key.first != f.type || key.second.distance(asked) >= least) continue;
    nearest = &line;
    least = key.second.distance(asked);
  }
  if (nearest == nullptr) throw_untimed(f);
  return {f.flops / nearest->at(f.rows), "prefill/" + f.type, 2.0 * kLeastError};
}

CpuCurves::Estimate CpuCurves::elementwise(const OpFeatures& f, double step_bytes) const {
  const MemoryLevel level = streamed_share(step_bytes) >= 0.5 ? MemoryLevel::kDram : MemoryLevel::kL3;
  auto found = elementwise_.find({f.op, f.type, level});
  if (found == elementwise_.end())
    found = std::ranges::find_if(elementwise_, [&](const auto& item) {
      return std::get<OpKind>(item.first) == f.op && std::get<std::string>(item.first) == f.type;
    });
  if (found == elementwise_.end())
    found = std::ranges::find_if(elementwise_, [&](const auto& item) { return std::get<OpKind>(item.first) == f.op; });
  // Norms of queries and keys work as the others do, on shorter rows.
  if (found == elementwise_.end() && f.op == OpKind::kQkNorm)
    found = elementwise_.find({OpKind::kNorm, f.type, MemoryLevel::kDram});
  if (found == elementwise_.end()) throw_untimed(f);
  return {found->second.scaled_at(f.n), "elementwise", 4.0 * kLeastError};
}

CpuCurves::Estimate CpuCurves::estimate(const OpFeatures& features, double step_bytes) const {
  if (is_projection(features.op)) return projection(features, step_bytes);
  return features.op == OpKind::kAttention ? attention(features, step_bytes) : elementwise(features, step_bytes);
}

namespace {

/// A pass that several kinds of sequences share is one of the kind it has; levers ask for nothing else.
Step step_of(const StepLoad& load) {
  const auto whole = [](double count) { return std::max(1, static_cast<int>(std::lround(count))); };
  if (load.decode_sequences > 0.0)
    return {.phase = Phase::kDecode,
            .batch_size = whole(load.decode_sequences),
            .q_len = 1,
            .kv_len = whole(load.decode_kv)};
  const int batch = whole(load.prefill_sequences);
  const int fresh = whole(load.prefill_tokens / batch);
  return {
      .phase = Phase::kPrefill, .batch_size = batch, .q_len = fresh, .kv_len = std::max(fresh, whole(load.prefill_kv))};
}

Resource resource_of(const OpFeatures& f) {
  // Where products begin to take longer than the weights: some tens of rows on CPUs of today.
  constexpr double kRidgeRows = 32.0;
  if (f.op == OpKind::kAttention) return is_decode(f) ? Resource::kCache : Resource::kAttention;
  if (!is_projection(f.op)) return Resource::kElementwise;
  return f.rows > kRidgeRows ? Resource::kProducts : Resource::kWeights;
}

void add_part(std::vector<TimedPart>& parts, const TimedPart& part) {
  const auto same =
      std::ranges::find_if(parts, [&](const TimedPart& p) { return p.law == part.law && p.resource == part.resource; });
  if (same == parts.end())
    parts.push_back(part);
  else
    same->seconds += part.seconds;
}

}  // namespace

CpuTimer::CpuTimer(ModelSpec model, Precision precision, CpuCurves curves)
    : model_(std::move(model)), precision_(precision), curves_(std::move(curves)) {
  if (const auto missing = missing_kernels(model_))
    throw Error(ErrorKind::kUsage, model_.name, *missing + ".", "`plan` and `models show` work.");
  const Step one{.phase = Phase::kDecode, .batch_size = 1, .q_len = 1, .kv_len = 1};
  for (const Op& op : build_op_list(model_, one, precision_))
    weight_bytes_ += kernels::op_cost(op.shape).weight_bytes.value;
}

CpuTimer CpuTimer::at_dram_rate(double bytes_per_s) const {
  CpuTimer result = *this;
  result.curves_ = curves_.at_dram_rate(bytes_per_s);
  return result;
}

std::vector<TimedPart> CpuTimer::parts(const Step& step) const {
  const std::vector<Op> ops = build_op_list(model_, step, precision_);
  double cache = 0.0;
  for (const Op& op : ops) cache += kernels::op_cost(op.shape).kv_read_bytes.value;
  std::vector<TimedPart> parts;
  std::vector<std::pair<OpFeatures, CpuCurves::Estimate>> known;  // layers are alike
  for (const Op& op : ops) {
    const OpFeatures features = features_of(op, kernels::op_cost(op.shape));
    auto same = std::ranges::find(known, features, &std::pair<OpFeatures, CpuCurves::Estimate>::first);
    if (same == known.end()) {
      known.emplace_back(features, curves_.estimate(features, weight_bytes_ + cache));
      same = known.end() - 1;
    }
    add_part(parts, {resource_of(features), same->second.law, same->second.seconds, same->second.log_error});
  }
  constexpr double kGapError = 0.3;
  parts.push_back({Resource::kHost, "gaps", curves_.gap_s() * static_cast<double>(ops.size()), kGapError});
  return parts;
}

double CpuTimer::seconds(const Step& step) const {
  double sum = 0.0;
  for (const TimedPart& part : parts(step)) sum += part.seconds;
  return sum;
}

double CpuTimer::seconds(const StepLoad& load) const {
  return seconds(step_of(load));
}

std::vector<TimedPart> CpuTimer::parts(const StepLoad& load) const {
  return parts(step_of(load));
}

}  // namespace dachlast
