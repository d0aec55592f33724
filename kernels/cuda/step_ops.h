#pragma once

#include <cstdint>
#include <span>

#include "core/base/packed_matrix.h"
#include "kernels/cuda/stream.h"
#include "kernels/elementwise.h"

// What a step needs between its operations, and operations whose rows lie otherwise on a device than on the host: there one
// launch serves all sequences. Spans point to device memory; an empty operation queues nothing.
// Errors   `Error` of kind kDevice where the launch is refused.
namespace dachlast::kernels::cuda {

/// out[i] = in[rows[i]].
/// Shapes   rows [n]; in, out rows of `width` floats without gaps.
void gather_rows(std::span<const std::int32_t> rows, int width, std::span<const float> in, std::span<float> out,
                 Stream stream);

/// y[i, j] += bias[j] for y [n_rows, bias.size()].
void add_bias(int n_rows, std::span<const float> bias, std::span<float> y, Stream stream);

/// As kernels::softcap.
void softcap(std::span<float> logits, float cap, Stream stream);

/// Rounds to nearest even.
void round_to_bf16(std::span<const float> in, std::span<BF16> out, Stream stream);

/// Writes rows 32 · first_panel … of w as bf16 into out [n, w.columns], as many as `out` holds.
/// Numbers  scale · integer rounded to bf16 once; bf16 panels keep their bits.
void unpack_panels(const PackedMatrix& w, int first_panel, std::span<BF16> out, Stream stream);

/// Norm of each head in place.
/// Shapes   n_tokens rows `stride` floats apart, `n_heads` heads of shape.dim next to each other at their start; shape.n_rows =
///          n_tokens · n_heads.
void norm_heads(const NormShape& shape, const NormRule& rule, std::span<float> heads, int n_heads, int stride,
                std::span<const float> w, Stream stream);

/// As `rope`, but row positions[t] of the tables is token t's.
/// Shapes   positions [n_tokens]; cos, sin [positions, rotary_dim / 2].
void rope_at(const RopeShape& shape, std::span<float> qkv, int stride, std::span<const float> cos,
             std::span<const float> sin, std::span<const std::int32_t> positions, Stream stream);

}  // namespace dachlast::kernels::cuda
