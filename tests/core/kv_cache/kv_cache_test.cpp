#include "core/kv_cache/kv_cache.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/base/error.h"

namespace dachlast {
namespace {

using Ids = std::vector<std::int32_t>;

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

KvCacheOptions options_of(const char* spec, int max_sequences, int capacity) {
  KvCacheOptions options;
  options.spec = parse_kv_spec("--kv", spec);
  options.format = options.spec.format.value_or(KvFormat::kF32);
  options.max_sequences = max_sequences;
  options.capacity_tokens = capacity;
  return options;
}

Ids some_ids(int n) {
  Ids ids(static_cast<std::size_t>(n));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

ErrorKind kind_of_failure(const ModelSpec& model, const KvCacheOptions& options) {
  try {
    KvCache cache(model, options);
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kFailure;
}

/// Appends tokens and writes K = 100 · layer + position, V = −K, in every head and element.
void append(KvCache& cache, SequenceId id, int n_tokens, const ModelSpec& model) {
  const Ids ids = some_ids(n_tokens);
  const int first = cache.n_tokens(id);
  const KvAppend entry{id, ids};
  ASSERT_EQ(cache.begin_step({&entry, 1}), 0);
  for (int layer = 0; layer < model.n_layers(); ++layer) {
    const AttentionSpec& a = attention_of(model.layers[static_cast<std::size_t>(layer)]);
    const auto width = static_cast<std::size_t>(a.n_kv_heads * a.head_dim);
    std::vector<float> k(width * ids.size()), v(k.size());
    for (std::size_t i = 0; i < k.size(); ++i) {
      k[i] = static_cast<float>(100 * layer + first) + static_cast<float>(i / width);
      v[i] = -k[i];
    }
    kernels::store_kv(cache.target(layer, 0), k, v, static_cast<int>(width), n_tokens, {0, a.n_kv_heads});
  }
}

float key_at(const kernels::KvView& view, int head, int slot) {
  const kernels::KvLayout& layout = view.pool.layout;
  const std::int32_t block = view.sequences[0].blocks[static_cast<std::size_t>(slot / layout.block_size)];
  const std::size_t row =
      static_cast<std::size_t>((block * layout.n_kv_heads + head) * layout.block_size + slot % layout.block_size);
  float value = 0.0f;
  std::memcpy(&value, view.pool.k.data() + row * static_cast<std::size_t>(layout.head_dim) * 4, 4);
  return value;
}

TEST(KvCache, BytesFollowTheFormula) {
  // 2 · 4096 tokens · 128 · 2 bytes · (8 + 4 KV heads of two layers) = 24 MiB
  const ModelSpec model = model_with({heads(8, 128), heads(4, 128)});
  const KvCacheOptions options = options_of("bf16", 1, 4096);
  EXPECT_DOUBLE_EQ(kv_cache_bytes(model, options), 24.0 * 1024 * 1024);
  EXPECT_DOUBLE_EQ(KvCache(model, options).bytes(), 24.0 * 1024 * 1024);
  // Blocks of 16 that hold 4,100 tokens: 257 · 16 = 4,112.
  EXPECT_DOUBLE_EQ(kv_cache_bytes(model, options_of("paged:16,bf16", 1, 4100)), 24.0 * 1024 * 1024 / 4096 * 4112);
  // int8: a byte an element and a float a row of 128, K and V, 12 heads: 2 · 4096 · 12 · (128 + 4).
  EXPECT_DOUBLE_EQ(kv_cache_bytes(model, options_of("int8", 1, 4096)), 2.0 * 4096 * 12 * (128 + 4));
  // window:100 in steps of 28: 100 − 1 + 28 = 127 slots.
  KvCacheOptions ring = options_of("window:100,bf16", 3, 4096);
  ring.max_step_tokens = 28;
  EXPECT_DOUBLE_EQ(kv_cache_bytes(model, ring), 3.0 * 2 * 127 * 12 * 128 * 2);
}

TEST(KvCache, ScalesAlongChannelsAreCountedWithTheKeysThatWait) {
  // Per block of 32 and head of 64: keys 2,048 B, 64 scales of 4 B; values 2,048 B and 32 scales. 2 heads, 4 blocks.
  // Waiting keys of both sequences: 2 heads · 32 · 64 · 2 B each.
  const KvCacheOptions options = options_of("int8:channel", 2, 64);
  EXPECT_DOUBLE_EQ(kv_cache_bytes(model_with({heads(2, 64)}), options),
                   4.0 * 2 * (2 * 2048 + 4 * (64 + 32)) + 2.0 * 2 * 32 * 64 * 2);
}

TEST(KvCache, OddSizesAreRoundedUpToCacheLines) {
  // K: 3 sequences · 1 head · 5 tokens · 7 · 2 bytes = 210, in lines of 64: 256; V the same.
  EXPECT_DOUBLE_EQ(KvCache(model_with({heads(1, 7)}), options_of("bf16", 3, 5)).bytes(), 512.0);
}

TEST(KvCache, EverySequenceFindsItsTokensInEveryLayer) {
  const ModelSpec model = model_with({heads(2, 3), heads(1, 5)});
  for (const char* spec : {"contiguous", "paged:4", "window:30"}) {
    KvCache cache(model, options_of(spec, 3, 30));
    std::vector<SequenceId> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(cache.add());
    for (const int n : {5, 1, 7})  // in turn, so that blocks of sequences interleave
      for (const SequenceId id : ids) append(cache, id, n, model);
    for (const SequenceId id : ids) {
      append(cache, id, 1, model);
      for (int layer = 0; layer < 2; ++layer) {
        const kernels::KvView view = cache.view(layer);
        ASSERT_EQ(view.sequences[0].kv_len, 14);
        for (int slot = 0; slot < 14; ++slot)
          ASSERT_EQ(key_at(view, layer == 0 ? 1 : 0, slot),
                    100.0f * static_cast<float>(layer) + static_cast<float>(slot))
              << spec;
      }
    }
  }
}

TEST(KvCache, ARingKeepsTheFirstAndTheNewestTokens) {
  const ModelSpec model = model_with({heads(1, 4)});
  KvCacheOptions options = options_of("sink:2+5", 1, 100);
  options.max_step_tokens = 3;
  KvCache cache(model, options);  // 2 + 5 − 1 + 3 = 9 slots
  const SequenceId id = cache.add();
  for (int i = 0; i < 8; ++i) append(cache, id, 3, model);
  const kernels::KvView view = cache.view(0);
  const kernels::KvSequence& shown = view.sequences[0];
  EXPECT_EQ(shown.kv_len, 9);
  EXPECT_EQ(shown.first_position, 21);
  // 24 tokens: 0 and 1, and the last 7 of the others, 17 … 23; position p in slot 2 + (p − 2) % 7.
  EXPECT_EQ(Ids(shown.positions.begin(), shown.positions.end()), (Ids{0, 1, 23, 17, 18, 19, 20, 21, 22}));
  for (int slot = 0; slot < 9; ++slot)
    EXPECT_EQ(key_at(view, 0, slot), static_cast<float>(shown.positions[static_cast<std::size_t>(slot)]));
  EXPECT_EQ(cache.statistics().n_dropped_tokens, 24 - 9);
}

TEST(KvCache, ARingIsCutOnlyAsFarAsItRemembers) {
  const ModelSpec model = model_with({heads(1, 4)});
  KvCacheOptions options = options_of("window:5", 1, 100);
  options.max_step_tokens = 3;
  KvCache cache(model, options);  // 7 slots: positions 17 … 23
  const SequenceId id = cache.add();
  for (int i = 0; i < 8; ++i) append(cache, id, 3, model);
  EXPECT_THROW(cache.truncate(id, 20), Error);  // token 20 is to see 16
  cache.truncate(id, 21);
  EXPECT_EQ(cache.n_tokens(id), 21);
  append(cache, id, 1, model);
  EXPECT_EQ(cache.view(0).sequences[0].kv_len, 7);
  cache.truncate(id, 0);
  EXPECT_EQ(cache.n_tokens(id), 0);
}

TEST(KvCache, AForkWritesIntoACopyOfTheSharedBlock) {
  const ModelSpec model = model_with({heads(2, 3), heads(1, 5)});
  KvCache cache(model, options_of("paged:4", 2, 32));
  const SequenceId parent = cache.add();
  append(cache, parent, 6, model);
  const SequenceId child = cache.fork(parent);
  append(cache, child, 2, model);
  for (const SequenceId id : {child, parent}) {
    append(cache, id, 1, model);
    const kernels::KvView view = cache.view(1);
    for (int slot = 0; slot < cache.n_tokens(id); ++slot)
      EXPECT_EQ(key_at(view, 0, slot), 100.0f + static_cast<float>(slot));
  }
  EXPECT_EQ(cache.statistics().n_copied, 1);
  EXPECT_EQ(cache.statistics().n_allocated, 4);  // the first is shared; the child has two more, the parent one
}

TEST(KvCache, ChannelScalesLetGoOfTheirBf16FormAndSayso) {
  const ModelSpec model = model_with({heads(1, 4)});
  KvCache cache(model, options_of("paged:4,int8:channel", 2, 32));
  const SequenceId id = cache.add();
  append(cache, id, 8, model);
  cache.truncate(id, 7);  // the keys of the last block still wait in bf16
  append(cache, id, 2, model);
  EXPECT_THROW(cache.truncate(id, 6), Error);
  cache.truncate(id, 4);
  const SequenceId child = cache.fork(id);
  append(cache, child, 3, model);
  EXPECT_EQ(cache.n_tokens(child), 7);
}

TEST(KvCache, AStepWithoutRoomChangesNothing) {
  const ModelSpec model = model_with({heads(1, 4)});
  KvCacheOptions options = options_of("paged:4", 2, 32);
  options.n_blocks = 3;
  KvCache cache(model, options);
  const SequenceId first = cache.add(), second = cache.add();
  append(cache, first, 4, model);
  const Ids ids = some_ids(5);
  const std::vector<KvAppend> step = {{first, std::span(ids).first(1)}, {second, ids}};
  EXPECT_EQ(cache.begin_step(step), 1);  // one and two more blocks, two are free
  EXPECT_EQ(cache.n_tokens(first), 4);
  EXPECT_EQ(cache.n_tokens(second), 0);
  EXPECT_EQ(cache.missing_blocks({step.data(), 1}, 5), 1);
}

TEST(KvCache, LargeCachesStartZeroed) {
  // 2 · 4 heads · 4096 · 64 · 4 bytes = 8 MiB: beyond the heap path.
  const ModelSpec model = model_with({heads(4, 64)});
  KvCache cache(model, options_of("contiguous", 1, 4096));
  const SequenceId id = cache.add();
  const Ids ids = some_ids(1);
  const KvAppend entry{id, ids};
  ASSERT_EQ(cache.begin_step({&entry, 1}), 0);
  const kernels::KvView view = cache.view(0);
  ASSERT_EQ(view.pool.v.size(), 4u * 4096 * 64 * 4);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.pool.v.data()) % 64, 0u);
  for (const std::byte x : view.pool.v) ASSERT_EQ(x, std::byte{0});
}

TEST(KvCache, RefusesWhatCannotBe) {
  const ModelSpec model = model_with({heads(8, 128)});
  EXPECT_EQ(kind_of_failure(model, options_of("contiguous", 0, 8)), ErrorKind::kUsage);
  EXPECT_EQ(kind_of_failure(model, options_of("paged", 1, -1)), ErrorKind::kUsage);
  EXPECT_EQ(kind_of_failure(model, options_of("none", 1, 8)), ErrorKind::kUsage);
  const int most = std::numeric_limits<int>::max();
  EXPECT_EQ(kind_of_failure(model, options_of("contiguous", most, most)), ErrorKind::kDoesNotFit);
  EXPECT_EQ(kind_of_failure(model, options_of("paged:1", most, most)), ErrorKind::kDoesNotFit);
  KvCache cache(model, options_of("window:4", 1, 8));
  const SequenceId id = cache.add();
  EXPECT_THROW(cache.add(), Error);
  EXPECT_THROW(cache.fork(id), Error);
  cache.remove(id);
  EXPECT_THROW(cache.remove(id), Error);
  EXPECT_NO_THROW(cache.add());
}

}  // namespace
}  // namespace dachlast
