#include "core/kv_cache/contiguous_kv_cache.h"

#include <fmt/core.h>

#include <cassert>

#include "core/base/error.h"

namespace dachlast {
namespace {

void require_positive(const char* subject, int value) {
  if (value > 0) return;
  throw Error(ErrorKind::kUsage, subject, fmt::format("A KV cache needs 1 or more, not {}.", value));
}

void validate(const KvCacheShape& shape) {
  require_positive("batch size", shape.batch_size);
  require_positive("capacity in tokens", shape.capacity);
  if (shape.dtype == DType::kF32 || shape.dtype == DType::kBF16) return;
  throw Error(ErrorKind::kUsage, "KV cache", fmt::format("It cannot hold {} elements.", display_name_of(shape.dtype)),
              "Use f32 or bf16.");
}

double sequence_elements(const AttentionSpec& attention, const KvCacheShape& shape) {
  return static_cast<double>(attention.n_kv_heads) * shape.capacity * attention.head_dim;
}

/// Bytes of K, or of V, of one layer.
double half_layer_bytes(const AttentionSpec& attention, const KvCacheShape& shape) {
  return AlignedBuffer::padded_bytes(sequence_elements(attention, shape) * shape.batch_size * size_of(shape.dtype));
}

}  // namespace

double contiguous_kv_cache_bytes(const ModelSpec& model, const KvCacheShape& shape) {
  double bytes = 0.0;
  for (const LayerSpec& layer : model.layers) bytes += 2.0 * half_layer_bytes(attention_of(layer), shape);
  return bytes;
}

ContiguousKvCache::ContiguousKvCache(const ModelSpec& model, const KvCacheShape& shape) : shape_(shape) {
  validate(shape);
  memory_ = AlignedBuffer(contiguous_kv_cache_bytes(model, shape), "KV cache");
  std::size_t offset = 0;
  for (const LayerSpec& layer : model.layers) {
    const auto half = static_cast<std::size_t>(half_layer_bytes(attention_of(layer), shape));
    const AttentionSpec& a = attention_of(layer);
    layers_.push_back(
        {offset, offset + half, static_cast<std::size_t>(sequence_elements(a, shape)), a.n_kv_heads, a.head_dim});
    offset += 2 * half;
  }
}

template <class T>
std::span<T> ContiguousKvCache::elements(std::size_t offset_bytes, std::size_t first, std::size_t count) const {
  return memory_.as<T>().subspan(offset_bytes / sizeof(T) + first, count);
}

kernels::KvPool ContiguousKvCache::pool(int layer) const {
  const Layer& kept = layers_[static_cast<std::size_t>(layer)];
  const std::size_t bytes =
      kept.sequence_elements * static_cast<std::size_t>(shape_.batch_size * size_of(shape_.dtype));
  const kernels::KvLayout layout{.format = kernels::kv_format_of(shape_.dtype),
                                 .key_scales = kernels::KeyScales::kPerToken,
                                 .values = kernels::KvValues::kOwnRows,
                                 .n_kv_heads = kept.n_kv_heads,
                                 .block_size = shape_.capacity,
                                 .head_dim = kept.head_dim,
                                 .value_dim = kept.head_dim};
  return {layout,
          memory_.as<std::byte>().subspan(kept.k_offset_bytes, bytes),
          memory_.as<std::byte>().subspan(kept.v_offset_bytes, bytes),
          {},
          {}};
}

kernels::KvDestination ContiguousKvCache::destination(int layer, int sequence) const {
  const Layer& kept = layers_[static_cast<std::size_t>(layer)];
  const std::size_t count = kept.sequence_elements;
  const std::size_t first = count * static_cast<std::size_t>(sequence);
  if (shape_.dtype == DType::kBF16)
    return {elements<BF16>(kept.k_offset_bytes, first, count), elements<BF16>(kept.v_offset_bytes, first, count),
            shape_.capacity, position_};
  return {elements<float>(kept.k_offset_bytes, first, count), elements<float>(kept.v_offset_bytes, first, count),
          shape_.capacity, position_};
}

void ContiguousKvCache::advance(int n_tokens) {
  assert(n_tokens >= 0 && n_tokens <= room());
  position_ += n_tokens;
}

void ContiguousKvCache::truncate(int n_tokens) {
  assert(n_tokens >= 0 && n_tokens <= position_);
  position_ = n_tokens;
}

}  // namespace dachlast
