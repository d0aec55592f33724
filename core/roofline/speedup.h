#pragma once

#include <vector>

#include "core/roofline/run.h"

namespace dachlast {

/// What the KV cache saved for one generated token, and for all tokens up to it.
struct CacheSpeedup {
  int n_generated = 0;      // tokens generated so far, this one included
  int sequence_tokens = 0;  // prompt and earlier tokens the step attends to
  Seconds cached;
  Seconds uncached;
  double speedup = 0.0;  // uncached / cached of this token
  Seconds cached_total;
  Seconds uncached_total;
  double total_speedup = 0.0;  // uncached / cached of the generation so far
};

/// One entry per generated token, up to the shorter of both series.
/// Errors   none: entries end at the first time that is not positive, because a ratio ends there.
std::vector<CacheSpeedup> cache_speedups(const UncachedComparison& comparison);

/// A decode point measured with the cache and by recomputing, at the same context and batch.
struct DecodeSpeedup {
  int context_tokens = 0;
  int batch_size = 1;
  Seconds cached;
  Seconds uncached;
  double speedup = 0.0;
};

/// All decode points of `run` measured both ways, in the order of the cached ones.
std::vector<DecodeSpeedup> decode_speedups(const Run& run);

}  // namespace dachlast
