#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/kv_cache/kv_cache_options.h"
#include "core/kv_cache/layer_stage.h"
#include "core/model/model_spec.h"
#include "kernels/kv_view.h"

namespace dachlast {

/// Where one layer's pool lies in memory; in a staged cache, in its slot.
struct LayerPool {
  int index = 0;
  kernels::KvLayout layout;
  std::size_t k_offset = 0;
  std::size_t v_offset = 0;
  std::size_t k_scale_offset = 0;
  std::size_t v_scale_offset = 0;
  std::size_t tail_offset = 0;  // of all sequences; in a staged cache in the memory beside the slots
  std::size_t k_bytes = 0;
  std::size_t v_bytes = 0;
  std::size_t k_scale_bytes = 0;
  std::size_t v_scale_bytes = 0;
};

/// Options whose max_step_tokens is a number.
KvCacheOptions settled(KvCacheOptions options);

KvPoolShape shape_of(const KvCacheOptions& options);

/// Bytes of what a cache holds at hand: all layers, or the tails of a staged one.
double held_bytes(const ModelSpec& model, const KvCacheOptions& options);

/// Of sizes that memory was found for.
std::vector<LayerPool> lay_out_layers(const ModelSpec& model, const KvCacheOptions& options);

/// Of a staged cache.
StageOptions stage_options(const ModelSpec& model, const KvCacheOptions& options);

/// The tier behind a staged cache.
/// Errors   as `make_host_tier` and `make_file_tier`.
std::unique_ptr<TierMemory> make_tier(const ModelSpec& model, const KvCacheOptions& options);

}  // namespace dachlast
