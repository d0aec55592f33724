#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/kv_store.h"
#include "tests/kernels/test_data.h"

// A pool of KV blocks that tests fill through `store_kv`.
namespace dachlast::kernels::testing {

/// Everything of one layer's pool in arrays of exactly the size the contract names, filled with 0xff: NaN in every float
/// format and every scale.
struct PoolMemory {
  KvLayout layout;
  std::vector<std::byte> k, v;
  std::vector<ScaleWord> k_scales, v_scales;

  PoolMemory(const KvLayout& sizes, int n_blocks)
      : layout(sizes),
        k(heads(n_blocks) * head_key_bytes(sizes), std::byte{0xff}),
        v(heads(n_blocks) * head_value_bytes(sizes), std::byte{0xff}),
        k_scales(heads(n_blocks) * head_key_scales(sizes), 0xffffffffu),
        v_scales(heads(n_blocks) * head_value_scales(sizes), 0xffffffffu) {}

  std::size_t heads(int n_blocks) const {
    return static_cast<std::size_t>(n_blocks) * static_cast<std::size_t>(layout.n_kv_heads);
  }
  KvPool view() const { return {layout, k, v, k_scales, v_scales}; }
  MutableKvPool target() { return {layout, k, v, k_scales, v_scales}; }
};

/// Every format, int8, int4 and fp8 with both kinds of scales.
inline std::vector<KvLayout> all_layouts(int n_kv_heads, int block_size, int head_dim, int value_dim) {
  std::vector<KvLayout> layouts;
  for (const KvFormat format : kAllKvFormats)
    for (const KeyScales scales : {KeyScales::kPerToken, KeyScales::kPerChannel}) {
      if (scales == KeyScales::kPerChannel && !has_scales(format)) continue;
      layouts.push_back({format, scales, KvValues::kOwnRows, n_kv_heads, block_size, head_dim, value_dim});
    }
  return layouts;
}

/// Block tables of sequences whose blocks alternate and run backwards: no two neighbours are neighbours in the pool.
inline std::vector<std::vector<std::int32_t>> scattered_tables(const std::vector<int>& n_blocks) {
  std::vector<std::vector<std::int32_t>> tables(n_blocks.size());
  std::int32_t next = std::accumulate(n_blocks.begin(), n_blocks.end(), 0);
  for (int round = 0; next > 0; ++round)
    for (std::size_t s = 0; s < tables.size(); ++s)
      if (round < n_blocks[s]) tables[s].push_back(--next);
  return tables;
}

}  // namespace dachlast::kernels::testing
