#pragma once

#include "core/base/units.h"
#include "core/kv_cache/kv_cache_options.h"

namespace dachlast {

/// What fetching takes when nothing computes meanwhile.
struct TierTiming {
  Seconds per_layer;  // of a layer's turn beside its chunks: handing over, waking, the chunk written behind
  Seconds per_chunk;  // of one layer
};

/// Times decode steps through the cache's tier, layer by layer without their computing, at one chunk and at as many as the
/// capacity holds. With a capacity of one chunk all time is the chunk's.
/// Errors   as `KvCache`.
TierTiming probe_tier(const ModelSpec& model, const KvCacheOptions& options);

}  // namespace dachlast
