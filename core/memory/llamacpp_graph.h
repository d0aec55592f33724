#pragma once

#include "core/memory/ggml_graph.h"
#include "core/memory/llamacpp_run.h"
#include "core/model/gguf_mix.h"

namespace dachlast {

/// The graph that the program measures its compute buffers with: the largest step, a full cache, logits of every token.
/// `weights` gives the matrices' types: those in host memory pass through a GPU's buffer when their use is offloaded.
/// Source   ggml-org/llama.cpp:src/llama-graph.cpp, at builds 1691 and 2824 llama.cpp (llm_build_context);
///          ikawrakow/ik_llama.cpp:src/llama.cpp (the same, commit bb8ff4e9f).
GgmlGraph llamacpp_graph(const GgufShape& shape, const GgufWeights& weights, const LlamaCppRun& run);

}  // namespace dachlast
