#pragma once

#include <algorithm>

#include "kernels/cpu/attention_rows.h"
#include "kernels/cpu/bf16_pack.h"

// The two shapes of bfloat16 attention and the scratch memory they work in.
namespace dachlast::kernels::cpu {

/// Keys of a tile of the block product: its scores of 48 rows are 24 KiB and its weights 12, which stay in L1; its packed
/// keys and values of 128 elements are 64 KiB and stay in L2 for all blocks of the unit. Sums are read and written once
/// a tile, 1 load and store for 64 dot products.
inline constexpr int kBf16Tile = 128;

/// Keys of a tile of few rows, whose weights are made and used together.
inline constexpr int kBf16FewTile = 128;

/// Keys of few rows whose scores are made before any of their values is read: 32 KiB of int8 of head_dim 64. From 128 to
/// 1,024 nothing changes that could be told from noise.
inline constexpr int kBf16Stretch = 512;

/// Queries that meet codes of int8 are integers of 15 bits and so many terms at most: 1,024 · 127 · 2^14 < 2^31.
inline constexpr int kMostInt16Terms = 1024;

constexpr int kv_stride(int width) {
  return round_up(width, kBf16Lanes);
}

/// Floats of scratch, the larger of both shapes.
std::size_t bf16_scratch_floats(int n_rows, int head_dim, int value_dim);

/// Many rows, from kFewRows + 1 on: K and V packed once a tile, scores and sums by the block product.
void attend_blocks(const GroupRows& rows, std::span<float> scratch);
/// Few rows, as in decode: each K and V row read once, as it lies.
void attend_few_rows(const GroupRows& rows, std::span<float> scratch);

/// What scores are multiplied with to be in units of log2 e; softcap brings them there itself.
inline float score_factor(const ScoreRule& rule) {
  return rule.softcap > 0.0f ? 1.0f : rule.scale * kLog2E;
}

}  // namespace dachlast::kernels::cpu
