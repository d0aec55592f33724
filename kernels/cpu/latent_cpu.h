#pragma once

#include <cstddef>

#include "kernels/latent.h"

// The CPU builds of the up projection of latents; kernels/latent.cpp lists them.
namespace dachlast::kernels::cpu {

AbsorbQueries absorb_queries_simd;
AbsorbQueries absorb_queries_reference;
RaiseValues raise_values_simd;
RaiseValues raise_values_reference;

/// Elements of W before the rows of a head.
inline std::size_t first_of_keys(const LatentHeads& s, int head) {
  return static_cast<std::size_t>(head) * static_cast<std::size_t>(s.key_dim + s.value_dim) *
         static_cast<std::size_t>(s.latent_dim);
}
inline std::size_t first_of_values(const LatentHeads& s, int head) {
  return first_of_keys(s, head) + static_cast<std::size_t>(s.key_dim) * static_cast<std::size_t>(s.latent_dim);
}

}  // namespace dachlast::kernels::cpu
