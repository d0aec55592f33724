#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/planner/lever.h"

namespace dachlast {
namespace {

/// Devices of the largest servers sold as one.
constexpr int kMostDevices = 64;

/// Twice the ranks; where the base does not fit, as often twice as it takes to fit.
Configuration with_more(const LeverBench& bench, int Layout::*ranks, const Lever& lever) {
  Configuration configuration = bench.base();
  configuration.layout.*ranks *= 2;
  while (!bench.plan().fits() && bench.changed(lever, configuration).state == AdviceState::kDoesNotFit &&
         2 * configuration.layout.n_devices() <= kMostDevices)
    configuration.layout.*ranks *= 2;
  return configuration;
}

Advice more_devices(const Lever& lever, const LeverBench& bench, int Layout::*ranks, std::string_view word,
                    std::string_view option) {
  if (bench.engine_id() == "dachlast")
    return bench.stated(lever, AdviceState::kDoesNotApply, "the own engine runs on one device");
  const Configuration configuration = with_more(bench, ranks, lever);
  Advice advice = bench.changed(lever, configuration);
  advice.title = fmt::format("{} {}", word, configuration.layout.*ranks);
  advice.engine_option = fmt::format("{} {}", option, configuration.layout.*ranks);
  if (!advice.gain) return advice;
  const double change_pct = 100.0 * ((1.0 + advice.gain->value) / 2.0 - 1.0);
  advice.condition = fmt::format("on twice the devices: {}{:.0f} % of requests a device", change_pct < 0.0 ? "−" : "+",
                                 std::abs(change_pct));
  return advice;
}

std::string_view parallel_option(const LeverBench& bench, std::string_view vllm, std::string_view other) {
  return bench.engine_id() == "vllm" ? vllm : other;
}

Advice tensor_parallel(const Lever& lever, const LeverBench& bench) {
  return more_devices(lever, bench, &Layout::tensor_parallel, "TP",
                      parallel_option(bench, "--tensor-parallel-size", "--tp"));
}

Advice pipeline_parallel(const Lever& lever, const LeverBench& bench) {
  return more_devices(lever, bench, &Layout::pipeline_parallel, "PP",
                      parallel_option(bench, "--pipeline-parallel-size", "--pp"));
}

/// Of all devices known the one this workload gains most on.
Advice faster_device(const Lever& lever, const LeverBench& bench) {
  std::optional<Advice> best;
  for (const std::string& id : bench.replanner().devices()) {
    if (id == bench.scenario().device.id) continue;
    Configuration configuration = bench.base();
    configuration.device = id;
    Advice advice = bench.changed(lever, configuration);
    const bool better = !best || (advice.gain && (!best->gain || advice.gain->value > best->gain->value)) ||
                        (advice.state == AdviceState::kMakesFit && best->state != AdviceState::kMakesFit);
    if (better && (advice.gain || advice.state == AdviceState::kMakesFit)) best = std::move(advice);
  }
  if (!best || (best->gain && best->gain->value < kWorthwhile))
    return bench.stated(lever, AdviceState::kDoesNotApply, "no device known is faster for this workload");
  best->title = fmt::format("{} instead of {}", best->configuration.device, bench.scenario().device.id);
  return *best;
}

constexpr Lever kHardwareLevers[] = {
    {"tensor-parallel", "Tensor parallelism", LeverKind::kDevices, Resource::kWeights,
     "Every layer waits for two messages; twice the devices are paid for.", "Shoeybi et al. 2019, arXiv:1909.08053",
     tensor_parallel},
    {"pipeline-parallel", "Pipeline parallelism", LeverKind::kDevices, Resource::kWeights,
     "A request still passes all layers: it brings room and throughput of several batches, not latency.",
     "Huang et al. 2018, arXiv:1811.06965", pipeline_parallel},
    {"faster-device", "A faster device", LeverKind::kDevices, Resource::kWeights,
     "Price and availability are not looked at here.", "", faster_device},
};

}  // namespace

std::span<const Lever> hardware_levers() {
  return kHardwareLevers;
}

}  // namespace dachlast
