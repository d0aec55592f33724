#pragma once

#include <cstdint>

#include "kernels/cpu/kv_rows.h"

// Layouts of bfloat16 operands. Needs AVX512_BF16 but for the sizes.
namespace dachlast::kernels::cpu {

/// Two bfloat16 that one dot product step multiplies and adds: elements 2i and 2i + 1 of its inner dimension, the even
/// one in the lower half.
using Bf16Pair = std::uint32_t;

/// Elements of one 512-bit vector of bfloat16; rows in buffers are whole vectors of them.
inline constexpr int kBf16Lanes = 32;

/// Operand "a" of the block product, [inner pairs, kBlockRows]: three vectors of pairs, which with 8 · 3 sums and one
/// broadcast pair make 28 of 32 registers.
inline constexpr int kBlockRows = 48;

/// Operand "b", [n / kBlockColumns, inner pairs, kBlockColumns].
inline constexpr int kBlockColumns = 8;

/// Stored rows as bfloat16, `stride` elements apart, zeros behind each up to `stride`; rounds to nearest even.
/// `stride` is a multiple of kBf16Lanes.
void expand_bf16(const KvRows& rows, BF16* out, int stride);

/// fp8 codes that are looked up together.
inline constexpr int kCodeLanes = 64;

/// Key rows [n_keys, stride], n_keys a multiple of 16, as operand b: n = keys, inner = columns.
void pack_keys(const BF16* rows, int n_keys, int stride, Bf16Pair* b);

/// Value rows [n_keys, stride], n_keys even, as operand b: n = columns, inner = keys; its groups of columns lie
/// `inner_pairs` · kBlockColumns pairs apart.
void pack_values(const BF16* rows, int n_keys, int stride, int inner_pairs, Bf16Pair* b);

/// Up to kBlockRows rows of floats as operand a: row r starts at rows[r]; missing rows and columns are zeros.
void pack_queries(const float* const* rows, int n_rows, int width, Bf16Pair* a);

/// out[r][c] = sums[c, r] · factors[r] for n_rows rows and `width` columns; sums [width, kBlockRows].
void write_columns(const float* sums, const float* factors, int n_rows, int width, float* const* out);

}  // namespace dachlast::kernels::cpu
