#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/attention_schedule.h"

// Sizes and scratch memory that the tiled and the naive attention share.
namespace dachlast::kernels::cpu {

/// Query rows that lie across the lanes together: two AVX-512 vectors, four AVX2 vectors.
inline constexpr int kQueryBlock = 32;

/// Query rows of a unit up to which K and V are multiplied as they lie; more fill blocks of kQueryBlock well enough.
inline constexpr int kFewRows = 16;

/// Keys of a tile when arithmetic is scarce: 96 scores of 32 queries are 12 KiB and a strip of 64 value columns 24 KiB,
/// which stay in L1 together; K and V of head_dim 256 are 192 KiB and stay in L2 for all heads of the group.
inline constexpr int kKeyTile = 96;

/// Keys of a tile when reading K and V is scarce: 1,024 rows of head_dim 64 are 256 KiB of float or 128 KiB of
/// bfloat16, long enough a stretch to read that changing between K and V costs little; its scores for 16 rows are 64
/// KiB.
inline constexpr int kStreamTile = 1024;

/// Scores of one tile: kKeyTile keys of a block of queries, or kStreamTile keys of few rows.
inline constexpr std::size_t kTileScores = std::max(kKeyTile * kQueryBlock, kStreamTile* kFewRows);

/// Widest vector of any build, in floats; scratch rows are padded to it.
inline constexpr int kPad = 16;

inline constexpr float kLog2E = 1.44269504f;

/// Score of a key that a query must not see: finite, so that differences of scores are never NaN, and below every real
/// one.
inline constexpr float kHidden = -3.0e38f;

constexpr int round_up(int n, int multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Scores of one head, n × n, or of the few rows that share a KV head.
inline std::size_t naive_scores(int n_rows, int n_slots) {
  return static_cast<std::size_t>(round_up(std::max(n_rows, kFewRows), kQueryBlock)) *
         static_cast<std::size_t>(round_up(n_slots, kPad));
}

/// Hands out consecutive pieces of the caller's scratch, each on a cache line of its own.
class ScratchPieces {
 public:
  explicit ScratchPieces(std::span<float> scratch) : next_(scratch.data()) {
    const std::size_t off_line = reinterpret_cast<std::uintptr_t>(next_) / sizeof(float) % kPad;
    if (off_line > 0) next_ += kPad - off_line;
  }

  float* take(std::size_t n_floats) {
    float* piece = next_;
    next_ += padded(n_floats);
    return piece;
  }

  static constexpr std::size_t padded(std::size_t n_floats) { return (n_floats + kPad - 1) / kPad * kPad; }

 private:
  float* next_;
};

/// State of online softmax for the rows of one unit, and the memory its tiles pass through.
struct AttentionScratch {
  float* q;           // scaled queries
  float* k;           // a tile of keys, where they are not float already
  float* v;           // a tile of values, where they are not float and whole vectors already
  float* s;           // scores, then weights
  float* o;           // [rows, round_up(value_dim, kPad)] weighted sums of values
  float* m;           // [rows] largest score so far, in units of log2 e
  float* d;           // [rows] sum of weights
  float* correction;  // [kQueryBlock] what earlier sums of a block shrink by
};

/// What the sizes of scratch follow from.
struct ScratchSizes {
  int n_rows;  // query rows
  int head_dim;
  int value_dim;
  std::size_t n_scores;

  std::size_t rows() const { return static_cast<std::size_t>(round_up(n_rows, kQueryBlock)); }
  std::size_t k_width() const { return static_cast<std::size_t>(round_up(head_dim, kPad)); }
  std::size_t v_width() const { return static_cast<std::size_t>(round_up(value_dim, kPad)); }
};

/// Floats that `take_attention_scratch` takes.
inline std::size_t attention_scratch_floats(const ScratchSizes& s) {
  const std::size_t lost_to_alignment = kPad;
  return lost_to_alignment + (s.rows() + kKeyTile) * (s.k_width() + s.v_width()) + ScratchPieces::padded(s.n_scores) +
         2 * s.rows() + kQueryBlock;
}

/// Cuts `scratch` into its parts and starts the state: nothing summed, no score seen.
inline AttentionScratch take_attention_scratch(const ScratchSizes& s, std::span<float> scratch) {
  assert(scratch.size() >= attention_scratch_floats(s));
  const std::size_t rows = s.rows();
  ScratchPieces pieces(scratch);
  AttentionScratch parts;
  parts.q = pieces.take(rows * s.k_width());
  parts.k = pieces.take(kKeyTile * s.k_width());
  parts.v = pieces.take(kKeyTile * s.v_width());
  parts.s = pieces.take(s.n_scores);
  parts.o = pieces.take(rows * s.v_width());
  parts.m = pieces.take(rows);
  parts.d = pieces.take(rows);
  parts.correction = pieces.take(kQueryBlock);
  std::fill_n(parts.o, rows * s.v_width(), 0.0f);
  std::fill_n(parts.m, rows, kHidden);
  std::fill_n(parts.d, rows, 0.0f);
  return parts;
}

}  // namespace dachlast::kernels::cpu
