#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/config_object.h"
#include "core/model/families/rope_config.h"
#include "core/model/model_spec.h"

// What the readers of several families share. All check on the way in; none knows a family.
namespace dachlast {

/// Values of the Transformers class for keys a config leaves out; empty: the key is required or derived.
struct HeadDefaults {
  std::optional<int> n_heads;
  std::optional<int> n_kv_heads;  // empty: n_heads
  std::optional<int> head_dim;    // empty: d_model / n_heads
};

/// Sizes and tokens every family states: d_model, vocab_size, max_context, tied embeddings, dtype, BOS and EOS.
struct BasicDefaults {
  int vocab_size;
  int max_context;
  bool tied_embeddings;
};
void read_basics(ConfigObject& config, const BasicDefaults& defaults, ModelSpec& spec);

/// Type the checkpoint is published in; Transformers' default is float32.
void read_native_dtype(ConfigObject& config, ModelSpec& spec);

/// n_heads, n_kv_heads, head_dim and the usual scale 1/sqrt(head_dim).
AttentionSpec read_heads(ConfigObject& config, const ModelSpec& spec, const HeadDefaults& defaults);

/// Attention of models with routed experts: RMSNorm, RoPE, sequential wiring; no kernels yet.
AttentionSpec read_routed_attention(ConfigObject& config, ModelSpec& spec, const HeadDefaults& heads,
                                    const RopeDefaults& rope = {});

/// How the checkpoint stores its weights, where its config states a quantization; `spec.native_dtype` is read before.
void read_published_format(ConfigObject& config, ModelSpec& spec);

int read_n_layers(ConfigObject& config);
NormSpec read_norm(ConfigObject& config, NormKind kind, double default_eps);
Activation read_activation(ConfigObject& config, const std::string& key, const std::string& fallback);

/// Gated MLP with SiLU, "intermediate_size" wide.
MlpSpec read_gated_mlp(ConfigObject& config, Activation activation);

/// Window in tokens under `key`, `fallback` where the key is absent, 0 where it is null or no shorter than the context.
int read_window(ConfigObject& config, const ModelSpec& spec, int fallback);

/// Which layers slide: "layer_types" where the config lists them, else `slides(layer)`.
template <class Rule>
std::vector<bool> read_sliding_layers(ConfigObject& config, int n_layers, Rule slides);
std::optional<std::vector<bool>> read_layer_types(ConfigObject& config, int n_layers);

/// Parts of the layer that dense models repeat.
struct DenseBlock {
  AttentionSpec attention;
  MlpSpec mlp;
};

/// What Llama's kin share: RMSNorm before both branches, RoPE, gated SiLU. No tensor names: families that the engine runs
/// set theirs.
DenseBlock read_rms_block(ConfigObject& config, ModelSpec& spec, const HeadDefaults& heads,
                          const RopeDefaults& rope = {});

/// Gives `window` to the sliding layers and none to the others.
void set_windows(ModelSpec& spec, const std::vector<bool>& sliding, int window);

/// All layers alike.
void fill_layers(ModelSpec& spec, int n_layers, const AttentionSpec& attention, const MlpSpec& mlp);

void fill_layers(ModelSpec& spec, int n_layers, const LayerSpec& layer);

/// Marks keys as understood that change neither memory nor the amount of work.
void ignore_keys(ConfigObject& config, std::initializer_list<const char*> keys);
/// How routers score and choose: which experts, never how many.
void ignore_routing(ConfigObject& config);

struct MoeKeys {
  const char* n_experts;
  const char* n_active;
  const char* d_ff;
};
/// Sizes of routed experts, gated SiLU, nothing else.
MoeSpec read_moe(ConfigObject& config, const MoeKeys& keys);

/// Refuses heads that KV heads do not divide, and widths beyond every known model, under the name of `key`.
void check_heads(ConfigObject& config, const std::string& key, const AttentionSpec& attention);

/// factor · times, refused beyond `limit` under the name of `key`.
int product_within(ConfigObject& config, const std::string& key, int factor, int times, int limit);

/// Reads "text_config" of a model that also sees or hears; dtype, tied embeddings and quantization may stand around it.
void read_nested_text(ConfigObject& config, ModelSpec& spec, void (*read_text)(ConfigObject&, ModelSpec&));

/// Refuses the config where `key` is true.
void refuse_if_set(ConfigObject& config, const std::string& key, const std::string& what);

template <class Rule>
std::vector<bool> read_sliding_layers(ConfigObject& config, int n_layers, Rule slides) {
  if (auto listed = read_layer_types(config, n_layers)) return *listed;
  std::vector<bool> sliding;
  for (int layer = 0; layer < n_layers; ++layer) sliding.push_back(slides(layer));
  return sliding;
}

}  // namespace dachlast
