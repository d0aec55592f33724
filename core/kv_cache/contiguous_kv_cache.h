#pragma once

#include <vector>

#include "core/kv_cache/aligned_buffer.h"
#include "core/model/model_spec.h"
#include "kernels/attention.h"
#include "kernels/elementwise.h"

namespace dachlast {

/// Sizes of a contiguous KV cache. Every sequence of the batch holds the same number of tokens.
struct KvCacheShape {
  int batch_size = 1;
  int capacity = 0;  // tokens per sequence
  DType dtype = DType::kF32;
};

/// Bytes a contiguous cache allocates, before it does:
///   Σ over layers of 2 · batch_size · n_kv_heads · capacity · head_dim · bytes per element
/// each K and each V rounded up to a cache line. Window layers keep all tokens: this cache never drops one.
double contiguous_kv_cache_bytes(const ModelSpec& model, const KvCacheShape& shape);

/// Keys and values of every layer, allocated once for `capacity` tokens of each sequence.
/// Memory   layer after layer, K then V, each [batch_size, n_kv_heads, capacity, head_dim]: the tokens of a head lie
/// next
///          to each other, which is the order decode reads them in.
/// Threads  one writer at a time.
class ContiguousKvCache {
 public:
  /// Errors   throws `Error`: kUsage where a size is not positive or the dtype is neither f32 nor bf16, kDoesNotFit
  /// where
  ///          there is no memory.
  ContiguousKvCache(const ModelSpec& model, const KvCacheShape& shape);

  const KvCacheShape& shape() const { return shape_; }
  /// Tokens held, per sequence.
  int position() const { return position_; }
  int room() const { return shape_.capacity - position_; }
  double bytes() const { return static_cast<double>(memory_.size_bytes()); }

  /// Everything of a layer, for attention: one block of `capacity` tokens per sequence, block i that of sequence i.
  kernels::KvPool pool(int layer) const;
  /// Where the tokens behind `position()` of one sequence go.
  kernels::KvDestination destination(int layer, int sequence) const;

  /// Counts tokens that have been written in every layer. `n_tokens` <= room().
  void advance(int n_tokens);
  /// Forgets the tokens behind the first `n_tokens`; they stay in memory until written over. 0 <= `n_tokens` <=
  /// position().
  void truncate(int n_tokens);
  void reset() { truncate(0); }

 private:
  struct Layer {
    std::size_t k_offset_bytes;
    std::size_t v_offset_bytes;
    std::size_t sequence_elements;  // n_kv_heads · capacity · head_dim
    int n_kv_heads;
    int head_dim;
  };

  template <class T>
  std::span<T> elements(std::size_t offset_bytes, std::size_t first, std::size_t count) const;

  KvCacheShape shape_;
  std::vector<Layer> layers_;
  AlignedBuffer memory_;
  int position_ = 0;
};

}  // namespace dachlast
