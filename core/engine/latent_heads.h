#pragma once

#include <variant>

#include "core/model/layer_spec.h"
#include "core/model/weights.h"
#include "kernels/elementwise.h"
#include "kernels/latent.h"
#include "kernels/linear.h"

namespace dachlast {

/// Of the norms of latents, whatever the model's other norms take: what their class takes where none is given.
/// Source   huggingface/transformers:src/transformers/models/deepseek_v3/modeling_deepseek_v3.py (DeepseekV3RMSNorm)
inline constexpr kernels::NormRule kLatentNorm{.eps = 1e-6f, .weight_offset = 0.0f};

/// Sizes of the heads as the kernels of latent attention take them.
inline kernels::LatentHeads latent_heads_of(const MlaSpec& mla) {
  return {.n_heads = mla.n_heads,
          .key_dim = mla.qk_nope_head_dim,
          .rotary_dim = mla.qk_rope_head_dim,
          .value_dim = mla.v_head_dim,
          .latent_dim = mla.kv_lora_rank};
}

/// A matrix that lies in rows of floats or bfloat16, never in panels: the up projections of latents.
inline kernels::WeightSpan plain_rows(const WeightMatrix& matrix) {
  if (const auto* floats = std::get_if<std::span<const float>>(&matrix)) return *floats;
  return std::get<std::span<const BF16>>(matrix);
}

}  // namespace dachlast
