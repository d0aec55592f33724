#pragma once

#include "kernels/attention.h"

// The CPU builds of `Attention`, declared through the contract's own type; kernels/attention.cpp lists them.
namespace dachlast::kernels::cpu {

Attention attention_reference;
std::size_t attention_reference_scratch(const AttentionShape& shape);

}  // namespace dachlast::kernels::cpu
