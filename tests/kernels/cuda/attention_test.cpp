#include "kernels/cuda/attention.h"

#include "core/base/error.h"
#include "tests/kernels/cuda/device_cache.h"

namespace dachlast::kernels::cuda {
namespace {

using kernels::testing::contiguous;
using kernels::testing::SequencePlan;
using testing::AttentionPlan;
using testing::AttentionProblem;
using testing::DeviceArray;
using testing::DeviceCall;
using testing::expect_attends;

class CudaAttentionTest : public testing::CudaTest {};

KvLayout layout(KvFormat format, int n_kv_heads, int block_size, int head_dim, int value_dim) {
  return {format, KeyScales::kPerToken, KvValues::kOwnRows, n_kv_heads, block_size, head_dim, value_dim};
}

/// Sequences of a batch in a paged cache, whose block tables run backwards through each other.
AttentionPlan paged(KvFormat format, int n_heads, int n_kv_heads, int head_dim,
                    const std::vector<SequencePlan>& sequences, const MaskRule& mask = {}) {
  return {layout(format, n_kv_heads, 16, head_dim, head_dim), n_heads, sequences, mask};
}

// ---- every variant

TEST_F(CudaAttentionTest, StreamDecodesEveryFormat) {
  for (const KvFormat format : kAllKvFormats)
    expect_attends(paged(format, 4, 2, 64, {{1, 75}, {1, 1}, {1, 33}}), "stream");
}

TEST_F(CudaAttentionTest, StreamTakesOddSizesGroupsAndWidths) {
  for (const auto& [n_heads, n_kv_heads] : {std::pair{1, 1}, std::pair{3, 1}, std::pair{10, 1}, std::pair{6, 2}})
    expect_attends(contiguous(KvFormat::kBF16, n_heads, n_kv_heads, 33, {1, 37}), "stream");
  for (const int head_dim : {1, 80, 129, 256})
    expect_attends(contiguous(KvFormat::kF32, 2, 1, head_dim, {2, 37}), "stream");
  expect_attends({layout(KvFormat::kInt8, 1, 16, 72, 40), 2, {{1, 50}}}, "stream");
}

TEST_F(CudaAttentionTest, StreamMergesStretchesOfLongCaches) {
  // 1,300 slots are three stretches of 448; sequences that end in the first and the second one have fewer.
  expect_attends(paged(KvFormat::kBF16, 4, 2, 32, {{1, 1300}, {2, 5}, {1, 513}}), "stream");
  expect_attends(paged(KvFormat::kInt4, 2, 2, 32, {{1, 1300}}, {.window = 700, .n_sinks = 0}), "stream");
  expect_attends(paged(KvFormat::kF16, 2, 1, 32, {{1, 1300}}, {.window = 100, .n_sinks = 4}), "stream");
}

TEST_F(CudaAttentionTest, StreamKeepsToWindowsSinksAndCaps) {
  expect_attends(contiguous(KvFormat::kBF16, 2, 1, 32, {5, 90}, 17), "stream");
  expect_attends(paged(KvFormat::kBF16, 2, 1, 32, {{3, 90}}, {.window = 10, .n_sinks = 3}), "stream");
  AttentionPlan capped = contiguous(KvFormat::kF32, 2, 1, 32, {2, 40});
  capped.softcap = 3.0f;
  expect_attends(capped, "stream");
}

/// The same rows once in a cache that keeps all, once where a ring keeps them: the same bits come out.
TEST_F(CudaAttentionTest, RingsAreReadWhereTheirPositionsLie) {
  constexpr int kLen = 90, kQueries = 3, kHeadDim = 32, kWindow = 17, kSinks = 2;
  const RingRule ring{kSinks + kWindow + kQueries - 1, kSinks};
  for (const char* variant : {"tensor", "stream", "naive"}) {
    AttentionPlan plan{layout(KvFormat::kBF16, 1, kLen, kHeadDim, kHeadDim), 2, {{kQueries, kLen}}, {kWindow, kSinks}};
    const AttentionProblem problem(plan);
    const AttentionCall host = problem.call({}, {});
    const DeviceCall kept(host);
    ASSERT_EQ(host.kv.sequences[0].blocks.size(), 1U);
    const auto block = static_cast<std::size_t>(host.kv.sequences[0].blocks[0]);
    constexpr std::size_t kRow = kHeadDim * 2;  // bytes
    const auto n_slots = static_cast<std::size_t>(ring.n_slots);
    std::vector<std::byte> k(n_slots * kRow), v(n_slots * kRow);
    for (int position = 0; position < kLen; ++position) {
      const std::size_t from = (block * kLen + static_cast<std::size_t>(position)) * kRow;
      const std::size_t to = static_cast<std::size_t>(ring.slot_of(position)) * kRow;
      std::copy_n(host.kv.pool.k.begin() + static_cast<std::ptrdiff_t>(from), kRow,
                  k.begin() + static_cast<std::ptrdiff_t>(to));
      std::copy_n(host.kv.pool.v.begin() + static_cast<std::ptrdiff_t>(from), kRow,
                  v.begin() + static_cast<std::ptrdiff_t>(to));
    }
    const DeviceArray<std::byte> ring_k(k), ring_v(v);
    const DeviceArray<std::int32_t> table(std::vector<std::int32_t>{0});
    DeviceArray<float> out(kept.call().out.size());
    CudaAttentionCall call = kept.call();
    call.pool.layout.block_size = ring.n_slots;
    call.pool.k = ring_k.span();
    call.pool.v = ring_v.span();
    call.blocks = table.span();
    call.out = out.span();
    call.ring = ring;
    const CudaAttentionVariant& kernel = attention_variant_for(call, variant);
    DeviceArray<float> workspace(kernel.workspace_floats(call));
    kernel.run(call, workspace.span(), nullptr);
    EXPECT_EQ(out.host(), testing::run_attention(kept, variant)) << variant;
  }
}

TEST_F(CudaAttentionTest, TensorPrefillsEveryFormat) {
  for (const KvFormat format : kAllKvFormats)
    expect_attends(paged(format, 4, 2, 64, {{37, 75}, {1, 1}, {20, 20}}), "tensor");
}

TEST_F(CudaAttentionTest, TensorTakesOddSizesGroupsAndWidths) {
  for (const auto& [n_heads, n_kv_heads] : {std::pair{1, 1}, std::pair{3, 1}, std::pair{6, 2}})
    expect_attends(contiguous(KvFormat::kBF16, n_heads, n_kv_heads, 33, {23, 67}), "tensor");
  for (const int head_dim : {1, 80, 128})
    for (const KvFormat format : {KvFormat::kF16, KvFormat::kF32})
      expect_attends(contiguous(format, 2, 1, head_dim, {9, 66}), "tensor");
  expect_attends({layout(KvFormat::kFp8, 1, 16, 72, 40), 2, {{40, 50}}}, "tensor");
}

TEST_F(CudaAttentionTest, TensorKeepsToWindowsSinksAndCaps) {
  expect_attends(contiguous(KvFormat::kBF16, 2, 1, 32, {100, 200}, 30), "tensor");
  expect_attends(paged(KvFormat::kF16, 2, 1, 32, {{60, 200}}, {.window = 20, .n_sinks = 3}), "tensor");
  AttentionPlan capped = contiguous(KvFormat::kBF16, 2, 1, 32, {30, 40});
  capped.softcap = 3.0f;
  expect_attends(capped, "tensor");
}

AttentionPlan latent(int n_heads, int head_dim, int value_dim, const std::vector<SequencePlan>& sequences,
                     KvFormat format = KvFormat::kBF16) {
  return {{format, KeyScales::kPerToken, KvValues::kInKeys, 1, 16, head_dim, value_dim}, n_heads, sequences};
}

TEST_F(CudaAttentionTest, LatentDecodesEveryHeadFromOneRow) {
  expect_attends(latent(20, 576, 512, {{1, 70}, {1, 3}}), "latent");
  expect_attends(latent(3, 72, 40, {{2, 40}}), "latent");
  expect_attends(latent(2, 48, 32, {{1, 600}}, KvFormat::kFp8), "latent");  // two stretches
}

TEST_F(CudaAttentionTest, NaiveIsRightToo) {
  for (const KvFormat format : kAllKvFormats) expect_attends(paged(format, 4, 2, 36, {{7, 25}, {1, 3}}), "naive");
  expect_attends(contiguous(KvFormat::kF32, 2, 1, 20, {5, 30}, 8), "naive");
}

/// Keys of full blocks have scales along channels, those behind them wait in bf16.
AttentionPlan by_channel(AttentionPlan plan) {
  plan.layout.key_scales = KeyScales::kPerChannel;
  return plan;
}

TEST_F(CudaAttentionTest, EveryVariantReadsScalesAlongChannels) {
  for (const KvFormat format : {KvFormat::kInt8, KvFormat::kFp8, KvFormat::kInt4}) {
    for (const int head_dim : {64, 36}) {  // whole chunks, and elements one by one
      expect_attends(by_channel(paged(format, 4, 2, head_dim, {{1, 75}, {1, 1}, {1, 32}})), "stream");
      expect_attends(by_channel(paged(format, 4, 2, head_dim, {{37, 75}, {1, 1}, {20, 20}})), "tensor");
      expect_attends(by_channel(paged(format, 4, 2, head_dim, {{7, 25}, {1, 3}})), "naive");
    }
    expect_attends(by_channel(latent(20, 576, 512, {{1, 70}, {1, 3}}, format)), "latent");
  }
}

TEST_F(CudaAttentionTest, ResultsDoNotDependOnTheOrderOfThreads) {
  for (const std::string_view variant : {"stream", "tensor", "naive"}) {
    const AttentionProblem problem(paged(KvFormat::kBF16, 4, 2, 64, {{9, 40}, {1, 70}}));
    const DeviceCall forward(problem.call({}, {})), backward(problem.call({}, {}));
    const std::vector<float> expected = testing::run_attention(forward, variant);
    testing::reverse_schedule();
    EXPECT_EQ(testing::run_attention(backward, variant), expected) << variant;
    testing::restore_schedule();
  }
}

// ---- traffic

void expect_attention_traffic(const AttentionPlan& plan, std::string_view variant) {
  SCOPED_TRACE(variant);
  const AttentionProblem problem(plan);
  const AttentionCall host = problem.call({}, {});
  const DeviceCall device(host);
  const CudaAttentionVariant& chosen = attention_variant_for(device.call(), variant);
  ASSERT_EQ(chosen.workspace_floats(device.call()), 0u) << "partial results are no traffic of the operation";
  testing::expect_traffic(attention_cost(host), device.out_bytes(), [&] { chosen.run(device.call(), {}, nullptr); });
}

TEST_F(CudaAttentionTest, EveryByteOfTheCacheIsReadAndNoOther) {
  for (const KvFormat format : kAllKvFormats) {
    expect_attention_traffic(paged(format, 4, 2, 64, {{1, 230}, {1, 90}}), "stream");
    expect_attention_traffic(paged(format, 4, 2, 64, {{40, 130}, {3, 90}}), "tensor");
  }
  for (const KvFormat format : {KvFormat::kInt8, KvFormat::kInt4}) {  // full blocks: the cost counts no others
    expect_attention_traffic(by_channel(paged(format, 4, 2, 64, {{1, 224}, {1, 96}})), "stream");
    expect_attention_traffic(by_channel(paged(format, 4, 2, 64, {{40, 128}, {3, 96}})), "tensor");
  }
  // 90 queries with a window of 30: rows of 31 keys before the first one, which no query sees, stay unread.
  expect_attention_traffic(contiguous(KvFormat::kBF16, 2, 1, 64, {90, 150}, 30), "tensor");
  expect_attention_traffic(paged(KvFormat::kBF16, 2, 1, 64, {{1, 300}}, {.window = 100, .n_sinks = 8}), "stream");
}

TEST_F(CudaAttentionTest, PartialResultsAreWrittenAndReadOnce) {
  const AttentionProblem problem(paged(KvFormat::kBF16, 4, 2, 64, {{1, 1300}}));
  const AttentionCall host = problem.call({}, {});
  const DeviceCall device(host);
  const CudaAttentionVariant& stream = attention_variant_for(device.call(), "stream");
  // ⌈1300 / 512⌉ = 3 stretches of ⌈1300 / 3⌉ = 434, rounded up to whole tiles of 64: 448; 4 heads of 64 + 2 floats.
  ASSERT_EQ(stream.workspace_floats(device.call()), 3u * 4u * 66u);
  DeviceArray<float> workspace(stream.workspace_floats(device.call()));
  OpCost cost = attention_cost(host);
  const std::size_t state_bytes = workspace.span().size_bytes();
  cost.activation_bytes += Bytes{2.0 * static_cast<double>(state_bytes)};
  testing::expect_traffic(cost, device.out_bytes() + state_bytes,
                          [&] { stream.run(device.call(), workspace.span(), nullptr); });
}

// ---- choice

TEST_F(CudaAttentionTest, TheVariantFollowsWorkAndLayout) {
  const auto chosen = [](const AttentionPlan& plan) {
    const AttentionProblem problem(plan);
    const DeviceCall device(problem.call({}, {}));
    return attention_variant_for(device.call()).name;
  };
  EXPECT_EQ(chosen(contiguous(KvFormat::kBF16, 4, 2, 64, {30, 30})), "tensor");
  EXPECT_EQ(chosen(contiguous(KvFormat::kBF16, 4, 2, 64, {1, 30})), "stream");
  EXPECT_EQ(chosen(contiguous(KvFormat::kF32, 4, 2, 64, {30, 30})), "stream");  // float caches ask for float sums
  EXPECT_EQ(chosen(contiguous(KvFormat::kBF16, 2, 1, 300, {4, 30})), "naive");  // wider than any tile
  EXPECT_EQ(chosen(latent(16, 576, 512, {{1, 30}})), "latent");
}

TEST_F(CudaAttentionTest, WhatAKernelDoesNotTakeIsRefused) {
  const AttentionProblem wide(contiguous(KvFormat::kBF16, 2, 1, 300, {4, 30}));
  const DeviceCall wide_device(wide.call({}, {}));
  EXPECT_THROW(attention_variant_for(wide_device.call(), "tensor"), Error);
}

}  // namespace
}  // namespace dachlast::kernels::cuda
