#pragma once

#include <span>

#include "kernels/packed_linear.h"

// The CPU builds of `PackedLinear`; kernels/packed_linear.cpp lists them.
namespace dachlast::kernels::cpu {

PackedLinear packed_linear_vnni;
PackedLinear packed_linear_bf16;
PackedLinear packed_linear_plain;
PackedLinear packed_linear_reference;
PackRows pack_rows_vnni;
PackRows pack_rows_bf16;
PackRows pack_rows_reference;

bool vnni_supported();
bool avx512_bf16_supported();

/// Rows of activations that stay below become 0, as their scale and its inverse would leave the range of float: 127 · 2^-126.
inline constexpr float kLeastMagnitude = 127.0F * 0x1p-126F;

/// One panel of weights times one tile of activations.
struct PanelProduct {
  const std::byte* w;
  const std::byte* ahead;     // what a later product will read, fetched into L2
  std::ptrdiff_t ahead_step;  // bytes of it a step
  const std::byte* x;         // steps
  const float* x_scales;
  const std::int32_t* corrections;
  int n_steps;
  int group_steps;
  int tile_rows;
  const float* bias;  // null: none
  float* y;
  int y_stride;
  int n_columns;  // of y: 32, or fewer in the last panel
};

/// Made for a number of rows.
using PanelKernel = void(const PanelProduct&);

/// Calls `by_rows[rows − 1]` for every tile of every panel: a panel stays in a cache while all tiles pass.
void multiply_panels(const LinearShape& shape, std::span<const std::byte> packed_x, const PackedMatrix& w,
                     std::span<const float> bias, std::span<float> y, Slice panels,
                     std::span<PanelKernel* const, kMostTileRows> by_rows);

}  // namespace dachlast::kernels::cpu
