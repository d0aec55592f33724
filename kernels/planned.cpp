#include "kernels/planned.h"

#include <algorithm>
#include <cmath>

#include "core/base/packed_matrix.h"
#include "kernels/kv_view.h"

namespace dachlast::kernels {
namespace {

constexpr double kFloatBytes = 4;  // activations are float

/// Bytes of `elements` next to each other in a cache, scales included.
double stored_bytes(KvFormat format, int elements) {
  return static_cast<double>(row_bytes(format, elements) + sizeof(ScaleWord) * row_scales(format, elements));
}

/// Pairs of queries at positions first … first + count − 1 that each see the tokens up to their own, at most `most`.
double causal_pairs(double first, double count, double most) {
  const double growing = std::clamp(most - first, 0.0, count);
  return growing * first + growing * (growing + 1.0) / 2.0 + (count - growing) * most;
}

/// Most tokens one query may see.
double reach(const WideAttentionShape& s) {
  double most = s.kv_len;
  if (s.window > 0) most = std::min<double>(most, s.window);
  if (s.chunk > 0) most = std::min<double>(most, s.chunk);
  if (s.top_k > 0) most = std::min<double>(most, s.top_k);
  return most;
}

/// Pairs inside chunks: whole ones, and what the step has of its first and last.
double chunked_pairs(const WideAttentionShape& s) {
  const double most = reach(s);
  double pairs = 0.0;
  double position = s.kv_len - s.q_len;
  const double first_rest = std::min<double>(s.q_len, s.chunk - std::fmod(position, s.chunk));
  pairs += causal_pairs(std::fmod(position, s.chunk), first_rest, most);
  position += first_rest;
  const double whole = std::floor((s.kv_len - position) / s.chunk);
  pairs += whole * causal_pairs(0.0, s.chunk, most);
  return pairs + causal_pairs(0.0, s.kv_len - position - whole * s.chunk, most);
}

/// Cached rows that at least one query of the step reads.
double visible_rows(const WideAttentionShape& s) {
  const double past = s.kv_len - s.q_len;
  if (s.top_k > 0) return std::min<double>(s.kv_len, 1.0 * s.top_k * s.q_len);
  if (s.window > 0) return std::min<double>(s.kv_len, s.window + s.q_len - 1.0);
  if (s.chunk > 0) return s.kv_len - (past - std::fmod(past, s.chunk));
  return s.kv_len;
}

}  // namespace

OpCost cache_write_cost(const CacheWriteShape& s) {
  const double elements = 1.0 * s.n_tokens * s.elements;
  return {.activation_bytes = Bytes{elements * kFloatBytes},
          .kv_write_bytes = Bytes{s.n_tokens * stored_bytes(s.kv.format, s.elements)}};
}

double visible_pairs(const WideAttentionShape& s) {
  if (s.chunk > 0) return chunked_pairs(s);
  return causal_pairs(s.kv_len - s.q_len, s.q_len, reach(s));
}

namespace {

OpCost one_length_cost(const WideAttentionShape& s) {
  const double batch_size = s.batch_size;
  const double width = 1.0 * s.score_dim + s.value_dim;
  return {.flops = Flops{2.0 * batch_size * s.n_heads * width * visible_pairs(s)},
          .activation_bytes = Bytes{batch_size * s.q_len * s.n_heads * width * kFloatBytes},
          .kv_read_bytes = Bytes{batch_size * visible_rows(s) * stored_bytes(s.kv.format, s.row_elements)}};
}

}  // namespace

OpCost wide_attention_cost(const WideAttentionShape& s) {
  if (s.sequences.empty()) return one_length_cost(s);
  OpCost sum;
  for (const SequenceLengths& lengths : s.sequences) {
    WideAttentionShape one = s;
    one.batch_size = 1;
    one.q_len = lengths.q_len;
    one.kv_len = lengths.kv_len;
    sum += one_length_cost(one);
  }
  return sum;
}

OpCost conv_cost(const ConvShape& s) {
  const double elements = 1.0 * s.batch_size * s.q_len * s.channels;
  const double state = 1.0 * s.batch_size * (s.kernel - 1) * s.channels * kFloatBytes;
  return {.flops = Flops{2.0 * s.kernel * elements},
          .weight_bytes = Bytes{1.0 * s.channels * s.kernel * kFloatBytes},
          .activation_bytes = Bytes{2.0 * elements * kFloatBytes},
          .kv_read_bytes = Bytes{state},
          .kv_write_bytes = Bytes{state}};
}

OpCost scan_cost(const ScanShape& s) {
  const double flops_per_element = s.rule == ScanRule::kDeltaRule ? 7.0 : 5.0;
  const double n_tokens = 1.0 * s.batch_size * s.q_len;
  const double state = 1.0 * s.n_heads * s.rows * s.columns;
  const double state_bytes = s.batch_size * state * size_of(s.state_dtype);
  return {.flops = Flops{flops_per_element * n_tokens * state},
          .activation_bytes = Bytes{2.0 * n_tokens * s.n_heads * (1.0 * s.rows + s.columns) * kFloatBytes},
          .kv_read_bytes = Bytes{state_bytes},
          .kv_write_bytes = Bytes{state_bytes}};
}

double distinct_experts(const ExpertsShape& s) {
  const double missed = std::pow(1.0 - 1.0 * s.n_active / s.n_experts, s.n_tokens);
  return s.n_experts * (1.0 - missed);
}

OpCost experts_cost(const ExpertsShape& s) {
  const double rows = 1.0 * s.n_tokens * s.n_active;
  return {.flops = Flops{2.0 * rows * s.n * s.k},
          .weight_bytes = Bytes{distinct_experts(s) * matrix_bytes(s.weight_dtype, s.n, s.k)},
          .activation_bytes = Bytes{rows * (1.0 * s.n + s.k) * kFloatBytes}};
}

OpCost combine_cost(const CombineShape& s) {
  const double elements = 1.0 * s.n_tokens * s.d_model;
  return {.flops = Flops{2.0 * elements * s.n_active},
          .activation_bytes = Bytes{elements * (s.n_active + 1.0) * kFloatBytes}};
}

}  // namespace dachlast::kernels
