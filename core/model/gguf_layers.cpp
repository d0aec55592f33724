#include "core/model/gguf_layers.h"

#include <fmt/core.h>

#include "core/base/error.h"

namespace dachlast {
namespace {

[[noreturn]] void fail_incomplete(const GgufTensors& tensors, std::size_t block, std::string_view part) {
  throw Error(ErrorKind::kInput, tensors.subject(), fmt::format("block {} has no tensors of {}.", block, part),
              "Give the file of the whole model.");
}

/// Where layers may lack a part, those for which KV heads are stated still attend.
void check_complete(const GgufFamily& family, const GgufBlocks& blocks, const GgufTensors& tensors, std::size_t block,
                    const LayerSpec& layer) {
  const bool whole = family.gaps == GgufGaps::kNone;
  if (!has_mixer(layer) && (whole || blocks.n_kv_heads[block] > 0))
    fail_incomplete(tensors, block, "attention or of a state space");
  if (!has_feed_forward(layer) && whole) fail_incomplete(tensors, block, "a feed-forward");
}

LayerSpec layer_of(GgufConfig& config, const GgufFamily& family, const GgufBlocks& blocks, const GgufTensors& tensors,
                   std::size_t block, int d_model) {
  const GgufLayerTensors own(tensors, static_cast<int>(block));
  LayerSpec layer{gguf_mixer(config, blocks, own, block, d_model),
                  gguf_feed_forward(config, blocks, own, block, d_model, family.activation)};
  check_complete(family, blocks, tensors, block, layer);
  return layer;
}

}  // namespace

std::vector<LayerSpec> gguf_layers_by_tensors(GgufConfig& config, const GgufFamily& family, const GgufBlocks& blocks,
                                              const GgufTensors& tensors, int d_model) {
  if (tensors.empty())
    throw Error(ErrorKind::kInput, tensors.subject(),
                fmt::format("it has no tensors, which alone say how layers of \"{}\" are built.", family.architecture),
                "Plan this model from its config.json.");
  std::vector<LayerSpec> layers;
  for (std::size_t i = 0; i < static_cast<std::size_t>(blocks.n_layers()); ++i)
    layers.push_back(layer_of(config, family, blocks, tensors, i, d_model));
  return layers;
}

std::optional<MtpSpec> gguf_mtp(GgufConfig& config, const GgufFamily& family, const GgufBlocks& blocks,
                                const GgufTensors& tensors, int d_model) {
  MtpSpec mtp;
  for (int i = blocks.n_layers(); i < blocks.n_blocks; ++i) {
    const GgufLayerTensors own(tensors, i);
    if (!own.has("nextn.eh_proj.weight")) continue;
    mtp.layers.push_back(layer_of(config, family, blocks, tensors, static_cast<std::size_t>(i), d_model));
    mtp.own_embeddings = own.has("nextn.embed_tokens.weight");
  }
  return mtp.layers.empty() ? std::nullopt : std::optional(std::move(mtp));
}

}  // namespace dachlast
