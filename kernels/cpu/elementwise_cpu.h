#pragma once

#include "kernels/elementwise.h"

// The CPU builds of the cheap operations, declared through the contracts' own types; kernels/elementwise.cpp lists
// them.
namespace dachlast::kernels::cpu {

Embed embed_simd;
Norm norm_simd;
Rope rope_simd;
Activate activate_simd;
Residual residual_simd;
Sample sample_simd;
void softcap_simd(std::span<float> logits, float cap);

Embed embed_reference;
Norm norm_reference;
Rope rope_reference;
Activate activate_reference;
Residual residual_reference;
Sample sample_reference;

}  // namespace dachlast::kernels::cpu
