#include "core/planner/known_load.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr LoadDistance kDistances[] = {LoadDistance::kNear, LoadDistance::kOtherLengths, LoadDistance::kFar};

bool alike(int a, int b) {
  constexpr double kTenth = 1.1;
  return std::max(a, b) <= kTenth * std::min(a, b);
}

bool equal(const ServedLoad& a, const ServedLoad& b) {
  return a.prompt_tokens == b.prompt_tokens && a.output_tokens == b.output_tokens && a.n_sequences == b.n_sequences;
}

void scale(SpeedFigure& figure, double factor, const RatioInterval& ratios) {
  figure.value *= factor;
  figure.interval = Interval{figure.value * ratios.low, figure.value * ratios.high, kSpeedConfidence};
}

/// From the arrival of a request to its last token.
double request_s(double ttft_s, double tpot_s, const ServedLoad& load) {
  return ttft_s + tpot_s * (load.output_tokens - 1);
}

double low_of(const SpeedFigure& figure) {
  return figure.interval ? figure.interval->low : figure.value;
}

double high_of(const SpeedFigure& figure) {
  return figure.interval ? figure.interval->high : figure.value;
}

/// Clients that wait for their answers send as many requests as they get answers: the rate goes as one over the time of one.
void retime_rate(ServedSpeed& speed, const ServedSpeed& before, const ServedLoad& load) {
  const auto time = [&](const ServedSpeed& of, double (*figure)(const SpeedFigure&)) {
    return request_s(figure(of.ttft_s), of.tpot_s ? figure(*of.tpot_s) : 0.0, load);
  };
  const auto value = [](const SpeedFigure& figure) { return figure.value; };
  const double work = before.output_tokens_s.value * time(before, value);
  speed.output_tokens_s.value = work / time(speed, value);
  speed.output_tokens_s.interval = Interval{work / time(speed, high_of), work / time(speed, low_of), kSpeedConfidence};
}

struct Pairs {
  std::vector<double> ratios;  // published / held prediction
  std::vector<double> errors;
};

/// The figure `known` holds the prediction of `asked` to.
void add_pair(const PredictedFigure& known, const PredictedFigure& asked, Pairs& pairs) {
  const double held = asked.predicted * known.published / known.predicted;
  pairs.ratios.push_back(asked.published / held);
  pairs.errors.push_back(std::abs(held / asked.published - 1.0));
}

std::vector<KnownLoadErrors> errors_of(const Validation& validation, const std::string& component) {
  std::map<std::string, std::vector<const PredictedFigure*>, std::less<>> deployments;
  for (const PredictedFigure& figure : validation.figures)
    if (figure.component == component && figure.at) deployments[figure.at->deployment].push_back(&figure);
  std::array<Pairs, std::size(kDistances)> pairs;
  for (const auto& [name, figures] : deployments)
    for (const PredictedFigure* known : figures)
      for (const PredictedFigure* asked : figures)
        if (!equal(known->at->load, asked->at->load))
          add_pair(*known, *asked,
                   pairs.at(static_cast<std::size_t>(distance_between(known->at->load, asked->at->load))));
  std::vector<KnownLoadErrors> errors;
  for (const LoadDistance distance : kDistances) {
    const Pairs& of = pairs.at(static_cast<std::size_t>(distance));
    if (of.errors.empty()) continue;
    errors.push_back({.component = component,
                      .distance = distance,
                      .n = static_cast<std::int64_t>(of.errors.size()),
                      .median_abs = median(of.errors),
                      .p90_abs = percentile(of.errors, 90.0),
                      .ratios = {percentile(of.ratios, 5.0), percentile(of.ratios, 95.0)}});
  }
  return errors;
}

}  // namespace

LoadDistance distance_between(const ServedLoad& measured, const ServedLoad& asked) {
  constexpr int kNear = 4;
  const auto [few, many] = std::minmax(measured.n_sequences, asked.n_sequences);
  if (many > kNear * few) return LoadDistance::kFar;
  return alike(measured.prompt_tokens, asked.prompt_tokens) && alike(measured.output_tokens, asked.output_tokens)
             ? LoadDistance::kNear
             : LoadDistance::kOtherLengths;
}

std::optional<KnownLoadRatios> known_load_ratios(LoadDistance distance) {
  switch (distance) {
    case LoadDistance::kNear: return KnownLoadRatios{.ttft = {0.53, 1.87}, .tpot = {0.83, 1.21}};
    case LoadDistance::kOtherLengths: return KnownLoadRatios{.ttft = {0.42, 2.40}, .tpot = {0.79, 1.26}};
    case LoadDistance::kFar: break;
  }
  return std::nullopt;
}

ServedSpeed held_to(const ServedSpeed& predicted, const ServedLoad& asked, const ServedSpeed& there,
                    const MeasuredSpeed& measured) {
  if (measured.tpot_s && !there.tpot_s)
    throw Error(ErrorKind::kUsage, "measured TPOT", "answers of one token have none.", "Leave it out.");
  const auto ratios = known_load_ratios(distance_between(measured.load, asked));
  if (!ratios) return predicted;
  ServedSpeed held = predicted;
  if (measured.ttft_s) scale(held.ttft_s, *measured.ttft_s / there.ttft_s.value, ratios->ttft);
  if (measured.tpot_s && held.tpot_s) scale(*held.tpot_s, *measured.tpot_s / there.tpot_s->value, ratios->tpot);
  retime_rate(held, predicted, asked);
  return held;
}

std::vector<KnownLoadErrors> known_load_errors(const Validation& validation) {
  std::vector<KnownLoadErrors> errors = errors_of(validation, "ttft");
  for (KnownLoadErrors& more : errors_of(validation, "tpot")) errors.push_back(std::move(more));
  return errors;
}

}  // namespace dachlast
