#include "core/workbench/gpu_run.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/engine/engine_device.h"
#include "core/memory/memory_model.h"
#include "core/roofline/predict.h"
#include "core/viewmodel/format.h"
#include "core/workbench/generate.h"
#include "core/workbench/planned_points.h"

namespace dachlast {
namespace {

constexpr std::string_view kCapability = "compute capability";

/// A GPU in the words of a computer: one processor, whose multiprocessors nobody is pinned to.
HostTopology topology_of(const EngineDeviceFacts& facts) {
  HostTopology topology;
  topology.cpu_name = facts.name;
  topology.n_packages = 1;
  topology.n_cores = topology.n_hardware_threads = 1;
  topology.memory_bytes = facts.memory_bytes;
  topology.available_memory_bytes = facts.free_bytes;
  topology.isa = {fmt::format("{} {}.{}", kCapability, facts.compute_capability / 10, facts.compute_capability % 10)};
  return topology;
}

/// The larger of work over the peak of bf16 products and traffic over bandwidth: a least time.
Seconds least_time(const RunPlan& plan, const PlannedPoint& point) {
  const OpCost cost = cost_of(build_op_list(plan.source.spec, step_of(point, plan.request.kv.layout), plan.precision));
  const FlopsPerSecond peak = plan.roofs.peak(DType::kBF16, 1).value();
  const BytesPerSecond bandwidth = plan.roofs.bandwidth(MemoryLevel::kDram, AccessPattern::kRead, 1).value();
  return std::max(cost.flops / peak, cost.bytes() / bandwidth);
}

std::vector<MemorySegment> segments_of(const RunPlan& plan, const PlannedPoint& point) {
  const EngineOptions options = engine_options(plan, point.context_tokens, point.batch_size);
  const EngineMemory memory = engine_memory(plan.source.spec, options);
  const auto line = [](const char* name, double bytes, const char* formula) {
    return MemorySegment{.name = name, .bytes = {bytes}, .origin = Origin::kExact, .formula = formula};
  };
  return {
      line("weights", weight_bytes(plan.source.spec, options.weight_storage()), "as the engine keeps them on the GPU"),
      line("KV cache", memory.kv_cache_bytes, "the pools of every layer, or of the layers in work"),
      line("activations", memory.activation_bytes, "a buffer for each kind of activation, used by every layer"),
      line("workspace", memory.workspace_bytes,
           "logits, what cuBLASLt and cut attention need, RoPE tables, lists of the step's sequences")};
}

}  // namespace

void refuse_on_gpu(const RunRequest& request) {
  const auto refuse = [](const char* option) {
    throw Error(ErrorKind::kUsage, option, "It is measured on the CPU only.", "Leave it or --gpu out.");
  };
  if (request.break_even) refuse("--kv-break-even");
  if (request.n_threads) refuse("--threads");
}

void plan_on_gpu(RunPlan& plan, const std::vector<int>& contexts, const std::vector<int>& batches) {
  EngineDevice& device = *plan.request.device;
  plan.host = topology_of(device.facts());
  plan.roofs = device.measure_roofs(plan.request.gpu_probes);
  plan.assumptions.push_back(
      {"gpu_roofs", "Roofs of the GPU measured for this run, with the kernels and libraries that it uses."});
  plan.warnings.push_back({"cuda_untried",
                           "No release of this CUDA engine has run on a GPU before: hold its figures against "
                           "another tool's."});
  plan.contexts = contexts;
  plan.points = planned_points(plan.request, contexts, batches);
  for (PlannedPoint& point : plan.points) {
    point.expected = least_time(plan, point);
    keep_larger(plan, segments_of(plan, point));
  }
  if (plan.request.serving)
    keep_larger(plan, segments_of(plan, {.phase = Phase::kDecode,
                                         .context_tokens = longest_text(*plan.request.serving),
                                         .depth_tokens = 0,
                                         .batch_size = plan.request.serving->at_once,
                                         .expected = {}}));
  plan.available_bytes = plan.host.available_memory_bytes;
}

MemoryReading memory_on_gpu(const RunPlan& plan, const PlannedPoint& point) {
  const DeviceUse use = plan.request.device->use();
  return {.modelled_bytes = total_bytes(segments_of(plan, point)).value,
          .program_bytes = 0.0,
          .resident_bytes = use.weight_bytes + use.kv_cache_bytes + use.activation_bytes + use.workspace_bytes};
}

bool measured_on_gpu(const Run& run) {
  return std::ranges::any_of(run.host.isa, [](const std::string& isa) { return isa.starts_with(kCapability); });
}

}  // namespace dachlast
