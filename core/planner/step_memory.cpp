#include "core/planner/step_memory.h"

#include <algorithm>
#include <cstdint>

#include "core/planner/rank_model.h"

namespace dachlast {

LivePeak forward_peak(const ModelSpec& model, const BufferRules& rules, const Layout& layout, double n_tokens) {
  return live_peak(rank_model(model, layout), rules, n_tokens, layout.tensor_parallel);
}

double sampler_bytes(const ModelSpec& model, const EngineProfile& engine, const DeviceSpec& device,
                     const StepLimits& limits) {
  const SamplerRule& rule = engine.sampler->value;
  const BufferRules& buffers = engine.buffers->value;
  const double rows = std::min(limits.max_num_seqs, limits.max_num_batched_tokens);
  const double logits = rows * model.vocab_size * rule.logit_bytes;
  if (buffers.release == BufferRelease::kNever) return logits + rows * sizeof(std::int32_t);
  const double sm_rows = std::min<double>(device.n_units.value_or(0), rows);
  return logits + sm_rows * model.vocab_size * rule.buffer_bytes_per_sm +
         buffers.element_bytes * model.d_model * (limits.max_num_batched_tokens + 2 * rows);
}

double workspace_bytes(const ModelSpec& model, const EngineProfile& engine, const DeviceSpec& device,
                       const StepLimits& limits, const LivePeak& forward) {
  const double sampler = sampler_bytes(model, engine, device, limits);
  const bool beside = engine.buffers->value.release == BufferRelease::kNever;
  const auto gemm = gemm_workspace(engine, device);
  return (gemm ? gemm->value : 0.0) + (beside ? sampler : std::max(0.0, sampler + forward.kept_bytes - forward.bytes));
}

}  // namespace dachlast
