#pragma once

#if defined(__x86_64__)

#include <hwy/base.h>
#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "kernels/cpu/attention_bf16.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")

// Rows of a tile of keys or values for attention of few query rows: where they are stored, and as bfloat16.
namespace dachlast::kernels::cpu {

/// Keys whose scores are made together: they share their sums over lanes.
inline constexpr int kScoredTogether = 4;

/// What has to happen to rows before they are multiplied.
enum class Lie {
  kReady,   // nothing: bfloat16 in whole vectors
  kCodes,   // codes of int8 or fp8 with a scale per token become bfloat16
  kExpand,  // all else
};

inline Lie lie_of(const KvRows& rows) {
  if (rows.format == KvFormat::kBF16 && rows.width % kBf16Lanes == 0) return Lie::kReady;
  const bool eight_bits = rows.format == KvFormat::kInt8 || rows.format == KvFormat::kFp8;
  if (eight_bits && rows.axis == ScaleAxis::kToken && rows.width % kCodeLanes == 0) return Lie::kCodes;
  return Lie::kExpand;
}

/// Where the rows of a tile are stored.
class StoredTile {
 public:
  template <class Read>
  void locate(const Read& read, const GroupRows& rows, SlotRange slots) {
    const AttentionUnit& unit = rows.unit();
    n_parts_ = n_rows_ = 0;
    for (int slot = slots.begin; slot < slots.end; slot += parts_[n_parts_++].n_rows) {
      const KvRows part = read(rows.call().kv.pool, *unit.sequence, unit.kv_head, slot, slots.end);
      parts_[n_parts_] = part;
      lie_ = n_parts_ == 0 || lie_ == lie_of(part) ? lie_of(part) : Lie::kExpand;  // a tail is stored unlike the rest
      for (int r = 0; r < part.n_rows; ++r)
        rows_[n_rows_++] = part.rows + static_cast<std::size_t>(r) * part.stride_bytes;
    }
    if (n_parts_ == 0) return;
    std::fill(rows_ + n_rows_, rows_ + kBf16FewTile + kScoredTogether, rows_[0]);
    row_bytes_ = static_cast<int>(parts_[0].stride_bytes);
  }

  Lie lie() const { return lie_; }
  int n_rows() const { return n_rows_; }
  /// Behind the last row the first is repeated, so that groups of rows are always full.
  const std::byte* row(int r) const { return rows_[r]; }
  std::span<const KvRows> parts() const { return {parts_, static_cast<std::size_t>(n_parts_)}; }

  /// Asks for a row before it is needed: hardware follows one stream at a time, K and V are two.
  HWY_INLINE void prefetch(int r) const {
    for (int i = 0; i < row_bytes_; i += 64) _mm_prefetch(reinterpret_cast<const char*>(rows_[r]) + i, _MM_HINT_T0);
  }

 private:
  const std::byte* rows_[kBf16FewTile + kScoredTogether];
  KvRows parts_[kBf16FewTile];
  int n_parts_ = 0;
  int n_rows_ = 0;
  int row_bytes_ = 0;
  Lie lie_ = Lie::kExpand;
};

/// Rows of a tile as bfloat16, and what their scores or weights are to be multiplied with.
struct ReadyTile {
  const BF16* rows[kBf16FewTile + kScoredTogether];
  alignas(64) float scales[kBf16FewTile];  // with Lie::kCodes
  Lie lie;

  ReadyTile(const StoredTile& stored, int stride, BF16* buffer) : lie(stored.lie()) {
    const bool in_place = lie == Lie::kReady;
    for (int r = 0; r < kBf16FewTile + kScoredTogether; ++r)
      rows[r] =
          in_place ? reinterpret_cast<const BF16*>(stored.row(r)) : buffer + (r < stored.n_rows() ? r : 0) * stride;
    if (in_place) return;
    int first = 0;
    for (const KvRows& part : stored.parts()) {
      if (lie == Lie::kCodes)
        expand_codes(part, buffer + first * stride, stride);
      else
        expand_bf16(part, buffer + first * stride, stride);
      if (lie == Lie::kCodes)
        std::memcpy(scales + first, part.scales, sizeof(float) * static_cast<std::size_t>(part.n_rows));
      first += part.n_rows;
    }
    std::fill(scales + first, scales + kBf16FewTile, 0.0f);
  }
};

}  // namespace dachlast::kernels::cpu

HWY_POP_ATTRIBUTES

#endif  // __x86_64__
