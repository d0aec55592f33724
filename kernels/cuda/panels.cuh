#pragma once

#include "core/base/packed_matrix.h"
#include "kernels/cuda/device.cuh"

// Weights in panels (core/base/packed_matrix.h) as a device reads them: a panel has as many rows as a warp has lanes, a
// step of it is one coalesced load of 4 bytes a lane.
namespace dachlast::kernels::cuda {

static_assert(kPanelRows == kWarpSize);

/// What PanelLayout says, for the device.
struct Panels {
  const std::uint8_t* bytes;
  std::int64_t panel_bytes;
  int step_columns;
  int step_bytes;
  int scale_bytes;
  int n_steps;
  int group_steps;
  int bits;  // 16: bf16, 8 or 4: integers
};

inline Panels panels_of(const PackedMatrix& w) {
  const PanelLayout layout(w.type, w.columns);
  return {reinterpret_cast<const std::uint8_t*>(w.bytes.data()),
          static_cast<std::int64_t>(layout.panel_bytes()),
          layout.step_columns,
          layout.step_bytes,
          layout.scale_bytes,
          layout.n_steps,
          layout.group_steps,
          w.type.bits()};
}

/// Offset of a group of a panel, where its scales lie; its steps follow.
__device__ inline std::int64_t group_offset(const Panels& p, int group) {
  return static_cast<std::int64_t>(group) * (p.scale_bytes + static_cast<std::int64_t>(p.group_steps) * p.step_bytes);
}
__device__ inline std::int64_t step_offset(const Panels& p, int step) {
  return group_offset(p, step / p.group_steps) + p.scale_bytes +
         static_cast<std::int64_t>(step % p.group_steps) * p.step_bytes;
}

/// Scale of a row in a group: bf16 where there are several a row, else float; 1 for bf16 weights.
__device__ inline float scale_of(const Panels& p, const std::uint8_t* panel, int group, int row) {
  if (p.scale_bytes == 0) return 1.0f;
  const std::uint8_t* scales = panel + group_offset(p, group);
  if (p.scale_bytes == kPanelRows * static_cast<int>(sizeof(float))) return reinterpret_cast<const float*>(scales)[row];
  return to_float(reinterpret_cast<const BF16*>(scales)[row]);
}

/// The 4 bytes of a step that hold a row; rows r and r + 16 of int4 share them.
__device__ inline std::uint32_t step_word(const Panels& p, const std::uint8_t* panel, int step, int row) {
  const int kept_row = p.bits == 4 ? row % (kPanelRows / 2) : row;
  return reinterpret_cast<const std::uint32_t*>(panel + step_offset(p, step))[kept_row];
}

/// Element `column` of a step's word, its scale left out.
template <int kBits>
__device__ inline float element_of(std::uint32_t word, int row, int column) {
  if constexpr (kBits == 16) return to_float(BF16{static_cast<std::uint16_t>(word >> (16 * column))});
  const auto byte = static_cast<int>(word >> (8 * column) & 0xffu);
  if constexpr (kBits == 8) return static_cast<float>(byte - 128);
  return static_cast<float>((row < kPanelRows / 2 ? byte & 15 : byte >> 4) - 8);
}

}  // namespace dachlast::kernels::cuda
