#pragma once

#include <cstdint>
#include <span>

#include "core/base/op.h"
#include "core/base/op_cost.h"
#include "kernels/linear.h"
#include "kernels/variant.h"

// The cheap operations of a step: each reads its input once and does a few FLOP per element. One file, because each is
// a few lines and they share their variants' dispatch; slices cut rows (tokens).
namespace dachlast::kernels {

struct EmbedTables {
  WeightSpan tokens;     // [vocab_size, d_model]
  WeightSpan positions;  // [n_positions, d_model], or empty
  float scale;           // multiplies the token row
};

/// out[t] = scale · tokens[ids[t]] (+ positions[position_rows[t]]).
/// Shapes   ids, position_rows [n_tokens] (position_rows empty without learned positions); out [n_tokens, d_model].
using Embed = void(const EmbedShape&, const EmbedTables&, std::span<const std::int32_t> ids,
                   std::span<const std::int32_t> position_rows, std::span<float> out, Slice tokens);

struct NormRule {
  float eps;
  float weight_offset;  // 1 where the stored w means (1 + w)
};

/// RMSNorm: out = x / sqrt(mean(x²) + eps) · (weight_offset + w); LayerNorm: out = (x − mean) / sqrt(var + eps) · w +
/// bias.
/// Shapes   x, out: `n_rows` rows of `dim` floats whose starts are `stride` floats apart (x and out may be the same
///          memory); w, bias [dim], bias empty for RMSNorm.
using Norm = void(const NormShape&, const NormRule&, std::span<const float> x, int x_stride, std::span<const float> w,
                  std::span<const float> bias, std::span<float> out, int out_stride, Slice rows);

/// Rotates the first `rotary_dim` elements of each head in place, pairs (i, i + rotary_dim/2) or (2i, 2i + 1).
/// Shapes   qkv: n_tokens rows `stride` floats apart, heads next to each other; cos, sin [n_tokens, rotary_dim/2].
using Rope = void(const RopeShape&, std::span<float> qkv, int stride, std::span<const float> cos,
                  std::span<const float> sin, Slice tokens);

/// out = act(gate) · up where gated (in = [gate | up], 2 · d_ff a row), else act(in).
using Activate = void(const ActivationShape&, Activation, std::span<const float> in, std::span<float> out,
                      Slice tokens);

/// residual += branch.
using Residual = void(const ResidualShape&, std::span<float> residual, std::span<const float> branch, Slice tokens);

/// logits = cap · tanh(logits / cap) in place.
void softcap(std::span<float> logits, float cap);

/// next_ids[r] = index of the largest logit of row r; the lowest index wins a tie, a NaN never wins; 0
/// where nothing is above minus infinity.
using Sample = void(const SampleShape&, std::span<const float> logits, std::span<std::int32_t> next_ids, Slice rows);

std::span<const Variant<Embed>> embed_variants();
std::span<const Variant<Norm>> norm_variants();
std::span<const Variant<Rope>> rope_variants();
std::span<const Variant<Activate>> activate_variants();
std::span<const Variant<Residual>> residual_variants();
std::span<const Variant<Sample>> sample_variants();

/// First supported variant, or the one named.
template <class Function>
const Variant<Function>& first_supported(std::span<const Variant<Function>> variants, std::string_view forced = {}) {
  for (const auto& variant : variants)
    if (forced.empty() ? variant.supported() : variant.name == forced) return variant;
  return variants.back();
}

// Costs. Activations are float; an exponential, a root, a division or a comparison counts as one FLOP.

/// One FLOP an element and table (scale; add). Reads only the rows the tokens name, each once a token, and the ids.
OpCost embed_cost(const EmbedShape& shape);

/// RMSNorm 4 FLOP an element (square, add; two products), LayerNorm 7 (two sums, square; subtract, two products, add).
/// Leaves out the few FLOP a row.
OpCost norm_cost(const NormShape& shape);

/// Six FLOP a pair: four products, two sums. Reads and writes the rotated elements, reads cos and sin.
OpCost rope_cost(const RopeShape& shape);

/// As `store_kv_cost`: no FLOP, rounding is not arithmetic.
OpCost kv_write_cost(const KvWriteShape& shape);

/// 4 FLOP an element (SiLU: negate, exponential, add, divide; the others alike), 1 more for the gate.
OpCost activation_cost(const ActivationShape& shape);

/// One addition an element; reads both, writes one.
OpCost residual_cost(const ResidualShape& shape);

/// One comparison an element.
OpCost sample_cost(const SampleShape& shape);

}  // namespace dachlast::kernels
