#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/engine/cuda/cuda_step.h"
#include "core/engine/cuda/cuda_weights.h"
#include "core/engine/cuda/step_clock.h"
#include "core/engine/cuda/step_graphs.h"
#include "core/engine/op_dispatch.h"
#include "kernels/elementwise.h"

namespace dachlast {

/// Calls the CUDA kernels: one method per kind of operation, as `OpRunner` does. Work is queued and waited for once a step.
/// A decode step that comes again with the same lengths to cut is captured, and from then on launched as one graph.
class CudaRunner final : public StepRunner {
 public:
  CudaRunner(CudaContext& context, const StepBounds& bounds, std::shared_ptr<const CudaWeights> weights,
             const RopeTables& rope_tables, KvStep& cache);

  /// Waits for a step that an error cut short: what it queued still reads this memory.
  ~CudaRunner() override;
  CudaRunner(const CudaRunner&) = delete;
  CudaRunner& operator=(const CudaRunner&) = delete;

  void begin(const Step& step, std::span<const SequenceLengths> lengths, PromptPass pass) override;
  void run(const Op& op) override;
  void finish() override;

  DType arithmetic(const Op& op) const override;
  std::span<std::int32_t> token_ids() override { return token_ids_; }
  std::span<const float> logits() const override { return logits_.as<const float>(); }
  std::span<const std::int32_t> next_ids() const override { return next_ids_.as<const std::int32_t>(); }
  RunnerMemory memory() const override;

  std::optional<DeviceTime> step_time() const override { return clock_.step_time(); }
  std::span<const DeviceTime> op_times() const override { return clock_.op_times(); }
  void time_operations(OpTimes times) override { clock_.time_operations(times); }

 private:
  friend struct OpDispatch;

  void upload_rope_tables(const RopeTables& tables);
  void embed(const Op& op, const EmbedShape& shape);
  void norm(const Op& op, const NormShape& shape);
  void linear(const Op& op, const LinearShape& shape);
  void qk_norm(const Op& op, const NormShape& shape);
  void rope(const Op& op, const RopeShape& shape);
  void kv_write(const Op& op, const KvWriteShape& shape);
  void attention(const Op& op, const AttentionShape& shape);
  /// Fills in what all calls of a step share, and launches.
  void attend(const Op& op, kernels::cuda::CudaAttentionCall call);
  void write_cache(const Op& op, std::span<const float> k, std::span<const float> v, int stride);
  void norm_latents(const Op& op, const MlaSpec& a);
  void rotate_latents(const Op& op, const MlaSpec& a);
  void write_latents(const Op& op, const MlaSpec& a);
  void latent_up(const Op& op);
  void attend_to_latents(const Op& op, const MlaSpec& a);
  std::span<float> new_latents(const MlaSpec& a) const;
  std::span<float> output_of(const Op& op) const;
  void activate(const Op& op, const ActivationShape& shape);
  void residual(const Op& op, const ResidualShape& shape);
  void lm_head(const Op& op, const LinearShape& shape);
  void sample(const Op& op, const SampleShape& shape);
  void download(const Step& step);

  const AttentionSpec& attention_of(const Op& op) const {
    return dachlast::attention_of(model_.layers[static_cast<std::size_t>(op.layer)]);
  }
  /// Of a layer with latent attention; nullptr elsewhere.
  const MlaSpec* latent_of(const Op& op) const {
    return op.layer < 0 ? nullptr : std::get_if<MlaSpec>(&model_.layers[static_cast<std::size_t>(op.layer)].mixer);
  }
  QkvColumns columns_of(const Op& op) const;
  /// Row of the fused projection that the step's part of it begins with.
  int first_row_of(const Op& op) const;
  WeightMatrix projection_of(const Op& op, const LinearShape& shape) const;
  std::span<const float> bias_of(const Op& op, const LinearShape& shape) const;
  kernels::NormRule norm_rule() const;
  std::span<const float> rows_of(const Op& op, int width);
  GraphKey graph_key(std::span<const SequenceLengths> lengths) const;
  kernels::cuda::Stream stream() const { return context_.steps.stream(); }

  CudaContext& context_;
  const ModelSpec& model_;
  const EngineOptions& options_;
  std::shared_ptr<const CudaWeights> weights_;
  KvStep& cache_;
  CudaStepMemory memory_;
  kernels::cuda::DeviceBlock rope_block_;
  std::vector<RopeTables::Table> rope_of_layer_;
  std::vector<std::int32_t> token_ids_;
  kernels::cuda::PinnedMemory logits_;
  kernels::cuda::PinnedMemory next_ids_;
  StepClock clock_;
  StepGraphs graphs_;
  int first_cached_layer_ = 0;

  // The step in progress.
  Step step_;
  PromptPass pass_ = PromptPass::kWhole;
  kernels::cuda::RingRule ring_;
  StepParameters* parameters_ = nullptr;
};

}  // namespace dachlast
