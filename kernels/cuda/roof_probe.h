#pragma once

#include <span>

#include "kernels/cuda/stream.h"

namespace dachlast::kernels::cuda {

/// Reads every float once: what it reaches is the bandwidth that kernels which only read can have.
/// Shapes   out: a sum a block, or the compiler would leave the reads out; as many blocks work as it holds. `values` has a
///          multiple of 4 elements and starts on 16 bytes.
/// Errors   `Error` of kind kDevice where the launch is refused.
void read_probe(std::span<const float> values, std::span<float> out, Stream stream);

}  // namespace dachlast::kernels::cuda
