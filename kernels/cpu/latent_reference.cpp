#include <algorithm>
#include <variant>
#include <vector>

#include "kernels/cpu/element.h"
#include "kernels/cpu/latent_cpu.h"

namespace dachlast::kernels::cpu {
namespace {

float weight_at(const WeightSpan& w, std::size_t i) {
  if (const auto* floats = std::get_if<std::span<const float>>(&w)) return (*floats)[i];
  return widen(std::get<std::span<const BF16>>(w)[i]);
}

}  // namespace

void absorb_queries_reference(const LatentHeads& s, int n_tokens, std::span<const float> q, WeightSpan w,
                              std::span<float> out, Slice heads) {
  const auto latent_dim = static_cast<std::size_t>(s.latent_dim);
  for (int t = 0; t < n_tokens; ++t)
    for (int h = heads.begin; h < heads.end; ++h) {
      const std::size_t row = static_cast<std::size_t>(t) * static_cast<std::size_t>(s.n_heads) + std::size_t(h);
      const float* query = &q[row * static_cast<std::size_t>(s.query_dim())];
      float* target = &out[row * static_cast<std::size_t>(s.row_dim())];
      for (std::size_t l = 0; l < latent_dim; ++l) {
        double sum = 0.0;
        for (int j = 0; j < s.key_dim; ++j)
          sum += static_cast<double>(query[j]) * weight_at(w, first_of_keys(s, h) + std::size_t(j) * latent_dim + l);
        target[l] = static_cast<float>(sum);
      }
      std::copy_n(query + s.key_dim, s.rotary_dim, target + latent_dim);
    }
}

void raise_values_reference(const LatentHeads& s, int n_tokens, std::span<const float> latents, WeightSpan w,
                            std::span<float> out, Slice heads) {
  const auto latent_dim = static_cast<std::size_t>(s.latent_dim);
  for (int t = 0; t < n_tokens; ++t)
    for (int h = heads.begin; h < heads.end; ++h) {
      const std::size_t row = static_cast<std::size_t>(t) * static_cast<std::size_t>(s.n_heads) + std::size_t(h);
      for (int i = 0; i < s.value_dim; ++i) {
        double sum = 0.0;
        for (std::size_t l = 0; l < latent_dim; ++l)
          sum += static_cast<double>(latents[row * latent_dim + l]) *
                 weight_at(w, first_of_values(s, h) + std::size_t(i) * latent_dim + l);
        out[row * static_cast<std::size_t>(s.value_dim) + std::size_t(i)] = static_cast<float>(sum);
      }
    }
}

}  // namespace dachlast::kernels::cpu
