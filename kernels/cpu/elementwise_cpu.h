#pragma once

#include "kernels/elementwise.h"

// The CPU builds of the cheap operations, declared through the contracts' own types; kernels/elementwise.cpp lists
// them.
namespace dachlast::kernels::cpu {

Embed embed_reference;
Norm norm_reference;
Rope rope_reference;
KvWrite kv_write_reference;
Activate activate_reference;
Residual residual_reference;
Sample sample_reference;
void softcap_reference(std::span<float> logits, float cap);

}  // namespace dachlast::kernels::cpu
