#pragma once

#include "kernels/attention.h"

// The CPU builds of `Attention`, declared through the contract's own type; kernels/attention.cpp lists them.
namespace dachlast::kernels::cpu {

Attention attention_tiled;
std::size_t attention_tiled_scratch(const AttentionShape& shape);

/// Keeps the scores of all queries of a head that the slice holds, at most q_len × kv_len floats a thread.
Attention attention_naive;
std::size_t attention_naive_scratch(const AttentionShape& shape);

Attention attention_reference;
std::size_t attention_reference_scratch(const AttentionShape& shape);

}  // namespace dachlast::kernels::cpu
