#include "core/viewmodel/cache_growth.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/figure/axes.h"
#include "core/roofline/speedup.h"
#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kGrowthFont = 11.5;

using Series = std::vector<CacheSpeedup>;

double longest(const Series& series) {
  double most = 0.0;
  for (const auto& entry : series) most = std::max({most, entry.cached.value, entry.uncached.value});
  return most;
}

Polyline line_of(const Series& series, Seconds CacheSpeedup::*time, const Scale& x, const Scale& y, Stroke stroke) {
  Polyline line{{}, stroke};
  for (const auto& entry : series)
    line.points.push_back({x.position(entry.sequence_tokens), y.position((entry.*time).value)});
  return line;
}

void label_end(Figure& figure, const Polyline& line, std::string text, Role role) {
  const Point end = line.points.back();
  figure.primitives.push_back(
      Text{{end.x, end.y - 9.0}, std::move(text), role, kGrowthFont, Anchor::kEnd, 0.0, Weight::kBold, Halo::kSurface});
}

std::string description_of(const Series& series) {
  return fmt::format(
      "Line chart of the time of each generated token over sequence length. With the KV cache from {} to {}; "
      "recomputed "
      "from {} to {}, at sequences of {} to {} tokens.",
      format_time(series.front().cached), format_time(series.back().cached), format_time(series.front().uncached),
      format_time(series.back().uncached), format_count(series.front().sequence_tokens),
      format_count(series.back().sequence_tokens));
}

}  // namespace

figure::Figure cache_growth_figure(const UncachedComparison& comparison, figure::Size size, std::string id) {
  const Series series = cache_speedups(comparison);
  if (series.size() < 2)
    throw Error(ErrorKind::kFailure, "KV cache chart", "needs at least two tokens generated both ways.");
  const Box frame{58.0, 34.0, size.width - 76.0, size.height - 34.0 - 50.0};
  const double top = longest(series);
  const Unit unit = unit_for(Measure::kTime, top);
  const Scale x = Scale::linear(
      {static_cast<double>(series.front().sequence_tokens), static_cast<double>(series.back().sequence_tokens)},
      frame.x, frame.right());
  const Scale y = Scale::linear({0.0, 1.12 * top}, frame.bottom(), frame.y);
  Figure figure{std::move(id), size, "Time per token with and without KV cache", description_of(series), {}};
  draw_axes(figure.primitives, frame,
            {x, "Sequence length, tokens", [](double v) { return format_count(static_cast<std::int64_t>(v)); }, 8},
            {y, fmt::format("Time per token, {}", unit.text),
             [&](double v) { return v == 0.0 ? std::string("0") : fmt::format("{:g}", v / unit.base); }, 5});
  const auto uncached = line_of(series, &CacheSpeedup::uncached, x, y, {Role::kSeries1, 2.0, Dash::kDashed});
  const auto cached = line_of(series, &CacheSpeedup::cached, x, y, {Role::kSeries2, 2.0, Dash::kSolid});
  figure.primitives.emplace_back(uncached);
  figure.primitives.emplace_back(cached);
  label_end(figure, uncached, "recomputed", Role::kText);
  label_end(figure, cached, "with KV cache", Role::kText);
  return figure;
}

}  // namespace dachlast::viewmodel
