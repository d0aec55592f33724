#include "core/kv_cache/contiguous_kv_cache.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>

#include "core/base/error.h"

namespace dachlast {
namespace {

ModelSpec model_with(std::initializer_list<AttentionSpec> attentions) {
  ModelSpec model;
  for (const AttentionSpec& attention : attentions) model.layers.push_back({attention, {}});
  return model;
}

AttentionSpec heads(int n_kv_heads, int head_dim) {
  AttentionSpec attention;
  attention.n_heads = n_kv_heads;
  attention.n_kv_heads = n_kv_heads;
  attention.head_dim = head_dim;
  return attention;
}

ErrorKind kind_of_failure(const ModelSpec& model, const KvCacheShape& shape) {
  try {
    ContiguousKvCache cache(model, shape);
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kFailure;
}

TEST(ContiguousKvCache, BytesFollowTheFormula) {
  // 2 · 4096 tokens · 128 · 2 bytes · (8 + 4 KV heads of two layers) = 24 MiB
  const ModelSpec model = model_with({heads(8, 128), heads(4, 128)});
  const KvCacheShape shape{.batch_size = 1, .capacity = 4096, .dtype = DType::kBF16};
  EXPECT_DOUBLE_EQ(contiguous_kv_cache_bytes(model, shape), 24.0 * 1024 * 1024);
  const ContiguousKvCache cache(model, shape);
  EXPECT_DOUBLE_EQ(cache.bytes(), 24.0 * 1024 * 1024);
}

TEST(ContiguousKvCache, OddSizesAreRoundedUpToCacheLines) {
  // K: 3 sequences · 1 head · 5 tokens · 7 · 2 bytes = 210, in lines of 64: 256; V the same.
  const KvCacheShape shape{.batch_size = 3, .capacity = 5, .dtype = DType::kBF16};
  const ContiguousKvCache cache(model_with({heads(1, 7)}), shape);
  EXPECT_DOUBLE_EQ(cache.bytes(), 512.0);
}

TEST(ContiguousKvCache, EveryPlaceIsItsOwnAndViewsSeeWhatDestinationsWrite) {
  const ModelSpec model = model_with({heads(2, 3), heads(1, 5)});
  const ContiguousKvCache cache(model, {.batch_size = 2, .capacity = 4, .dtype = DType::kF32});
  float next = 1.0f;
  std::set<const float*> places;
  for (int layer = 0; layer < 2; ++layer)
    for (int sequence = 0; sequence < 2; ++sequence) {
      const kernels::KvDestination target = cache.destination(layer, sequence);
      for (const auto& part : {target.k, target.v})
        for (float& x : std::get<std::span<float>>(part)) {
          EXPECT_TRUE(places.insert(&x).second);
          x = next++;
        }
    }
  // Layer 0: 2 heads · 4 tokens · 3 = 24 elements a sequence, numbered K then V, sequence after sequence.
  const kernels::KvPool pool = cache.pool(0);
  const std::span k(reinterpret_cast<const float*>(pool.k.data()), pool.k.size() / sizeof(float));
  const std::span v(reinterpret_cast<const float*>(pool.v.data()), pool.v.size() / sizeof(float));
  ASSERT_EQ(k.size(), 48u);
  EXPECT_EQ(k[0], 1.0f);
  EXPECT_EQ(v[0], 25.0f);
  EXPECT_EQ(k[24], 49.0f);
  EXPECT_EQ(v[47], 96.0f);
  EXPECT_EQ(pool.layout.block_size, 4);
  EXPECT_EQ(pool.layout.n_kv_heads, 2);
  EXPECT_EQ(pool.layout.head_dim, 3);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(k.data()) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(v.data()) % 64, 0u);
}

TEST(ContiguousKvCache, CountsItsTokens) {
  ContiguousKvCache cache(model_with({heads(1, 8)}), {.batch_size = 1, .capacity = 10, .dtype = DType::kBF16});
  cache.advance(7);
  EXPECT_EQ(cache.position(), 7);
  EXPECT_EQ(cache.room(), 3);
  EXPECT_EQ(cache.destination(0, 0).first_position, 7);
  cache.truncate(2);
  EXPECT_EQ(cache.destination(0, 0).first_position, 2);
  cache.reset();
  EXPECT_EQ(cache.position(), 0);
}

TEST(ContiguousKvCache, LargeCachesStartZeroed) {
  // 2 · 4 heads · 4096 · 64 · 4 bytes = 8 MiB: beyond the heap path.
  const ContiguousKvCache cache(model_with({heads(4, 64)}), {.capacity = 4096, .dtype = DType::kF32});
  const kernels::KvPool pool = cache.pool(0);
  ASSERT_EQ(pool.v.size(), 4u * 4096 * 64 * 4);
  for (const std::byte x : pool.v) ASSERT_EQ(x, std::byte{0});
}

TEST(ContiguousKvCache, RefusesWhatCannotBe) {
  const ModelSpec model = model_with({heads(8, 128)});
  EXPECT_EQ(kind_of_failure(model, {.batch_size = 0, .capacity = 8}), ErrorKind::kUsage);
  EXPECT_EQ(kind_of_failure(model, {.batch_size = 1, .capacity = -1}), ErrorKind::kUsage);
  EXPECT_EQ(kind_of_failure(model, {.batch_size = 1, .capacity = 8, .dtype = DType::kI8}), ErrorKind::kUsage);
  const int most = std::numeric_limits<int>::max();
  EXPECT_EQ(kind_of_failure(model, {.batch_size = most, .capacity = most}), ErrorKind::kDoesNotFit);
}

}  // namespace
}  // namespace dachlast
