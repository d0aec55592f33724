#include "core/planner/advise_time.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace dachlast {
namespace {

bool is_message(OpLaw law) {
  return law == OpLaw::kAllReduce || law == OpLaw::kAllGather || law == OpLaw::kReduceScatter ||
         law == OpLaw::kAllToAll;
}

/// The part beside the kernels carries what published end-to-end figures differ by, where that is known; else half of
/// itself.
double host_error_of(const SpeedFacts& facts) {
  for (const RatioInterval& ratio : {facts.tpot, facts.rate})
    if (ratio.low > 0.0 && ratio.high > 0.0) return std::log(ratio.high / ratio.low) / 2.0;
  return 0.5;
}

/// What a curve errs by on shapes it was not fitted to, further on other devices than its own; as `speed_interval`
/// widens.
/// A curve that was held against no shape of its own takes the engine's.
double log_error_of(const ChosenCurve& chosen, const SpeedFacts& facts) {
  constexpr double kLeast = 0.02;  // what repeats of one measurement differ by
  constexpr double kWiderByOrigin[] = {1.0, 1.2, 1.5};
  if (!(chosen.curve->held_out_p90 > 0.0)) return host_error_of(facts);
  return kWiderByOrigin[static_cast<int>(chosen.origin)] * std::log1p(std::max(kLeast, chosen.curve->held_out_p90));
}

std::string law_name(const ChosenCurve& chosen) {
  const EfficiencyCurve& curve = *chosen.curve;
  return fmt::format("{}/{}/{}/{}", name_of(curve.law), curve.type, curve.kernels, curve.device);
}

void add_scaled(std::vector<TimedPart>& sum, const std::vector<TimedPart>& parts, double factor) {
  for (const TimedPart& part : parts) {
    const auto same =
        std::ranges::find_if(sum, [&](const TimedPart& p) { return p.law == part.law && p.resource == part.resource; });
    if (same != sum.end()) {
      same->seconds += factor * part.seconds;
      continue;
    }
    sum.push_back(part);
    sum.back().seconds *= factor;
  }
}

/// Share of the whole time under each law, with the law's error.
struct LawShare {
  double before = 0.0;
  double after = 0.0;
  double log_error = 0.0;
};

void add_shares(std::map<std::string, LawShare>& shares, const WorkloadTime& time, double LawShare::*side) {
  for (const auto* parts : {&time.prefill, &time.decode})
    for (const TimedPart& part : *parts) {
      LawShare& share = shares[part.law];
      share.*side += part.seconds / time.batch_s;
      share.log_error = std::max(share.log_error, part.log_error);
    }
}

}  // namespace

CurveTimer::CurveTimer(const TimeScenario& scenario, const EfficiencyCatalog& curves)
    : timer_(scenario, curves),
      bandwidth_(device_rates(scenario.device).bandwidth),
      weight_bytes_(scenario.weight_bytes.value_or(
          (scenario.weights.is_quantized() ? scenario.weights.quantized : scenario.weights.rest).bits / 8.0)) {}

/// Products are where a pass has more rows than peak · bytes / (2 · bandwidth), the ridge of a matrix product.
Resource CurveTimer::resource_of(const CurveSeconds& part, const StepLoad& load) const {
  const OpLaw law = part.curve.curve->law;
  if (is_message(law)) return Resource::kMessages;
  const bool decodes = load.decode_sequences > 0.0;
  switch (law) {
    case OpLaw::kStream: return Resource::kElementwise;
    case OpLaw::kDecode:
    case OpLaw::kLatentDecode:
    case OpLaw::kPrefill:
    case OpLaw::kLatentPrefill: return decodes ? Resource::kCache : Resource::kAttention;
    default: break;
  }
  const double rows = part.kind == OpKind::kLmHead ? load.decode_sequences + load.finished_prompts
                                                   : load.decode_sequences + load.prefill_tokens;
  return rows > part.curve.peak * weight_bytes_ / (2.0 * bandwidth_) ? Resource::kProducts : Resource::kWeights;
}

std::vector<TimedPart> CurveTimer::parts(const StepLoad& load) const {
  std::vector<TimedPart> parts;
  const SpeedFacts& facts = timer_.scenario().engine.speed;
  double kernels = 0.0;
  for (const CurveSeconds& part : timer_.by_curve(load)) {
    kernels += part.seconds;
    add_scaled(parts, {{resource_of(part, load), law_name(part.curve), part.seconds, log_error_of(part.curve, facts)}},
               1.0);
  }
  parts.push_back({Resource::kHost, "host of " + timer_.scenario().engine.id,
                   std::max(0.0, timer_.seconds(load) - kernels), host_error_of(facts)});
  return parts;
}

WorkloadTime workload_time(const PassTimer& timer, const Workload& load, double step_tokens) {
  constexpr double kMostInFlight = 4.0;  // as `serving_time` has it
  constexpr double kRequestError = 0.5;  // of what no kernel is timed for: by half
  const double batch = std::max(1.0, load.batch_size / timer.groups());
  const double fresh = std::max(1.0, load.prompt_tokens - load.known_tokens);
  const double passes = load.prompt_tokens > 0.0 ? std::max(1.0, std::ceil(batch * fresh / step_tokens)) : 0.0;
  WorkloadTime time;
  time.batch_size = load.batch_size;
  for (double pass = 1.0; pass <= passes; pass += 1.0) {
    const bool ends = batch >= passes || pass == passes;
    const double held = batch < passes ? load.known_tokens + fresh * pass / passes : load.prompt_tokens;
    const StepLoad step{.prefill_sequences = std::max(1.0, batch / passes),
                        .prefill_tokens = batch * fresh / passes,
                        .prefill_kv = held,
                        .finished_prompts = ends ? std::max(1.0, batch / passes) : 0.0};
    const double whole = timer.seconds(step);
    const double taken = pass == 1.0 ? whole : std::max(timer.stage_seconds(step), whole / kMostInFlight);
    time.ttft_s += taken;
    add_scaled(time.prefill, timer.parts(step), taken / whole);
  }
  if (passes > 0.0) {
    time.ttft_s += timer.request_seconds();
    add_scaled(time.prefill, {{Resource::kHost, "requests", timer.request_seconds(), kRequestError}}, 1.0);
  }
  const double steps = std::max(0.0, load.answer_tokens - 1.0);
  const StepLoad middle{.decode_sequences = batch, .decode_kv = load.prompt_tokens + load.answer_tokens / 2.0};
  if (steps > 0.0) {
    time.tpot_s = timer.seconds(middle);
    add_scaled(time.decode, timer.parts(middle), steps);
  }
  time.batch_s = time.ttft_s + steps * time.tpot_s;
  return time;
}

double verification_seconds(const PassTimer& timer, const StepLoad& decode, double n_drafted) {
  StepLoad rows = decode;
  rows.decode_sequences *= n_drafted + 1.0;
  double seconds = 0.0;
  for (const TimedPart& part : timer.parts(rows))
    if (part.resource != Resource::kCache) seconds += part.seconds;
  for (const TimedPart& part : timer.parts(decode))
    if (part.resource == Resource::kCache) seconds += part.seconds;
  return seconds;
}

Gain gain_between(const WorkloadTime& before, const WorkloadTime& after) {
  std::map<std::string, LawShare> shares;
  add_shares(shares, before, &LawShare::before);
  add_shares(shares, after, &LawShare::after);
  double variance = 0.0;
  for (const auto& [law, share] : shares) {
    const double remaining = (share.before - share.after) * share.log_error;
    variance += remaining * remaining;
  }
  const double ratio = after.requests_per_s() / before.requests_per_s();
  const double error = std::sqrt(variance);
  return {ratio - 1.0, ratio * std::exp(-error) - 1.0, ratio * std::exp(error) - 1.0};
}

Gain widened(Gain gain, const Gain& other) {
  gain.low = std::min(gain.low, other.low);
  gain.high = std::max(gain.high, other.high);
  return gain;
}

}  // namespace dachlast
