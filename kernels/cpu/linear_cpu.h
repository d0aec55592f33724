#pragma once

#include "kernels/linear.h"

// The CPU builds of `Linear`, declared through the contract's own type; kernels/linear.cpp lists them.
namespace dachlast::kernels::cpu {

/// Rows of x that one pass over the weights serves: one running sum a row, and 8 keep both FMA units busy.
inline constexpr int kGemvRows = 8;

Linear linear_gemv;
Linear linear_onednn_f32;
Linear linear_onednn_bf16;
Linear linear_onednn_widened;
Linear linear_reference;

bool onednn_bf16_supported();

}  // namespace dachlast::kernels::cpu
