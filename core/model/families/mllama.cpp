#include <fmt/core.h>

#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/towers.h"

// Llama 3.2 Vision: a Llama with further layers that look at a picture.
namespace dachlast {
namespace {

/// Layers of "cross_attention_layers" norm queries and keys and rotate nothing.
void read_mllama_text(ConfigObject& config, ModelSpec& spec) {
  read_llama(config, spec);
  spec.naming = TensorNaming::kNone;
  for (const int layer : config.count_list("cross_attention_layers", size_limit::kLayers)) {
    if (layer >= spec.n_layers())
      config.fail("cross_attention_layers", fmt::format("names layer {} of {}", layer, spec.n_layers()));
    AttentionSpec& attention = attention_of(spec.layers[static_cast<std::size_t>(layer)]);
    attention.qk_norm = QkNorm::kPerHead;
    attention.rope.reset();
  }
}

}  // namespace

/// Source src/transformers/models/mllama/{configuration,modeling}_mllama.py
void read_mllama(ConfigObject& config, ModelSpec& spec) {
  read_nested_text(config, spec, read_mllama_text);
  config.warn("cross_attention",
              "the keys and values of cross-attention layers are those of pictures: they are counted as the text's, an "
              "upper bound for text and for contexts longer than a picture's tokens");
  read_mllama_tower(config, spec);
}

}  // namespace dachlast
