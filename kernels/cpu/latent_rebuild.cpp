// K and V of all heads from the latents of a cache, for attention of many queries.
#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/kv_rows.h"
#include "kernels/latent.h"

namespace dachlast::kernels {
namespace {

std::size_t at(int row, int width) {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(width);
}

/// `n` floats to element `i` of rows of f32 or bf16.
void put(KvFormat format, const float* from, int n, std::byte* rows, std::size_t i) {
  const std::span<const float> values(from, static_cast<std::size_t>(n));
  if (format == KvFormat::kF32)
    std::memcpy(rows + i * sizeof(float), values.data(), values.size_bytes());
  else
    cpu::convert(values, reinterpret_cast<BF16*>(rows) + i);
}

}  // namespace

void read_latents(const KvPool& pool, const KvSequence& sequence, const LatentHeads& s, const LatentRows& out,
                  std::span<float> row, Slice slots) {
  for (int slot = slots.begin; slot < slots.end;) {
    cpu::KvRows part = cpu::key_rows(pool, sequence, 0, slot, slots.end);
    const int n_rows = std::exchange(part.n_rows, 1);
    const std::size_t words = part.axis == cpu::ScaleAxis::kToken ? row_scales(part.format, part.width) : 0;
    for (int r = 0; r < n_rows; ++r, ++slot, part.rows += part.stride_bytes, part.scales += words) {
      cpu::expand_rows(part, row.data(), s.row_dim());
      std::copy_n(row.data(), s.latent_dim, out.latents.data() + at(slot, s.latent_dim));
      std::copy_n(row.data() + s.latent_dim, s.rotary_dim, out.keys.data() + at(slot, s.rotary_dim));
    }
  }
}

void join_heads(const LatentHeads& s, std::span<const float> raised, std::span<const float> keys,
                const MutableKvPool& pool, int block, Slice slots) {
  const KvLayout& layout = pool.layout;
  for (int slot = slots.begin; slot < slots.end; ++slot) {
    const float* head = raised.data() + at(slot, s.n_heads * (s.key_dim + s.value_dim));
    for (int h = 0; h < s.n_heads; ++h, head += s.key_dim + s.value_dim) {
      const std::size_t row = at(block * s.n_heads + h, layout.block_size) + static_cast<std::size_t>(slot);
      const std::size_t key = row * static_cast<std::size_t>(layout.head_dim);
      put(layout.format, head, s.key_dim, pool.k.data(), key);
      put(layout.format, keys.data() + at(slot, s.rotary_dim), s.rotary_dim, pool.k.data(),
          key + static_cast<std::size_t>(s.key_dim));
      put(layout.format, head + s.key_dim, s.value_dim, pool.v.data(),
          row * static_cast<std::size_t>(layout.value_dim));
    }
  }
}

KvLayout rebuilt_layout(const LatentHeads& s, KvFormat cache, int n_slots) {
  return {.format = cache == KvFormat::kF32 ? KvFormat::kF32 : KvFormat::kBF16,
          .n_kv_heads = s.n_heads,
          .block_size = n_slots,
          .head_dim = s.query_dim(),
          .value_dim = s.value_dim};
}

}  // namespace dachlast::kernels
