#pragma once

#include "kernels/attention.h"

// The CPU builds of `Attention`, declared through the contract's own type; kernels/attention.cpp lists them.
namespace dachlast::kernels::cpu {

/// Needs AVX512_BF16 and AVX512_VBMI.
Attention attention_bf16;
std::size_t attention_bf16_scratch(const AttentionSizes& sizes);
bool attention_bf16_supported();

Attention attention_tiled;
std::size_t attention_tiled_scratch(const AttentionSizes& sizes);

/// Keeps the scores of all queries of a head that the slice holds, at most q_len × kv_len floats a thread.
Attention attention_naive;
std::size_t attention_naive_scratch(const AttentionSizes& sizes);

Attention attention_reference;
std::size_t attention_reference_scratch(const AttentionSizes& sizes);

}  // namespace dachlast::kernels::cpu
