// Multi-head latent attention on a device: always in the absorbed form, since K and V rebuilt from latents would need
// their own room beside a cache that exists to save it.
#include <variant>

#include "core/engine/cuda/cuda_runner.h"
#include "core/engine/latent_heads.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/kv_store.h"
#include "kernels/cuda/latent.h"
#include "kernels/cuda/step_ops.h"

namespace dachlast {

void CudaRunner::write_latents(const Op& op, const MlaSpec& a) {
  const std::span<const float> rows = new_latents(a);
  write_cache(op, rows, {}, a.latent_width());
}

/// Rows of the cache as the step's tokens are about to write them, behind the latents of all queries.
std::span<float> CudaRunner::new_latents(const MlaSpec& a) const {
  return memory_.floats(Buffer::kLatent)
      .subspan(static_cast<std::size_t>(parameters_->n_rows()) * static_cast<std::size_t>(a.q_lora_rank));
}

std::span<float> CudaRunner::output_of(const Op& op) const {
  if (op.kind == OpKind::kLatentDown && op.weight == WeightRole::kKvDown) return new_latents(*latent_of(op));
  return memory_.floats(op.out);
}

void CudaRunner::norm_latents(const Op& op, const MlaSpec& a) {
  const auto norm = [&](std::span<float> rows, int width, int stride, WeightRole role) {
    const NormShape shape{parameters_->n_rows(), width, NormKind::kRms};
    kernels::cuda::norm(shape, kLatentNorm, rows, stride, weights_->norm(role, op.layer), {}, rows, stride, stream());
  };
  if (a.q_lora_rank > 0) norm(memory_.floats(Buffer::kLatent), a.q_lora_rank, a.q_lora_rank, WeightRole::kQDown);
  norm(new_latents(a), a.kv_lora_rank, a.latent_width(), WeightRole::kKvDown);
}

void CudaRunner::rotate_latents(const Op& op, const MlaSpec& a) {
  const RopeTables::Table& table = rope_of_layer_[static_cast<std::size_t>(op.layer)];
  const auto rotate = [&](std::span<float> rows, int stride, int n_heads, int head_dim) {
    const RopeShape shape{parameters_->n_rows(), n_heads, head_dim, a.qk_rope_head_dim, a.rope.pairs};
    kernels::cuda::rope_at(shape, rows, stride, table.cos, table.sin, parameters_->on_device().positions, stream());
  };
  rotate(memory_.floats(Buffer::kQkv).subspan(static_cast<std::size_t>(a.qk_nope_head_dim)),
         a.n_heads * a.qk_head_dim(), a.n_heads, a.qk_head_dim());
  rotate(new_latents(a).subspan(static_cast<std::size_t>(a.kv_lora_rank)), a.latent_width(), 1, a.qk_rope_head_dim);
}

/// Queries from their latents; else the keys' part of the up projection before attention, the values' part behind it.
void CudaRunner::latent_up(const Op& op) {
  const auto* shape = std::get_if<HeadLinearShape>(&op.shape);
  if (shape == nullptr) return linear(op, std::get<LinearShape>(op.shape));
  const kernels::LatentHeads heads = latent_heads_of(*latent_of(op));
  const kernels::WeightSpan w = plain_rows(weights_->matrix(op.weight, op.layer));
  const bool absorbs = shape->n_copied > 0;
  (absorbs ? kernels::cuda::absorb_queries : kernels::cuda::raise_values)(heads, shape->n_tokens, memory_.floats(op.in),
                                                                          w, memory_.floats(op.out), stream());
}

void CudaRunner::attend_to_latents(const Op& op, const MlaSpec& a) {
  attend(op, {.n_heads = a.n_heads,
              .rule = {static_cast<float>(a.scale), 0.0f},
              .mask = {.window = a.window, .n_sinks = a.n_sink_tokens},
              .q = memory_.floats(op.in),
              .q_stride = a.n_heads * a.latent_width(),
              .pool = cache_.view(op.layer).pool,
              .sequences = {},
              .blocks = {},
              .longest_q_len = 0,
              .longest_kv_len = 0,
              .out = memory_.floats(op.out).first(static_cast<std::size_t>(parameters_->n_rows()) *
                                                  static_cast<std::size_t>(a.n_heads * a.kv_lora_rank)),
              .tails = cache_.tails(op.layer)});
}

}  // namespace dachlast
