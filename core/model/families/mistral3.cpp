#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"
#include "core/model/families/towers.h"

// Ministral 3, Devstral 2, Mistral Medium 3.5, and the wrapper that gives them and Mistral Small 3.1 eyes.
namespace dachlast {

/// Source src/transformers/models/ministral3/{configuration,modeling}_ministral3.py: Llama's layers, and no window
/// where none is stated.
void read_ministral3(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 131072, .max_context = 262144, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;  // queries are scaled by their position, which no kernel does
  spec.norm = read_norm(config, NormKind::kRms, 1e-5);
  AttentionSpec attention = read_heads(config, spec, {.n_heads = 32, .n_kv_heads = 8, .head_dim = 128});
  attention.rope = read_rope(config, spec, attention.head_dim, {.theta = 1e6, .mscale = true});
  attention.window = read_window(config, spec, 0);
  const MlpSpec mlp = read_gated_mlp(config, read_activation(config, "hidden_act", "silu"));
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Source src/transformers/models/mistral3/configuration_mistral3.py: the text model is a Mistral unless it says else.
void read_mistral3(ConfigObject& config, ModelSpec& spec) {
  const std::string text = config.object("text_config").text_or("model_type", "mistral");
  if (text != "mistral" && text != "ministral3")
    config.fail("text_config", "is of the type \"" + text + "\", which is not known here",
                "Known: mistral, ministral3.");
  read_nested_text(config, spec, text == "mistral" ? read_mistral : read_ministral3);
  spec.naming = TensorNaming::kNone;
  ignore_keys(config, {"vision_feature_layer", "projector_hidden_act"});
  read_pixtral_tower(config, spec);
}

}  // namespace dachlast
