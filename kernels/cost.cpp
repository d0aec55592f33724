#include "kernels/cost.h"

#include "kernels/attention.h"
#include "kernels/elementwise.h"
#include "kernels/latent.h"
#include "kernels/linear.h"
#include "kernels/planned.h"

namespace dachlast::kernels {
namespace {

OpCost cost_of(const EmbedShape& shape) {
  return embed_cost(shape);
}
OpCost cost_of(const NormShape& shape) {
  return norm_cost(shape);
}
OpCost cost_of(const LinearShape& shape) {
  return linear_cost(shape);
}
OpCost cost_of(const RopeShape& shape) {
  return rope_cost(shape);
}
OpCost cost_of(const KvWriteShape& shape) {
  return kv_write_cost(shape);
}
OpCost cost_of(const AttentionShape& shape) {
  return attention_cost(shape);
}
OpCost cost_of(const ActivationShape& shape) {
  return activation_cost(shape);
}
OpCost cost_of(const ResidualShape& shape) {
  return residual_cost(shape);
}
OpCost cost_of(const SampleShape& shape) {
  return sample_cost(shape);
}
OpCost cost_of(const CacheWriteShape& shape) {
  return cache_write_cost(shape);
}
OpCost cost_of(const WideAttentionShape& shape) {
  return wide_attention_cost(shape);
}
OpCost cost_of(const ConvShape& shape) {
  return conv_cost(shape);
}
OpCost cost_of(const ScanShape& shape) {
  return scan_cost(shape);
}
OpCost cost_of(const ExpertsShape& shape) {
  return experts_cost(shape);
}
OpCost cost_of(const CombineShape& shape) {
  return combine_cost(shape);
}
OpCost cost_of(const HeadLinearShape& shape) {
  return head_linear_cost(shape);
}

double n_queries(const WideAttentionShape& s) {
  if (s.sequences.empty()) return 1.0 * s.batch_size * s.q_len;
  double sum = 0.0;
  for (const SequenceLengths& lengths : s.sequences) sum += lengths.q_len;
  return sum;
}

struct OutputElements {
  double operator()(const EmbedShape& s) const { return 1.0 * s.n_tokens * s.d_model; }
  double operator()(const NormShape& s) const { return 1.0 * s.n_rows * s.dim; }
  double operator()(const LinearShape& s) const { return 1.0 * s.m * s.n; }
  double operator()(const RopeShape&) const { return 0.0; }
  double operator()(const KvWriteShape&) const { return 0.0; }
  double operator()(const AttentionShape& s) const { return 1.0 * s.batch_size * s.q_len * s.n_heads * s.head_dim; }
  double operator()(const ActivationShape& s) const { return 1.0 * s.n_tokens * s.d_ff; }
  double operator()(const ResidualShape& s) const { return 1.0 * s.n_tokens * s.d_model; }
  double operator()(const SampleShape& s) const { return 1.0 * s.n_rows; }
  double operator()(const CacheWriteShape&) const { return 0.0; }
  double operator()(const WideAttentionShape& s) const { return n_queries(s) * s.n_heads * s.value_dim; }
  double operator()(const ConvShape& s) const { return 1.0 * s.batch_size * s.q_len * s.channels; }
  double operator()(const ScanShape& s) const { return 1.0 * s.batch_size * s.q_len * s.n_heads * s.columns; }
  double operator()(const ExpertsShape& s) const { return 1.0 * s.n_tokens * s.n_active * s.n; }
  double operator()(const CombineShape& s) const { return 1.0 * s.n_tokens * s.d_model; }
  double operator()(const HeadLinearShape& s) const { return 1.0 * s.n_tokens * s.n_heads * (s.n + s.n_copied); }
};

}  // namespace

OpCost op_cost(const OpShape& shape) {
  return std::visit([](const auto& sizes) { return cost_of(sizes); }, shape);
}

double output_elements(const OpShape& shape) {
  return std::visit(OutputElements{}, shape);
}

}  // namespace dachlast::kernels
