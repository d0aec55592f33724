#pragma once

#include <cstdint>
#include <vector>

#include "core/memory/llamacpp_kv.h"
#include "core/memory/llamacpp_run.h"
#include "core/model/gguf_mix.h"

namespace dachlast {

/// Everything llama.cpp allocates for a model, per device: GPU 0 … n_gpus - 1, then the host.
struct LlamaCppMemory {
  std::vector<std::int64_t> weight_bytes;
  LlamaCppKv kv;
  std::vector<std::int64_t> compute_bytes;  // with kScratch one buffer, counted to the host or to GPU 0
  std::int64_t output_bytes = 0;            // logits of one token per sequence, in host memory
};

/// Weights of every device: a layer's where the layer runs, routed experts where they were put, the token table on the
/// host; where it is the head too, the head's device keeps a copy.
std::vector<std::int64_t> llamacpp_weight_bytes(const GgufShape& shape, const GgufWeights& weights,
                                                const LlamaCppRun& run);

/// Compute buffers alone, from the measured graph.
std::vector<std::int64_t> llamacpp_compute_bytes(const GgufShape& shape, const GgufWeights& weights,
                                                 const LlamaCppRun& run);

/// vocab_size · 4 B · n_sequences
/// Source   ggml-org/llama.cpp:src/llama-context.cpp (output_reserve).
std::int64_t llamacpp_output_bytes(const GgufShape& shape, const LlamaCppRun& run);

/// All of it.
LlamaCppMemory llamacpp_memory(const GgufShape& shape, const GgufWeights& weights, const LlamaCppRun& run);

}  // namespace dachlast
