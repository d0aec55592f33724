#pragma once

#include <cstddef>
#include <span>

#include "kernels/cuda/stream.h"

// Kernels that do one thing as fast as a device can, to measure its roofs with. Spans point to device memory on 16 bytes, whole
// vectors of four.
// Errors   `Error` of kind kDevice where the launch is refused.
namespace dachlast::kernels::cuda {

/// Reads `in` `n_passes` times and writes a sum a warp, so that no load can be left out.
/// Shapes   sums [read_passes_sums(in.size())]
void read_passes(std::span<const float> in, int n_passes, std::span<float> sums, Stream stream);
std::size_t read_passes_sums(std::size_t n);

/// out = in, `n_passes` times.
void copy_passes(std::span<const float> in, int n_passes, std::span<float> out, Stream stream);

void write_probe(std::span<float> out, Stream stream);

/// A kernel that does nothing: what is left is its launch.
void empty_probe(Stream stream);

/// Bytes of a device's second-level cache.
std::size_t second_level_cache_bytes(int device);

}  // namespace dachlast::kernels::cuda
