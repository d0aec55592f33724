#pragma once

#include <span>

#include "kernels/cuda/stream.h"
#include "kernels/latent.h"

// The up projection of latent attention on a device, applied head by head from the queries' side and to sums of latents.
// Spans point to device memory; w: floats or bfloat16 in rows. Made for the few tokens of decode: every eight tokens read the
// matrices once.
// Numbers  sums in float. Cost: `head_linear_cost`.
// Errors   `Error` of kind kDevice where the launch is refused.
namespace dachlast::kernels::cuda {

/// As `kernels::AbsorbQueries`, for all heads.
void absorb_queries(const LatentHeads& heads, int n_tokens, std::span<const float> q, WeightSpan w,
                    std::span<float> out, Stream stream);

/// As `kernels::RaiseValues`, for all heads.
void raise_values(const LatentHeads& heads, int n_tokens, std::span<const float> latents, WeightSpan w,
                  std::span<float> out, Stream stream);

}  // namespace dachlast::kernels::cuda
