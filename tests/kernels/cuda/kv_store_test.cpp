#include "kernels/cuda/kv_store.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "kernels/cpu/kv_rows.h"
#include "tests/kernels/cuda/device_memory.h"
#include "tests/kernels/kv_data.h"

namespace dachlast::kernels::cuda {
namespace {

using kernels::testing::kNan;
using kernels::testing::PoolMemory;
using kernels::testing::skewed;
using testing::DeviceArray;

class CudaKvStore : public testing::CudaTest {};

/// A pool on the device, as the host has it.
struct DevicePool {
  KvLayout layout;
  DeviceArray<std::byte> k, v;
  DeviceArray<ScaleWord> k_scales, v_scales;

  explicit DevicePool(const PoolMemory& host)
      : layout(host.layout), k(host.k), v(host.v), k_scales(host.k_scales), v_scales(host.v_scales) {}
  MutableKvPool target() { return {layout, k.span(), v.span(), k_scales.span(), v_scales.span()}; }
};

/// New tokens of one sequence, whose blocks lie in any order.
struct Tokens {
  static constexpr int kTokens = 11, kBlocks = 4;
  std::vector<std::int32_t> table = {2, 0, 3, 1};
  std::vector<float> k, v;
  int stride;

  explicit Tokens(const KvLayout& l) : stride(l.n_kv_heads * std::max(l.head_dim, l.value_dim) + 3) {
    const auto n = static_cast<std::size_t>(kTokens) * static_cast<std::size_t>(stride);
    const auto keys = skewed<float>(n, 5), values = skewed<float>(n, 6);
    k.assign(keys.span().begin(), keys.span().end());
    v.assign(values.span().begin(), values.span().end());
  }
  std::vector<std::int32_t> slots(int block_size) const {
    std::vector<std::int32_t> all;
    for (int i = 0; i < kTokens; ++i) all.push_back(table[i / block_size] * block_size + i % block_size);
    return all;
  }
};

PoolMemory stored_by_host(const KvLayout& l, const Tokens& tokens) {
  PoolMemory pool(l, Tokens::kBlocks);
  kernels::store_kv({pool.target(), tokens.table, {}, 0, {}}, tokens.k, tokens.v, tokens.stride, Tokens::kTokens,
                    {0, l.n_kv_heads});
  return pool;
}

void expect_stores(const KvLayout& l) {
  SCOPED_TRACE(fmt::format("{}, block {}, dims {} and {}", name_of(l.format), l.block_size, l.head_dim, l.value_dim));
  const Tokens tokens(l);
  const PoolMemory expected = stored_by_host(l, tokens);
  DevicePool pool(PoolMemory(l, Tokens::kBlocks));
  const DeviceArray<float> k(tokens.k), v(tokens.v);
  const DeviceArray<std::int32_t> slots(tokens.slots(l.block_size));
  const CudaKvTarget target{pool.target(), slots.span()};
  const std::size_t written = block_bytes(l) / static_cast<std::size_t>(l.block_size) * Tokens::kTokens;
  testing::expect_traffic(store_kv_cost(target), written,
                          [&] { store_kv(target, k.span(), v.span(), tokens.stride, nullptr); });
  EXPECT_EQ(pool.k.host(), expected.k);
  EXPECT_EQ(pool.v.host(), expected.v);
  EXPECT_EQ(pool.k_scales.host(), expected.k_scales);
  EXPECT_EQ(pool.v_scales.host(), expected.v_scales);
}

TEST_F(CudaKvStore, StoresTheSameBitsAsTheHost) {
  for (const KvFormat format : kAllKvFormats)
    for (const int block_size : {4, 16})  // paged, and one block for all tokens
      for (const int head_dim : {1, 5, 32, 40, 128})
        expect_stores({format, KeyScales::kPerToken, KvValues::kOwnRows, 3, block_size, head_dim, head_dim + 1});
}

TEST_F(CudaKvStore, StoresLatentsWithoutValues) {
  expect_stores({KvFormat::kBF16, KeyScales::kPerToken, KvValues::kInKeys, 1, 4, 72, 64});
  expect_stores({KvFormat::kFp8, KeyScales::kPerToken, KvValues::kInKeys, 1, 4, 72, 64});
}

TEST_F(CudaKvStore, ANanMakesAllThatSharesItsScaleReadAsNan) {
  for (const KvFormat format : {KvFormat::kInt8, KvFormat::kFp8, KvFormat::kInt4}) {
    const KvLayout l{format, KeyScales::kPerToken, KvValues::kOwnRows, 1, 16, 32, 32};
    Tokens tokens(l);
    tokens.k[static_cast<std::size_t>(2 * tokens.stride + 7)] = kNan;
    tokens.v[static_cast<std::size_t>(3 * tokens.stride + 1)] = INFINITY;
    DevicePool pool(PoolMemory(l, Tokens::kBlocks));
    const DeviceArray<float> k(tokens.k), v(tokens.v);
    const DeviceArray<std::int32_t> slots(tokens.slots(l.block_size));
    store_kv({pool.target(), slots.span()}, k.span(), v.span(), tokens.stride, nullptr);
    PoolMemory host(l, Tokens::kBlocks);
    host.k = pool.k.host(), host.v = pool.v.host();
    host.k_scales = pool.k_scales.host(), host.v_scales = pool.v_scales.host();
    const KvSequence sequence{.blocks = tokens.table, .kv_len = Tokens::kTokens, .positions = {}, .tail = {}};
    const cpu::KvRows keys = cpu::key_rows(host.view(), sequence, 0, 0, Tokens::kTokens);
    const cpu::KvRows values = cpu::value_rows(host.view(), sequence, 0, 0, Tokens::kTokens);
    for (int column = 0; column < 32; ++column) {
      EXPECT_TRUE(std::isnan(cpu::element_of(keys, 2, column))) << name_of(format);
      EXPECT_TRUE(std::isnan(cpu::element_of(values, 3, column))) << name_of(format);
      EXPECT_FALSE(std::isnan(cpu::element_of(keys, 3, column))) << name_of(format);
    }
  }
}

TEST_F(CudaKvStore, ScalesPerChannelAreRefused) {
  const KvLayout l{KvFormat::kInt8, KeyScales::kPerChannel, KvValues::kOwnRows, 1, 4, 8, 8};
  EXPECT_THROW(store_kv({MutableKvPool{l, {}, {}, {}, {}}, {}}, {}, {}, 8, nullptr), Error);
}

}  // namespace
}  // namespace dachlast::kernels::cuda
