#pragma once

#include <optional>
#include <vector>

#include "core/model/gguf_blocks.h"
#include "core/model/gguf_tensors.h"

namespace dachlast {

/// Attention, latents, linear attention or a state space, as the tensors of `block` say; none where it has none.
/// Errors   throws `Error` (kInput) naming key or tensor where the two contradict each other.
Mixer gguf_mixer(GgufConfig& config, const GgufBlocks& blocks, const GgufLayerTensors& tensors, std::size_t block,
                 int d_model);

/// A dense MLP or routed experts, as the tensors of `block` say; none where it has none.
/// Errors   as `gguf_mixer`.
FeedForward gguf_feed_forward(GgufConfig& config, const GgufBlocks& blocks, const GgufLayerTensors& tensors,
                              std::size_t block, int d_model, Activation activation);

/// Every layer of the text model, built by its tensors.
std::vector<LayerSpec> gguf_layers_by_tensors(GgufConfig& config, const GgufFamily& family, const GgufBlocks& blocks,
                                              const GgufTensors& tensors, int d_model);

/// The layers that predict tokens beyond the next one; empty where the file leaves them out.
std::optional<MtpSpec> gguf_mtp(GgufConfig& config, const GgufFamily& family, const GgufBlocks& blocks,
                                const GgufTensors& tensors, int d_model);

/// By what queries are normed in a layer whose attention is known otherwise.
QkNorm gguf_qk_norm(const GgufLayerTensors& tensors, const AttentionSpec& attention);

}  // namespace dachlast
