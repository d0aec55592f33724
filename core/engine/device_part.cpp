#include "core/engine/device_part.h"

namespace dachlast {
namespace {

/// Buffers of a step are the same everywhere; the names of variants are not.
EngineOptions on_any_cpu(EngineOptions options) {
  options.attention_variant.clear();
  return options;
}

}  // namespace

std::vector<Op> largest_ops(const ModelSpec& model, const EngineOptions& options, Phase phase) {
  const int q_len = phase == Phase::kPrefill ? largest_step_tokens(options) : 1;
  Step step{phase, options.batch_size, q_len, options.capacity_tokens, options.logits};
  step.latent = LatentForm::kAbsorbed;
  return build_op_list(model, step, options.precision);
}

DeviceBounds::DeviceBounds(const ModelSpec& model, const EngineOptions& options)
    : sizes(step_sizes(model, on_any_cpu(options))),
      prefill(largest_ops(model, options, Phase::kPrefill)),
      decode(largest_ops(model, options, Phase::kDecode)),
      bounds{model,
             options,
             sizes,
             prefill,
             decode,
             largest_step_tokens(options),
             RopeTables::bytes_for(model, options.capacity_tokens)} {}

DevicePart::DevicePart(const ModelSpec& model, const Weights& weights, const EngineOptions& options)
    : rope_tables(model, options.capacity_tokens),
      bounds(model, options),
      uploaded(options.device->upload(model, weights, bounds.decode)) {}

EngineMemory device_memory(const ModelSpec& model, const EngineOptions& options) {
  const DeviceBounds bounds(model, options);
  const RunnerMemory runner = options.device->plan(bounds.bounds);
  return {kv_device_bytes(model, cache_options(options)), runner.activation_bytes, runner.workspace_bytes};
}

}  // namespace dachlast
