#pragma once

#include <span>
#include <vector>

#include "core/base/op_cost.h"
#include "core/memory/memory_model.h"
#include "core/model/layer_cache.h"
#include "kernels/kv_view.h"

// Caches of which only the layers in work are at hand (`KvSpec::staged`).
namespace dachlast {

/// How blocks of a layer that keeps keys are laid out: of a latent values lie in the keys.
kernels::KvLayout pool_layout(const LayerCache& cache, const KvStorage& storage, int block_size);

/// What such a cache takes of RAM: slots of the layers in work and one chunk in transfer; and the tier, where it lies in RAM.
std::vector<MemorySegment> staged_cache_segments(const ModelSpec& model, const MemoryScenario& scenario);

/// Bytes of the file of an `offload:file` cache; 0 for others.
Bytes kv_file_bytes(const ModelSpec& model, const MemoryScenario& scenario);

/// Bytes between tier and layers in work.
struct TierBytes {
  Bytes read;
  Bytes written;
};

/// What a step of these sequences moves through an offloaded cache: the chunks that held tokens before it are read, those
/// that get new ones written, each as a whole and filled up to what the tier moves at once.
TierBytes offload_step_bytes(const ModelSpec& model, const MemoryScenario& scenario,
                             std::span<const SequenceLengths> sequences);

/// Tokens that a step of a sequence with `n_before` tokens computes anew where `recompute:N` keeps the newest; whole blocks.
int recomputed_tokens(const KvSpec& spec, int n_before);

/// What computing the first `n_tokens` of a sequence anew adds to a step: the layers of their prefill.
OpCost recompute_cost(const ModelSpec& model, const Precision& precision, int n_tokens);

}  // namespace dachlast
