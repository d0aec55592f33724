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

// -------- scales along channels

/// New tokens of two sequences in one step, one behind another that left keys waiting, in places that are not their order.
class ChannelStep {
 public:
  /// As `store_kv` of the host does for one step of both sequences.
  ChannelStep(const KvLayout& layout, std::span<const int> n_before, std::span<const int> n_new)
      : layout_(layout), expected_(layout, kBlocks), tails_(kPlaces * tail_elements(layout)) {
    for (int i = 0; i < kSequences; ++i) add(i, 0, n_before[i], 10 + i);
    in_.clear(), slots_.clear(), sequences_.clear();
    before_ = std::pair(expected_, tails_);
    for (int i = 0; i < kSequences; ++i) add(i, n_before[i], n_new[i], 20 + i);
  }

  void expect_same() const {
    DevicePoolOf pool(before_.first);
    DeviceArray<BF16> tails(before_.second);
    const DeviceArray<float> in(in_);
    const DeviceArray<std::int32_t> slots(slots_), blocks(tables());
    const DeviceArray<CudaSequence> sequences(sequences_);
    int longest = 0;
    for (const CudaSequence& s : sequences_) longest = std::max(longest, s.q_len);
    const CudaKvTarget target{pool.target(), slots.span(), tails.span(), sequences.span(), blocks.span(), longest};
    const OpCost cost = store_channels_cost(target, sequences_);
    const auto values = static_cast<std::size_t>(layout_.n_kv_heads * layout_.head_dim);
    testing::expect_traffic(cost, static_cast<std::size_t>(cost.kv_write_bytes.value),
                            [&] { store_kv(target, in.span(), in.span().subspan(values), stride(), nullptr); });
    EXPECT_EQ(pool.k.host(), expected_.k);
    EXPECT_EQ(pool.v.host(), expected_.v);
    EXPECT_EQ(pool.k_scales.host(), expected_.k_scales);
    EXPECT_EQ(pool.v_scales.host(), expected_.v_scales);
    expect_same_tails(tails.host());
  }

 private:
  static constexpr int kSequences = 2, kPlaces = 3, kBlocks = 16;
  using DevicePoolOf = DevicePool;

  int stride() const { return layout_.n_kv_heads * (layout_.head_dim + layout_.value_dim) + 3; }
  static std::vector<std::int32_t> tables() { return {5, 0, 7, 2, 9, 1, 3, 8, 4, 15, 6, 11, 12, 10, 14, 13}; }
  static std::int32_t place_of(int sequence) { return 2 - sequence; }

  std::span<BF16> tail(int sequence) {
    const std::size_t elements = tail_elements(layout_);
    return std::span(tails_).subspan(static_cast<std::size_t>(place_of(sequence)) * elements, elements);
  }

  void add(int sequence, int first, int n, std::uint32_t seed) {
    const std::vector<std::int32_t> all = tables();
    const int first_block = sequence * kBlocks / kSequences;
    const std::span table = std::span(all).subspan(static_cast<std::size_t>(first_block));
    sequences_.push_back({first_block, first + n, n, first, static_cast<int>(slots_.size()), place_of(sequence)});
    for (int slot = first; slot < first + n; ++slot)
      slots_.push_back(table[static_cast<std::size_t>(slot / layout_.block_size)] * layout_.block_size +
                       slot % layout_.block_size);
    const auto rows = skewed<float>(static_cast<std::size_t>(n * stride()), seed);
    in_.insert(in_.end(), rows.span().begin(), rows.span().end());
    const auto values = static_cast<std::size_t>(layout_.n_kv_heads * layout_.head_dim);
    if (n > 0)
      kernels::store_kv({expected_.target(), table, tail(sequence), first, {}}, rows.span(),
                        rows.span().subspan(values), stride(), n, {0, layout_.n_kv_heads});
  }

  /// Rows of the blocks that may still be cut: what lies behind them, the host leaves from blocks before.
  void expect_same_tails(const std::vector<BF16>& found) const {
    const auto width = static_cast<std::size_t>(layout_.head_dim);
    for (int i = 0; i < kSequences; ++i) {
      const int end = sequences_[static_cast<std::size_t>(i)].kv_len;
      const int n_waiting = end == 0 ? 0 : (end - 1) % layout_.block_size + 1;
      for (int head = 0; head < layout_.n_kv_heads; ++head)
        for (std::size_t j = 0; j < static_cast<std::size_t>(n_waiting) * width; ++j) {
          const std::size_t rows =
              static_cast<std::size_t>((place_of(i) * layout_.n_kv_heads + head) * layout_.block_size);
          EXPECT_EQ(found[rows * width + j].bits, tails_[rows * width + j].bits) << i << ' ' << head << ' ' << j;
        }
    }
  }

  KvLayout layout_;
  PoolMemory expected_;
  std::vector<BF16> tails_;
  std::pair<PoolMemory, std::vector<BF16>> before_{expected_, tails_};
  std::vector<float> in_;
  std::vector<std::int32_t> slots_;
  std::vector<CudaSequence> sequences_;
};

TEST_F(CudaKvStore, KeysWithScalesAlongChannelsAreThoseOfTheHost) {
  struct Case {
    int n_before[2];
    int n_new[2];
  };
  // A block is 4: nothing full; one filled by keys that waited; several; ends on a block's last row; one sequence idle.
  const Case cases[] = {{{0, 1}, {3, 1}}, {{3, 2}, {1, 1}}, {{2, 5}, {13, 4}}, {{4, 0}, {4, 8}}, {{7, 3}, {0, 2}}};
  for (const KvFormat format : {KvFormat::kInt8, KvFormat::kFp8, KvFormat::kInt4})
    for (const int head_dim : {5, 32, 72, 136})
      for (const Case& one : cases) {
        SCOPED_TRACE(fmt::format("{}, {} wide, {} + {}, {} + {}", name_of(format), head_dim, one.n_before[0],
                                 one.n_new[0], one.n_before[1], one.n_new[1]));
        ChannelStep({format, KeyScales::kPerChannel, KvValues::kOwnRows, 2, 4, head_dim, head_dim + 1}, one.n_before,
                    one.n_new)
            .expect_same();
      }
}

}  // namespace
}  // namespace dachlast::kernels::cuda
