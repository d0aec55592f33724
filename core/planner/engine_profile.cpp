#include "core/planner/engine_profile.h"

#include <algorithm>
#include <cmath>

namespace dachlast {
namespace {

constexpr double kMiBPerGiB = 1024.0;

bool applies(const BatchDefaults& row, const DeviceSpec& device, int tp) {
  const auto capacity = device.main_memory().capacity;
  const bool small_enough = !row.below_gib || (capacity && capacity->value < *row.below_gib * kGiB);
  return small_enough && tp >= row.min_tp && device.id.find(row.name_has) != std::string::npos;
}

double reserve_mib(const ReserveRule& rule, const FractionRequest& request) {
  const double graphs = request.attention == AttentionCache::kLatent
                            ? rule.mla_prefill_graphs_mib
                            : rule.per_prefill_graph_mib * request.prefill_graphs;
  const double reserve = rule.base_mib + rule.per_token_mib * std::max(request.batched_tokens, rule.least_tokens) +
                         rule.per_gpu_mib * request.tp * request.pp + rule.per_graph_batch_mib * request.graph_batch +
                         graphs;
  return request.capacity_gib > rule.floor_above_gib ? std::max(reserve, rule.floor_mib) : reserve;
}

}  // namespace

EngineProfile profile_for(EngineProfile engine, std::string_view architecture) {
  if (!engine.window_families) return engine;
  const std::vector<std::string>& families = engine.window_families->value;
  if (std::ranges::find(families, architecture) != families.end()) return engine;
  engine.window_policy.value = WindowPolicy::kFullLength;
  engine.window_pool_ratio.reset();
  return engine;
}

std::optional<BatchDefaults> batch_defaults_for(const EngineProfile& engine, const DeviceSpec& device, int tp) {
  if (!engine.batch_defaults) return std::nullopt;
  for (const BatchDefaults& row : engine.batch_defaults->value)
    if (applies(row, device, tp)) return row;
  return std::nullopt;
}

std::optional<Bytes> non_torch_memory(const EngineProfile& engine, std::string_view architecture, int tp) {
  if (!engine.non_torch) return std::nullopt;
  const NonTorchMemory* general = nullptr;
  const NonTorchMemory* named = nullptr;
  for (const NonTorchMemory& row : engine.non_torch->value) {
    if (row.tp > tp || architecture.find(row.architecture_has) == std::string_view::npos) continue;
    (row.architecture_has.empty() ? general : named) = &row;
  }
  const NonTorchMemory* row = named != nullptr ? named : general;
  return row != nullptr ? std::optional(row->bytes) : std::nullopt;
}

std::optional<Bytes> gemm_workspace(const EngineProfile& engine, const DeviceSpec& device) {
  if (!engine.gemm_workspace) return std::nullopt;
  for (const GemmWorkspace& row : engine.gemm_workspace->value)
    if (device.architecture.find(row.architecture_has) != std::string::npos) return row.bytes;
  return std::nullopt;
}

std::optional<double> default_memory_fraction(const EngineProfile& engine, const FractionRequest& request) {
  if (engine.memory_fraction) return engine.memory_fraction->value;
  if (!engine.reserve) return std::nullopt;
  const double share = reserve_mib(engine.reserve->value, request) / (request.capacity_gib * kMiBPerGiB);
  return std::max(0.0, std::round((1.0 - share) * 1000.0) / 1000.0);
}

}  // namespace dachlast
