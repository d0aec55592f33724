#include "kernels/kv_store.h"

#include <cassert>
#include <cstring>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/kv_codes.h"

namespace dachlast::kernels {
namespace {

using cpu::Int4Place;
using cpu::Int4Scale;

/// 0 where all elements are finite, else NaN: added to a scale it makes all that the scale stands for read as NaN.
float poison_of(std::span<const float> row) {
  float poison = 0.0f;
  for (const float x : row) poison += x * 0.0f;
  return poison;
}

float largest_magnitude(std::span<const float> row) {
  float largest = 0.0f;
  for (const float x : row) largest = std::max(largest, std::abs(x));
  return largest + poison_of(row);
}

/// 1 / scale, or 0 where all elements are 0 and every code will do.
float inverse(float scale) {
  return scale > 0.0f ? 1.0f / scale : 0.0f;
}

std::byte int8_code(float x, float inverse_scale) {
  return static_cast<std::byte>(cpu::nearest_code(x * inverse_scale, -cpu::kInt8Largest, cpu::kInt8Largest));
}

std::byte fp8_code(float x, float inverse_scale) {
  return static_cast<std::byte>(cpu::to_fp8(x * inverse_scale));
}

void put_int4(float x, const Int4Scale& scale, int column, std::byte* row) {
  const Int4Place place = cpu::int4_place(column);
  const int code = cpu::nearest_code((x - scale.low) * inverse(scale.step), 0.0f, cpu::kInt4Largest);
  const std::byte kept = row[place.byte] & static_cast<std::byte>(0xf0 >> place.shift);
  row[place.byte] = kept | static_cast<std::byte>(code << place.shift);
}

float scale_of_largest(KvFormat format, float largest) {
  return largest / (format == KvFormat::kFp8 ? cpu::kFp8Largest : cpu::kInt8Largest);
}

void store_int4_groups(std::span<const float> row, std::byte* out, ScaleWord* scales) {
  std::memset(out, 0, row_bytes(KvFormat::kInt4, static_cast<int>(row.size())));
  for (std::size_t first = 0; first < row.size(); first += kInt4Group) {
    const auto group = row.subspan(first, std::min<std::size_t>(kInt4Group, row.size() - first));
    const auto [lowest, largest] = std::minmax_element(group.begin(), group.end());
    *scales = cpu::int4_word(*lowest + poison_of(group), *largest);
    const Int4Scale scale = cpu::int4_scale(*scales++);
    for (std::size_t i = 0; i < group.size(); ++i) put_int4(group[i], scale, static_cast<int>(first + i), out);
  }
}

/// One row with scales of its own, or none.
void store_row(KvFormat format, std::span<const float> row, std::byte* out, ScaleWord* scales) {
  switch (format) {
    case KvFormat::kF32: std::memcpy(out, row.data(), row.size_bytes()); return;
    case KvFormat::kBF16: return cpu::convert(row, reinterpret_cast<BF16*>(out));
    case KvFormat::kF16:
      for (std::size_t i = 0; i < row.size(); ++i) {
        const F16 half = cpu::to_f16(row[i]);
        std::memcpy(out + i * sizeof(F16), &half, sizeof(F16));
      }
      return;
    case KvFormat::kInt8:
    case KvFormat::kFp8: break;
    case KvFormat::kInt4: return store_int4_groups(row, out, scales);
  }
  const float scale = scale_of_largest(format, largest_magnitude(row));
  *scales = std::bit_cast<ScaleWord>(scale);
  const auto code = format == KvFormat::kInt8 ? int8_code : fp8_code;
  for (std::size_t i = 0; i < row.size(); ++i) out[i] = code(row[i], inverse(scale));
}

/// Tokens of one KV head, written one after the other.
class HeadWriter {
 public:
  HeadWriter(const KvTarget& target, int kv_head) : target_(target), layout_(target.pool.layout), kv_head_(kv_head) {}

  void store_value(int slot, std::span<const float> row) const {
    const std::size_t at = token(slot);
    store_row(layout_.format, row, target_.pool.v.data() + at * row_bytes(layout_.format, layout_.value_dim),
              target_.pool.v_scales.data() + at * row_scales(layout_.format, layout_.value_dim));
  }

  void store_key(int slot, std::span<const float> row) const {
    if (has_channel_scales(layout_)) return store_in_tail(slot, row);
    const std::size_t at = token(slot);
    store_row(layout_.format, row, target_.pool.k.data() + at * row_bytes(layout_.format, layout_.head_dim),
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
      for (int row = 0; row < layout_.block_size; ++row) put_int4(key(row), cpu::int4_scale(word), column, place(row));
      return;
    }
    const float scale = scale_of_largest(layout_.format, std::max(std::abs(lowest), std::abs(largest)) + poison);
    word = std::bit_cast<ScaleWord>(scale);
    const auto code = layout_.format == KvFormat::kInt8 ? int8_code : fp8_code;
    for (int row = 0; row < layout_.block_size; ++row) place(row)[column] = code(key(row), inverse(scale));
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
