#include <fmt/core.h>

#include "core/model/families/common.h"
#include "core/model/families/family.h"

namespace dachlast {
namespace {

/// Rows of the position table before position 0: src/transformers/models/opt/modeling_opt.py,
/// OPTLearnedPositionalEmbedding.
constexpr int kPositionOffset = 2;

void refuse_projected_embeddings(ConfigObject& config, const ModelSpec& spec) {
  const int embed_dim = config.size_or("word_embed_proj_dim", spec.d_model, size_limit::kWidth);
  if (embed_dim == spec.d_model) return;
  config.fail(
      "word_embed_proj_dim",
      fmt::format("is {}, not hidden_size {}: embeddings projected to another width (OPT-350m) are not supported",
                  embed_dim, spec.d_model),
      "Use another OPT size.");
}

}  // namespace

/// Defaults of src/transformers/models/opt/configuration_opt.py. OPT-350m alone norms after each branch and then has no
/// final norm (src/transformers/models/opt/modeling_opt.py).
void read_opt(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 50272, .max_context = 2048, .tied_embeddings = true}, spec);
  refuse_projected_embeddings(config, spec);
  if (!config.flag_or("layer_norm_elementwise_affine", true))
    config.fail("layer_norm_elementwise_affine", "is false: norms without weights are not supported");
  const bool norm_before = config.flag_or("do_layer_norm_before", true);
  spec.naming = TensorNaming::kOpt;
  spec.wiring = norm_before ? BlockWiring::kSequential : BlockWiring::kPostNorm;
  spec.final_norm = norm_before && !config.flag_or("_remove_final_layer_norm", false);
  spec.norm = {.kind = NormKind::kLayer, .eps = 1e-5};  // torch.nn.LayerNorm's own
  spec.n_learned_positions = spec.max_context + kPositionOffset;
  spec.learned_position_offset = kPositionOffset;
  const bool bias = config.flag_or("enable_bias", true);
  AttentionSpec attention = read_heads(config, spec, {});
  attention.qkv_bias = bias;
  attention.o_bias = bias;
  const MlpSpec mlp{.d_ff = config.size("ffn_dim", size_limit::kFfWidth),
                    .activation = read_activation(config, "activation_function", "relu"),
                    .gate = Gate::kNone,
                    .bias = bias};
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

}  // namespace dachlast
