#pragma once

#include <memory>

#include "core/engine/cuda/cuda_context.h"
#include "core/kv_cache/kv_memory.h"

namespace dachlast {

/// Pools of blocks in the memory of a GPU.
std::unique_ptr<KvMemory> make_cuda_kv_memory(CudaContext& context, double bytes);

/// Slots on the GPU before `tier`, or before `tier_bytes` of pinned memory of the host where there is none. Copies
/// have a queue of their own: blocks of the next layer come while one computes, and what a layer wrote goes while the
/// next ones do. Both queues wait for each other through events, the host for neither before the step is over.
std::unique_ptr<KvStage> make_cuda_kv_stage(CudaContext& context, StageOptions options,
                                            std::unique_ptr<TierMemory> tier, double tier_bytes);

}  // namespace dachlast
