#include "core/model/layer_cache.h"

#include <algorithm>

namespace dachlast {
namespace {

LayerCache cache_of(const AttentionSpec& a) {
  if (a.shares_kv_with) return {};
  // Chunks begin at multiples of `chunk`: within one, as many tokens as it has are reachable at most.
  const int reach = a.window > 0 && a.chunk > 0 ? std::min(a.window, a.chunk) : std::max(a.window, a.chunk);
  return {.k_elements_per_token = 1.0 * a.n_kv_heads * a.head_dim,
          .v_elements_per_token = 1.0 * a.n_kv_heads * a.value_dim(),
          .n_kv_heads = a.n_kv_heads,
          .window = reach > 0 ? reach + a.n_sink_tokens : 0};
}

LayerCache cache_of(const MlaSpec& a) {
  return {.k_elements_per_token = 1.0 * a.kv_lora_rank + a.qk_rope_head_dim,
          .index_elements_per_token = a.indexer ? 1.0 * a.indexer->head_dim : 0.0,
          .n_kv_heads = 1,
          .window = a.window > 0 ? a.window + a.n_sink_tokens : 0};
}

LayerCache cache_of(const GatedDeltaNetSpec& d) {
  return {.conv_state_elements = 1.0 * (2 * d.key_width() + d.value_width()) * (d.conv_kernel - 1),
          .recurrent_state_elements = 1.0 * d.n_v_heads * d.k_head_dim * d.v_head_dim,
          .recurrent_dtype = d.state_dtype,
          .state_units = d.n_k_heads};
}

LayerCache cache_of(const Mamba1Spec& m) {
  return {.conv_state_elements = 1.0 * m.d_inner * (m.conv_kernel - 1),
          .recurrent_state_elements = 1.0 * m.d_inner * m.d_state};
}

LayerCache cache_of(const Mamba2Spec& m) {
  const double channels = 1.0 * m.d_inner() + 2.0 * m.n_groups * m.d_state;
  return {.conv_state_elements = channels * (m.conv_kernel - 1),
          .recurrent_state_elements = 1.0 * m.d_inner() * m.d_state,
          .recurrent_dtype = m.state_dtype,
          .state_units = m.n_heads};
}

LayerCache cache_of(const LinearMixer&) {
  return {};
}

LayerCache cache_of(const NoMixer&) {
  return {};
}

}  // namespace

LayerCache layer_cache(const LayerSpec& layer) {
  return std::visit([](const auto& mixer) { return cache_of(mixer); }, layer.mixer);
}

}  // namespace dachlast
