#pragma once

#include "core/base/op.h"
#include "core/base/op_cost.h"

// Operations of models that are planned and not run yet: what they cost, counted from the work, without a kernel.
namespace dachlast::kernels {

/// Traffic of writing a latent, an index key, or K and V of unequal widths.
OpCost cache_write_cost(const CacheWriteShape& shape);

/// (query, key) pairs of one sequence and head that causality, window, chunk and top-k leave.
double visible_pairs(const WideAttentionShape& shape);

/// FLOP 2 · (score_dim + value_dim) · n_heads a pair. KV read: each visible row once per sequence; a choice of tokens is
/// taken to differ from query to query until all rows are read.
OpCost wide_attention_cost(const WideAttentionShape& shape);

/// FLOP 2 · kernel per token and channel; the kernel − 1 tokens before the step are read and the last ones written.
OpCost conv_cost(const ConvShape& shape);

/// The recurrent form, which prefill kernels replace by matrix products over chunks that do more work. FLOP per token
/// and element of the state: 5 in a state space (decay 1, outer product and sum 2, read 2), 7 under the delta rule (decay
/// 1, read with k 2, correction 2, read with q 2). The state is read and written once per step.
/// Source   Mamba-2, arXiv:2405.21060, equation 1; Gated DeltaNet, arXiv:2412.06464, equation 10.
OpCost scan_cost(const ScanShape& shape);

/// Experts that a step reads the weights of, were routing uniform: n_experts · (1 − (1 − n_active / n_experts)^n_tokens).
double distinct_experts(const ExpertsShape& shape);

OpCost experts_cost(const ExpertsShape& shape);
OpCost combine_cost(const CombineShape& shape);

}  // namespace dachlast::kernels
