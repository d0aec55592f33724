#include "kernels/kv_store.h"

#include <cassert>
#include <cstring>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/kv_codes.h"
#include "kernels/cpu/kv_quantize.h"

namespace dachlast::kernels {
namespace {

/// Tokens of one KV head, written one after the other.
class HeadWriter {
 public:
  HeadWriter(const KvTarget& target, int kv_head) : target_(target), layout_(target.pool.layout), kv_head_(kv_head) {}

  void store_value(int slot, std::span<const float> row) const {
    const std::size_t at = token(slot);
    cpu::quantize_row(layout_.format, row, target_.pool.v.data() + at * row_bytes(layout_.format, layout_.value_dim),
                      target_.pool.v_scales.data() + at * row_scales(layout_.format, layout_.value_dim));
  }

  void store_key(int slot, std::span<const float> row) const {
    if (has_channel_scales(layout_)) return store_in_tail(slot, row);
    const std::size_t at = token(slot);
    cpu::quantize_row(layout_.format, row, target_.pool.k.data() + at * row_bytes(layout_.format, layout_.head_dim),
                      target_.pool.k_scales.data() + at * row_scales(layout_.format, layout_.head_dim));
  }

 private:
  /// Index of the head over blocks and heads.
  std::size_t head(int slot) const {
    const std::int32_t block = target_.blocks[static_cast<std::size_t>(slot / layout_.block_size)];
    return static_cast<std::size_t>(block) * static_cast<std::size_t>(layout_.n_kv_heads) +
           static_cast<std::size_t>(kv_head_);
  }
  std::size_t token(int slot) const {
    return head(slot) * static_cast<std::size_t>(layout_.block_size) +
           static_cast<std::size_t>(slot % layout_.block_size);
  }

  std::span<BF16> tail() const {
    const auto elements = static_cast<std::size_t>(layout_.block_size) * static_cast<std::size_t>(layout_.head_dim);
    return target_.tail.subspan(static_cast<std::size_t>(kv_head_) * elements, elements);
  }

  void store_in_tail(int slot, std::span<const float> row) const {
    const int at = slot % layout_.block_size;
    cpu::convert(row, tail().subspan(static_cast<std::size_t>(at) * row.size()).data());
    if (at + 1 < layout_.block_size) return;
    std::byte* rows = target_.pool.k.data() + head(slot) * head_key_bytes(layout_);
    ScaleWord* scales = target_.pool.k_scales.data() + head(slot) * head_key_scales(layout_);
    if (layout_.format == KvFormat::kInt4) std::memset(rows, 0, head_key_bytes(layout_));
    for (int column = 0; column < layout_.head_dim; ++column) seal_channel(column, rows, scales[column]);
  }

  /// Gives one channel of a complete block its scale and codes.
  void seal_channel(int column, std::byte* rows, ScaleWord& word) const {
    const std::span<const BF16> keys = tail();
    const auto key = [&](int row) {
      return to_float(keys[static_cast<std::size_t>(row) * static_cast<std::size_t>(layout_.head_dim) +
                           static_cast<std::size_t>(column)]);
    };
    float lowest = key(0), largest = key(0), poison = 0.0f;
    for (int row = 0; row < layout_.block_size; ++row) {
      lowest = std::min(lowest, key(row));
      largest = std::max(largest, key(row));
      poison += key(row) * 0.0f;
    }
    const std::size_t stride = row_bytes(layout_.format, layout_.head_dim);
    const auto place = [&](int row) { return rows + static_cast<std::size_t>(row) * stride; };
    if (layout_.format == KvFormat::kInt4) {
      word = cpu::int4_word(lowest + poison, largest);
      for (int row = 0; row < layout_.block_size; ++row)
        cpu::put_int4(key(row), cpu::int4_scale(word), column, place(row));
      return;
    }
    const float scale = cpu::scale_of_largest(layout_.format, std::max(std::abs(lowest), std::abs(largest)) + poison);
    word = std::bit_cast<ScaleWord>(scale);
    const auto code = layout_.format == KvFormat::kInt8 ? cpu::int8_code : cpu::fp8_code;
    for (int row = 0; row < layout_.block_size; ++row) place(row)[column] = code(key(row), cpu::inverse(scale));
  }

  const KvTarget& target_;
  const KvLayout& layout_;
  int kv_head_;
};

}  // namespace

void store_kv(const KvTarget& target, std::span<const float> k, std::span<const float> v, int stride, int n_tokens,
              Slice heads) {
  const KvLayout& layout = target.pool.layout;
  assert(target.tail.size() >= tail_elements(layout));
  const auto row = [&](std::span<const float> rows, int token, int head, int width) {
    return rows.subspan(static_cast<std::size_t>(token) * static_cast<std::size_t>(stride) +
                            static_cast<std::size_t>(head) * static_cast<std::size_t>(width),
                        static_cast<std::size_t>(width));
  };
  for (int head = heads.begin; head < heads.end; ++head) {
    const HeadWriter writer(target, head);
    for (int token = 0; token < n_tokens; ++token) {
      const int slot = target.slots.empty() ? target.first_slot + token : target.slots[static_cast<std::size_t>(token)];
      writer.store_key(slot, row(k, token, head, layout.head_dim));
      if (layout.values == KvValues::kOwnRows) writer.store_value(slot, row(v, token, head, layout.value_dim));
    }
  }
}

OpCost store_kv_cost(const KvLayout& layout, int n_tokens) {
  const double rows = static_cast<double>(n_tokens) * layout.n_kv_heads;
  const double width = layout.head_dim + (layout.values == KvValues::kOwnRows ? layout.value_dim : 0);
  const double stored = static_cast<double>(block_bytes(layout)) / layout.block_size * n_tokens;
  const double tail = has_channel_scales(layout) ? rows * layout.head_dim * sizeof(BF16) : 0.0;
  return {.activation_bytes = Bytes{rows * width * sizeof(float)},
          .kv_read_bytes = Bytes{tail},
          .kv_write_bytes = Bytes{stored + tail}};
}

}  // namespace dachlast::kernels
