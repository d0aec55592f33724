#include "kernels/cpu/attention_bf16.h"

#include "core/base/cpu_features.h"
#include "kernels/cpu/attention_cpu.h"

namespace dachlast::kernels::cpu {

std::size_t bf16_scratch_floats(int n_rows, int head_dim, int value_dim) {
  const auto k = static_cast<std::size_t>(kv_stride(head_dim)), v = static_cast<std::size_t>(kv_stride(value_dim));
  const auto rows = static_cast<std::size_t>(round_up(n_rows, kBlockRows));
  const std::size_t rows_buffer = kBf16Tile * std::max(k, v) / 2, packed = kBf16Tile * (k + v) / 2;
  const std::size_t scores = kBf16Tile * kBlockRows + kBf16Tile * kBlockRows / 2;
  const std::size_t state = rows * (k / 2 + v + 2) + 2 * kBlockRows;
  const std::size_t many = rows_buffer + packed + scores + state;
  const std::size_t few_state = kFewRows * (k + v + kPad), few_scores = kFewRows * (kBf16Stretch + kBf16FewTile / 2);
  const std::size_t few = kBf16FewTile * std::max(k, v) / 2 + few_state + few_scores;
  const std::size_t lost_to_alignment = 14 * kPad;
  return std::max(many, few) + lost_to_alignment;
}

bool attention_bf16_supported() {
#if defined(__x86_64__)
  // VBMI, the table look-ups of 8-bit codes: every CPU with AVX512_BF16 but Cooper Lake. VNNI all of them have.
  const CpuFeatures& cpu = cpu_features();
  return cpu.avx512 && cpu.avx512_bf16 && cpu.avx512_vnni && __builtin_cpu_supports("avx512vbmi");
#else
  return false;
#endif
}

std::size_t attention_bf16_scratch(const AttentionSizes& s) {
  const int group = s.n_heads / s.n_kv_heads;
  return bf16_scratch_floats(std::min(tile_queries(group), s.q_len) * group, s.head_dim, s.value_dim);
}

void attention_bf16([[maybe_unused]] const AttentionCall& call, [[maybe_unused]] std::span<float> scratch,
                    [[maybe_unused]] Slice units) {
#if defined(__x86_64__)
  for (UnitWalk walk(call, units); !walk.done(); walk.next()) {
    const AttentionUnit unit = walk.unit();
    const GroupRows rows(call, unit);
    if (rows.size() <= kFewRows)
      attend_few_rows(rows, scratch);
    else
      attend_blocks(rows, scratch);
  }
#endif
}

}  // namespace dachlast::kernels::cpu
