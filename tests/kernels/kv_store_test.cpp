#include "kernels/kv_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/cpu/kv_codes.h"
#include "kernels/cpu/kv_rows.h"
#include "tests/kernels/kv_data.h"

namespace dachlast::kernels {
namespace {

using testing::PoolMemory;
using testing::skewed;

std::string name(const KvLayout& l) {
  return fmt::format("{}, {} scales, block {}, head_dim {}, value_dim {}", name_of(l.format),
                     l.key_scales == KeyScales::kPerToken ? "token" : "channel", l.block_size, l.head_dim, l.value_dim);
}

/// Half a step between neighbouring codes for elements of [lowest, largest]; what a stored element may be off by.
double half_step(KvFormat format, double lowest, double largest) {
  const double magnitude = std::max(std::abs(lowest), std::abs(largest));
  switch (format) {
    case KvFormat::kF32: return 0.0;
    case KvFormat::kBF16: return magnitude * 0x1p-9;
    case KvFormat::kF16: return magnitude * 0x1p-12 * 2.0;  // a subnormal rounds as 2^-14 does
    case KvFormat::kInt8: return magnitude / 127.0 * 0.5;
    case KvFormat::kFp8: return magnitude * 0x1p-4;  // 3 bits of mantissa
    case KvFormat::kInt4: break;
  }
  // step and low are bfloat16: 2^-9 of each is lost, of 15 steps and of the lowest.
  return (largest - lowest) / 15.0 * 0.5 + (largest - lowest) * 0x1p-9 + std::abs(lowest) * 0x1p-8;
}

struct Filled {
  PoolMemory pool;
  std::vector<std::int32_t> table;
  std::vector<BF16> tail;
  testing::Guarded<float> k, v;
  int n_tokens, stride;

  /// Written in calls of `steps` tokens.
  Filled(const KvLayout& layout, int tokens, const std::vector<int>& steps)
      : pool(layout, tokens / layout.block_size + 1),
        table(testing::scattered_tables({tokens / layout.block_size + 1})[0]),
        tail(tail_elements(layout)),
        k(skewed<float>(std::size_t(tokens) * width(layout), 5)),
        v(skewed<float>(std::size_t(tokens) * width(layout), 6)),
        n_tokens(tokens),
        stride(width(layout)) {
    int slot = 0;
    for (const int step : steps) {
      const KvTarget target{pool.target(), table, tail, slot, {}};
      for (const Slice heads : testing::cut(layout.n_kv_heads, 2))
        store_kv(target, k.span().subspan(std::size_t(slot) * stride), v.span().subspan(std::size_t(slot) * stride),
                 stride, step, heads);
      slot += step;
    }
  }

  static int width(const KvLayout& l) { return l.n_kv_heads * std::max(l.head_dim, l.value_dim) + 3; }
  KvSequence sequence() const { return {.blocks = table, .kv_len = n_tokens, .positions = {}, .tail = tail}; }
  float key(int head, int token, int column) const {
    return k[std::size_t(token) * stride + head * pool.layout.head_dim + column];
  }
  float value(int head, int token, int column) const {
    return v[std::size_t(token) * stride + head * pool.layout.value_dim + column];
  }
};

/// Rows of all slots as `read` finds them, [n_tokens, width].
template <class Read>
std::vector<float> all_rows(const Filled& f, int head, int width, Read&& read) {
  std::vector<float> rows;
  for (int slot = 0; slot < f.n_tokens;) {
    const cpu::KvRows part = read(f.pool.view(), f.sequence(), head, slot, f.n_tokens);
    EXPECT_GT(part.n_rows, 0);
    for (int r = 0; r < part.n_rows; ++r)
      for (int c = 0; c < width; ++c) rows.push_back(cpu::element_of(part, r, c));
    slot += part.n_rows;
  }
  return rows;
}

template <class Original>
void expect_close(const std::vector<float>& rows, const KvLayout& layout, int width, const Original& original) {
  // Elements of `skewed` lie in [-1, 2): the bound of the whole range holds for each group and channel of it. The tail
  // rounds to bfloat16 before: up to 2 · 2^-9.
  const double tail = has_channel_scales(layout) ? 0x1p-8 : 0.0;
  const double tolerance = (half_step(layout.format, -1.0, 2.0) + tail) * (1.0 + 1e-5);
  for (std::size_t i = 0; i < rows.size(); ++i)
    ASSERT_NEAR(rows[i], original(static_cast<int>(i) / width, static_cast<int>(i) % width), tolerance)
        << name(layout) << ", element " << i;
}

TEST(StoreKv, WhatIsStoredReadsBackWithinHalfAStep) {
  for (const int head_dim : {1, 5, 32, 40, 128})
    for (const int block_size : {1, 4, 16})
      for (const KvLayout& layout : testing::all_layouts(3, block_size, head_dim, head_dim + 1)) {
        const Filled f(layout, 22, {22});
        for (int head = 0; head < 3; ++head) {
          expect_close(all_rows(f, head, head_dim, cpu::key_rows), layout, head_dim,
                       [&](int token, int column) { return f.key(head, token, column); });
          expect_close(all_rows(f, head, head_dim + 1, cpu::value_rows), layout, head_dim + 1,
                       [&](int token, int column) { return f.value(head, token, column); });
        }
      }
}

TEST(StoreKv, DoesNotDependOnHowTokensComeInCalls) {
  for (const KvLayout& layout : testing::all_layouts(2, 4, 36, 36)) {
    const Filled whole(layout, 11, {11}), pieces(layout, 11, {1, 2, 3, 4, 1});
    EXPECT_EQ(whole.pool.k, pieces.pool.k) << name(layout);
    EXPECT_EQ(whole.pool.v, pieces.pool.v) << name(layout);
    EXPECT_EQ(whole.pool.k_scales, pieces.pool.k_scales) << name(layout);
    EXPECT_EQ(whole.pool.v_scales, pieces.pool.v_scales) << name(layout);
    for (int head = 0; head < 2; ++head)
      EXPECT_EQ(all_rows(whole, head, 36, cpu::key_rows), all_rows(pieces, head, 36, cpu::key_rows)) << name(layout);
  }
}

TEST(StoreKv, ChannelScalesKeepWhatALargeChannelWouldDrown) {
  // Channel 0 is 100 times the others: a scale per token leaves them codes of about 1 in 127, one per channel all 127.
  const auto error = [](KeyScales scales) {
    PoolMemory pool({KvFormat::kInt8, scales, KvValues::kOwnRows, 1, 8, 16, 16}, 1);
    testing::Guarded<float> k = skewed<float>(8 * 16, 1), v = skewed<float>(8 * 16, 2);
    for (std::size_t token = 0; token < 8; ++token) k[token * 16] *= 100.0f;
    const std::vector<std::int32_t> table{0};
    std::vector<BF16> tail(tail_elements(pool.layout));
    store_kv({pool.target(), table, tail, 0, {}}, k.span(), v.span(), 16, 8, {0, 1});
    const KvSequence sequence{.blocks = table, .kv_len = 8, .positions = {}, .tail = tail};
    const cpu::KvRows rows = cpu::key_rows(pool.view(), sequence, 0, 0, 8);
    double largest = 0.0;
    for (int token = 0; token < 8; ++token)
      for (int c = 1; c < 16; ++c)
        largest = std::max(largest, std::abs(double(cpu::element_of(rows, token, c)) - k[std::size_t(token) * 16 + c]));
    return largest;
  };
  EXPECT_GT(error(KeyScales::kPerToken), 0.1);
  EXPECT_LT(error(KeyScales::kPerChannel), 0.02);  // half of 2 / 127, and bf16 of the tail
}

TEST(StoreKv, SlotsOfARingMayComeInAnyOrder) {
  PoolMemory pool({KvFormat::kF32, KeyScales::kPerToken, KvValues::kOwnRows, 1, 2, 1, 1}, 2);
  const std::vector<std::int32_t> table{1, 0}, slots{3, 0};
  const std::vector<float> k{10.0f, 20.0f}, v{30.0f, 40.0f};
  store_kv({pool.target(), table, {}, 0, slots}, k, v, 1, 2, {0, 1});
  const KvSequence sequence{.blocks = table, .kv_len = 4, .positions = {}, .tail = {}};
  EXPECT_EQ(cpu::element_of(cpu::key_rows(pool.view(), sequence, 0, 3, 4), 0, 0), 10.0f);
  EXPECT_EQ(cpu::element_of(cpu::value_rows(pool.view(), sequence, 0, 0, 1), 0, 0), 40.0f);
}

TEST(StoreKv, ANotFiniteElementIsNotHidden) {
  for (const KvLayout& layout : testing::all_layouts(1, 2, 8, 8))
    for (const float bad : {testing::kNan, std::numeric_limits<float>::infinity()}) {
      PoolMemory pool(layout, 1);
      std::vector<float> k(16, 1.0f), v(16, 1.0f);
      k[3] = v[3] = bad;
      const std::vector<std::int32_t> table{0};
      std::vector<BF16> tail(tail_elements(layout));
      store_kv({pool.target(), table, tail, 0, {}}, k, v, 8, 2, {0, 1});
      const KvSequence sequence{.blocks = table, .kv_len = 2, .positions = {}, .tail = tail};
      EXPECT_FALSE(std::isfinite(cpu::element_of(cpu::key_rows(pool.view(), sequence, 0, 0, 2), 0, 3))) << name(layout);
      EXPECT_FALSE(std::isfinite(cpu::element_of(cpu::value_rows(pool.view(), sequence, 0, 0, 2), 0, 3)))
          << name(layout);
    }
}

TEST(KvRows, ValuesInKeysReadTheSameMemory) {
  for (const KvFormat format : kAllKvFormats) {
    PoolMemory pool({format, KeyScales::kPerToken, KvValues::kInKeys, 1, 4, 72, 64}, 1);
    const auto k = skewed<float>(4 * 72, 1);
    const std::vector<std::int32_t> table{0};
    store_kv({pool.target(), table, {}, 0, {}}, k.span(), {}, 72, 4, {0, 1});
    const KvSequence sequence{.blocks = table, .kv_len = 4, .positions = {}, .tail = {}};
    const auto keys = cpu::key_rows(pool.view(), sequence, 0, 1, 4),
               values = cpu::value_rows(pool.view(), sequence, 0, 1, 4);
    EXPECT_EQ(values.width, 64);
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < 64; ++c) EXPECT_EQ(cpu::element_of(keys, r, c), cpu::element_of(values, r, c));
  }
}

TEST(KvRows, ExpandedRowsAreTheElements) {
  for (const int width : {1, 7, 16, 33, 80})
    for (const KvLayout& layout : testing::all_layouts(2, 8, width, width)) {
      const Filled f(layout, 21, {21});
      for (const cpu::SimdTarget& target : cpu::simd_targets()) {
        const cpu::SimdTargetScope scope(target);
        for (int slot = 0; slot < 21;) {
          const cpu::KvRows rows = cpu::key_rows(f.pool.view(), f.sequence(), 1, slot, 21);
          testing::Guarded<float> out(std::size_t(rows.n_rows) * (width + 2));
          cpu::expand_rows(rows, out.span().data(), width + 2);
          EXPECT_TRUE(out.guards_intact());
          for (int r = 0; r < rows.n_rows; ++r)
            for (int c = 0; c < width; ++c)
              EXPECT_FLOAT_EQ(out[std::size_t(r) * (width + 2) + c], cpu::element_of(rows, r, c)) << name(layout);
          slot += rows.n_rows;
        }
      }
    }
}

TEST(KvCodes, EveryFp8AndHalfRoundsToItself) {
  for (int code = 0; code < 256; ++code) {
    const float x = cpu::fp8_to_float(static_cast<std::uint8_t>(code));
    if (std::isnan(x)) continue;
    EXPECT_EQ(cpu::to_fp8(x), code);
  }
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const F16 half{static_cast<std::uint16_t>(bits)};
    if (std::isnan(to_float(half))) continue;
    ASSERT_EQ(cpu::to_f16(to_float(half)).bits, bits);
  }
}

TEST(KvCodes, RoundingIsToNearestEven) {
  EXPECT_EQ(cpu::fp8_to_float(cpu::to_fp8(17.0f)), 16.0f);  // between 16 and 18: the even mantissa
  EXPECT_EQ(cpu::fp8_to_float(cpu::to_fp8(19.0f)), 20.0f);  // between 18 and 20
  EXPECT_EQ(cpu::fp8_to_float(cpu::to_fp8(-500.0f)), -448.0f);
  EXPECT_EQ(cpu::fp8_to_float(cpu::to_fp8(0x1p-9f)), 0x1p-9f);
  EXPECT_EQ(cpu::fp8_to_float(cpu::to_fp8(0x1p-10f)), 0.0f);  // half of the least: to even
  EXPECT_EQ(cpu::to_f16(2049.0f).bits, cpu::to_f16(2048.0f).bits);
  EXPECT_EQ(cpu::to_f16(1e6f).bits, 0x7c00);
}

TEST(KvLayoutSizes, FollowTheFormat) {
  // 8 KV heads, blocks of 16, head_dim 128: a row of K is 128 elements.
  const auto bytes = [](KvFormat format, KeyScales scales = KeyScales::kPerToken) {
    return block_bytes({format, scales, KvValues::kOwnRows, 8, 16, 128, 128});
  };
  EXPECT_EQ(bytes(KvFormat::kBF16), 2u * 8 * 16 * 256);
  EXPECT_EQ(bytes(KvFormat::kInt8), 2u * 8 * 16 * (128 + 4));
  EXPECT_EQ(bytes(KvFormat::kInt4), 2u * 8 * 16 * (64 + 4 * 4));  // 4 groups of 32, a word each
  // Keys: 128 words a head instead of 16; values as before.
  EXPECT_EQ(bytes(KvFormat::kInt8, KeyScales::kPerChannel), 8u * (2 * 16 * 128 + 4 * (128 + 16)));
  EXPECT_EQ(row_bytes(KvFormat::kInt4, 33), 32u);  // a second group for one element
  EXPECT_EQ(tail_elements({KvFormat::kInt4, KeyScales::kPerChannel, KvValues::kOwnRows, 8, 16, 128, 128}),
            8u * 16 * 128);
  // MLA: 576 elements once.
  EXPECT_EQ(block_bytes({KvFormat::kBF16, KeyScales::kPerToken, KvValues::kInKeys, 1, 64, 576, 512}), 64u * 576 * 2);
}

TEST(StoreKvCost, CountsRowsScalesAndTheTail) {
  // 3 tokens · 2 heads · (8 + 8) floats read; int8: 16 codes and 2 words of 4 bytes written per token and head.
  const OpCost token = store_kv_cost({KvFormat::kInt8, KeyScales::kPerToken, KvValues::kOwnRows, 2, 4, 8, 8}, 3);
  EXPECT_DOUBLE_EQ(token.activation_bytes.value, 3 * 2 * 16 * 4.0);
  EXPECT_DOUBLE_EQ(token.kv_write_bytes.value, 3 * 2 * (16 + 8.0));
  // Per channel: 8 words of a head serve 4 tokens, 2 a token; keys pass through the tail: 16 bytes there and back.
  const OpCost channel = store_kv_cost({KvFormat::kInt8, KeyScales::kPerChannel, KvValues::kOwnRows, 2, 4, 8, 8}, 3);
  EXPECT_DOUBLE_EQ(channel.kv_write_bytes.value, 3 * 2 * (16 + 8.0 + 4.0 + 16.0));
  EXPECT_DOUBLE_EQ(channel.kv_read_bytes.value, 3 * 2 * 16.0);
}

}  // namespace
}  // namespace dachlast::kernels
