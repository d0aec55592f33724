#pragma once

#include <optional>

#include "core/base/dtype.h"
#include "core/model/layer_spec.h"

namespace dachlast {

/// What one layer keeps of earlier tokens, per sequence. Elements, not bytes: the dtype is the caller's choice.
struct LayerCache {
  double k_elements_per_token = 0.0;      // over all KV heads; the latent and its rotated key under MLA
  double v_elements_per_token = 0.0;      // 0 under MLA
  double index_elements_per_token = 0.0;  // keys of a sparse attention's indexer, kept whole by every rank
  int n_kv_heads = 0;  // by which tensor parallelism divides K and V; 1, so replicated, for a latent; 0 without a cache
  int window = 0;      // tokens that stay reachable; 0: all
  double conv_state_elements = 0.0;           // last inputs of a short convolution, in the type of the activations
  double recurrent_state_elements = 0.0;      // of linear attention or a state space
  std::optional<DType> recurrent_dtype = {};  // where the config states it; else engines take that of the activations
  int state_units = 0;                        // heads by which tensor parallelism divides the state; 0: any width

  double elements_per_token() const { return k_elements_per_token + v_elements_per_token + index_elements_per_token; }
  double state_elements() const { return conv_state_elements + recurrent_state_elements; }
};

/// The single truth for KV memory: attention keeps n_kv_heads · head_dim for K and as much for V, or nothing where it
/// reads another layer's cache; MLA one latent; linear attention and Mamba a state that does not grow.
/// Numbers  a convolution over `conv_kernel` tokens needs the `conv_kernel` − 1 before the current one.
/// Source   vllm-project/vllm:vllm/model_executor/layers/mamba/mamba_utils.py (MambaStateShapeCalculator).
LayerCache layer_cache(const LayerSpec& layer);

}  // namespace dachlast
