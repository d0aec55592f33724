#pragma once

#include "core/model/gguf_config.h"
#include "core/model/model_spec.h"

namespace dachlast {

/// The rotary embedding of layers whose heads are `head_dim` wide. YaRN may raise `spec.max_context`.
RopeSpec read_gguf_rope(GgufConfig& config, ModelSpec& spec, int head_dim);

/// That of sliding layers, where it differs: a base of their own, never scaled. `default_theta` 0: as the other layers.
/// Source   ggml-org/llama.cpp:src/llama-model.cpp (rope_freq_base_train_swa)
RopeSpec read_gguf_sliding_rope(GgufConfig& config, const RopeSpec& full, int head_dim, double default_theta);

/// Divisors per frequency are stored as tensors, which are not read: they change numbers, not memory or work.
void warn_about_stored_frequencies(GgufConfig& config);

}  // namespace dachlast
