#pragma once

#include "kernels/linear.h"

// The CPU builds of `Linear`, declared through the contract's own type; kernels/linear.cpp lists them.
namespace dachlast::kernels::cpu {

Linear linear_reference;

}  // namespace dachlast::kernels::cpu
