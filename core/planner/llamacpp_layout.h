#pragma once

#include "core/memory/llamacpp.h"
#include "core/planner/device_memory.h"
#include "core/planner/rank_load.h"

namespace dachlast {

/// A model under llama.cpp: layers spread over the devices in order, buffers by the program's own layout rules, with flash
/// attention and its default step of 512 tokens.
class LlamaCppLayout {
 public:
  /// Errors   throws `Error` (kUsage) where the cache format is none of ggml's.
  LlamaCppLayout(const ModelSpec& model, GgufWeights weights, const CacheFormat& cache, int n_devices, int step_tokens);

  /// Memory of the fullest device; logits and inputs in host memory are not part of it.
  /// Numbers  lays out the whole graph: about a millisecond.
  DeviceMemory at(int context_tokens, int batch_size) const;

  MixOrigin origin() const { return weights_.origin; }

 private:
  GgufShape shape_;
  GgufWeights weights_;
  LlamaCppRun run_;
};

}  // namespace dachlast
