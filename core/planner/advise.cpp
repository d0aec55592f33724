#include "core/planner/advise.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/memory/amount_text.h"

namespace dachlast {
namespace {

double sum_of(const std::vector<TimedPart>& parts) {
  double seconds = 0.0;
  for (const TimedPart& part : parts) seconds += part.seconds;
  return seconds;
}

double sum_of(const std::vector<TimedPart>& parts, Resource resource) {
  double seconds = 0.0;
  for (const TimedPart& part : parts)
    if (part.resource == resource) seconds += part.seconds;
  return seconds;
}

std::string percent(double share) {
  const double value = 100.0 * share;
  return value < 9.95 ? fmt::format("{:.1f} %", value) : fmt::format("{:.0f} %", value);
}

/// Settings before devices before other requests before another model: what changes the answers least comes first.
int change_made(LeverKind kind) {
  switch (kind) {
    case LeverKind::kSetting: return 0;
    case LeverKind::kDevices: return 1;
    case LeverKind::kWorkload: return 2;
    case LeverKind::kModel: return 3;
  }
  return 4;
}

/// Of two that make it fit the smaller change, then the faster one.
bool fits_better(const Advice& a, const Advice& b) {
  if (a.kind != b.kind) return change_made(a.kind) < change_made(b.kind);
  return a.tpot_s.value_or(HUGE_VAL) < b.tpot_s.value_or(HUGE_VAL);
}

/// Within a state the larger gain first; without gains, the more memory freed.
bool comes_first(const Advice& a, const Advice& b) {
  if (a.state != b.state) return a.state < b.state;
  if (a.state == AdviceState::kMakesFit) return fits_better(a, b);
  if (a.gain && b.gain && a.gain->value != b.gain->value) return a.gain->value > b.gain->value;
  return a.memory_bytes.value_or(0.0) < b.memory_bytes.value_or(0.0);
}

/// "decode is weight-bound at batch 1: the KV cache takes 1.3 % of the time".
void explain_waste(Advice& advice, const AdviceReport& report) {
  const bool idle = advice.state == AdviceState::kWasted || advice.state == AdviceState::kLoss;
  if (!idle || !advice.reason.empty() || !report.bottleneck) return;
  const Bottleneck& bound = *report.bottleneck;
  advice.reason = fmt::format("{} is {} at batch {}", name_of(bound.phase), bound_word(bound.resource),
                              report.configuration.batch_size);
  if (advice.touches != bound.resource)
    advice.reason += fmt::format(": {} {} of the time",
                                 advice.touches == Resource::kCache      ? "the KV cache takes"
                                 : advice.touches == Resource::kWeights  ? "reading weights takes"
                                 : advice.touches == Resource::kProducts ? "products of long prompts take"
                                                                         : "what it changes takes",
                                 percent(share_of(*report.time, advice.touches)));
}

}  // namespace

std::string_view bound_word(Resource resource) {
  switch (resource) {
    case Resource::kWeights: return "weight-bound";
    case Resource::kProducts: return "compute-bound";
    case Resource::kCache: return "bound by the KV cache";
    case Resource::kAttention: return "bound by attention";
    case Resource::kElementwise: return "bound by small operations";
    case Resource::kMessages: return "bound by messages";
    case Resource::kHost: return "bound by the host";
  }
  return "";
}

std::optional<Bottleneck> bottleneck_of(const WorkloadTime& time) {
  if (!(time.batch_s > 0.0)) return std::nullopt;
  const bool decodes = time.decode_s() >= time.prefill_s();
  const std::vector<TimedPart>& parts = decodes ? time.decode : time.prefill;
  const double seconds = decodes ? time.decode_s() : time.prefill_s();
  Bottleneck bound{.phase = decodes ? Phase::kDecode : Phase::kPrefill, .phase_share = seconds / time.batch_s};
  for (int i = 0; i < kResourceCount; ++i) {
    const auto resource = static_cast<Resource>(i);
    const double share = sum_of(parts, resource) / std::max(seconds, sum_of(parts));
    if (share <= bound.share) continue;
    bound.resource = resource;
    bound.share = share;
  }
  return bound;
}

double share_of(const WorkloadTime& time, Resource resource) {
  return (sum_of(time.prefill, resource) + sum_of(time.decode, resource)) / time.batch_s;
}

AdviceReport advise(const Replanner& replanner, const Configuration& configuration) {
  const LeverBench bench(replanner, configuration);
  AdviceReport report;
  report.configuration = configuration;
  report.model_name = bench.scenario().model.name;
  report.device_name = bench.scenario().device.name;
  report.engine_name = bench.scenario().engine.name;
  report.needed_bytes = bench.plan().needed_bytes;
  report.budget_bytes = bench.plan().budget_bytes;
  report.fits = bench.plan().fits();
  report.time = bench.time();
  report.no_time = bench.plan().no_time;
  if (report.time) report.bottleneck = bottleneck_of(*report.time);
  for (const auto levers :
       {weight_levers(), cache_levers(), model_levers(), engine_levers(), hardware_levers(), workload_levers()})
    for (const Lever& lever : levers) {
      report.advice.push_back(lever.ask(lever, bench));
      explain_waste(report.advice.back(), report);
    }
  std::ranges::stable_sort(report.advice, comes_first);
  return report;
}

}  // namespace dachlast
