#pragma once

#include "core/model/gguf.h"
#include "core/model/gguf_mix.h"

namespace dachlast {

/// The tensors of a GGUF file as they are, those of its first `n_layers` blocks and outside of them. Blocks behind these
/// predict tokens beyond the next one: llama.cpp leaves them in the file unless it drafts.
/// Source   ggml-org/llama.cpp:src/models/*.cpp (load_mtp, TENSOR_SKIP), commit 0c1e57098
GgufWeights gguf_file_weights(const GgufFile& file, int n_layers);

}  // namespace dachlast
