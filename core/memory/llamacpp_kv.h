#pragma once

#include <cstdint>
#include <vector>

#include "core/memory/llamacpp_run.h"
#include "core/model/gguf_shape.h"

namespace dachlast {

/// The cache of earlier tokens as llama.cpp lays it out.
struct LlamaCppKv {
  std::int64_t k_bytes = 0;  // latents where they are cached
  std::int64_t v_bytes = 0;
  std::int64_t state_bytes = 0;            // of recurrent layers
  std::int64_t window_k_bytes = 0;         // the part of k_bytes that layers with a sliding window hold
  std::vector<std::int64_t> device_bytes;  // buffers of GPU 0 … n_gpus - 1 and the host, padding included
};

/// Cells a layer with a sliding window keeps: all where the program has no cache of its own for windows, else
///   min(n_ctx, pad256(window + n_ubatch)) per sequence
/// Source   ggml-org/llama.cpp:src/llama-kv-cache-iswa.cpp; ik_llama.cpp and llama.cpp before June 2025 keep all.
std::int64_t llamacpp_window_cells(const GgufShape& shape, const LlamaCppRun& run);

/// Σ over layers of n_ctx · (elements of K · bytes + elements of V · bytes); quantized rows take whole blocks.
LlamaCppKv llamacpp_kv(const GgufShape& shape, const LlamaCppRun& run);

}  // namespace dachlast
