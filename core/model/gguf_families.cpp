#include "core/model/gguf_families.h"

#include <cmath>
#include <vector>

#include "core/model/config_object.h"

namespace dachlast {
namespace {

// -------- windows

void set_window(ModelSpec& spec, std::size_t layer, int window) {
  attention_of(spec.layers[layer]).window = window >= spec.max_context ? 0 : window;
}

/// A window of all layers: Phi-3; 0 says there is none.
void finish_uniform_window(GgufConfig& config, ModelSpec& spec) {
  const GgufValue* stated = config.file().first().find_value(config.architecture() + ".attention.sliding_window");
  config.ignore("attention.sliding_window");
  if (stated == nullptr || integer_of(*stated) == 0) return;
  const int window = config.size("attention.sliding_window", size_limit::kContext);
  for (std::size_t i = 0; i < spec.layers.size(); ++i) set_window(spec, i, window);
}

/// Which layers slide: one flag a layer, or every layer but each `period`-th one.
std::vector<bool> sliding_layers(GgufConfig& config, const ModelSpec& spec, int default_period) {
  constexpr const char* kKey = "attention.sliding_window_pattern";
  std::vector<bool> sliding;
  if (const auto flags = config.layer_list(kKey, spec.n_layers())) {
    for (const std::int64_t flag : *flags) sliding.push_back(flag != 0);
    return sliding;
  }
  const int period = config.size_if_any(kKey, size_limit::kLayers).value_or(default_period);
  for (int i = 0; i < spec.n_layers(); ++i) sliding.push_back((i + 1) % period != 0);
  return sliding;
}

void set_windows(GgufConfig& config, ModelSpec& spec, int default_window, int default_period) {
  const int window = config.size_if_any("attention.sliding_window", size_limit::kContext).value_or(default_window);
  const std::vector<bool> sliding = sliding_layers(config, spec, default_period);
  for (std::size_t i = 0; i < spec.layers.size(); ++i)
    if (sliding[i]) set_window(spec, i, window);
}

// -------- Gemma

/// Scores are scaled by the width of a head, except in the 27 B models, known by their layers: there by d_model /
/// n_heads, which differs from head_dim.
void set_gemma_scale(ModelSpec& spec, int n_layers_of_27b) {
  for (LayerSpec& layer : spec.layers) {
    const double share = static_cast<double>(spec.d_model) / attention_of(layer).n_heads;
    attention_of(layer).scale =
        1.0 / std::sqrt(spec.n_layers() == n_layers_of_27b ? share : attention_of(layer).head_dim);
  }
}

void finish_gemma2(GgufConfig& config, ModelSpec& spec) {
  const double softcap = config.non_negative_if_any("attn_logit_softcapping").value_or(50.0);
  for (LayerSpec& layer : spec.layers) attention_of(layer).softcap = softcap;
  spec.logit_softcap = config.non_negative_if_any("final_logit_softcapping").value_or(30.0);
  set_gemma_scale(spec, 46);
  set_windows(config, spec, 4096, 2);
}

void finish_gemma3(GgufConfig& config, ModelSpec& spec) {
  set_gemma_scale(spec, 62);
  spec.logit_softcap = config.non_negative_if_any("final_logit_softcapping").value_or(0.0);
  set_windows(config, spec, 1024, 6);
  const std::vector<bool> sliding = sliding_layers(config, spec, 6);
  const double local_theta = config.positive_if_any("rope.freq_base_swa").value_or(10000.0);
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    RopeSpec& rope = *attention_of(spec.layers[i]).rope;
    if (sliding[i]) rope = {.theta = local_theta, .rotary_dim = rope.rotary_dim, .scaling = {}};
  }
}

// -------- families

}  // namespace

std::span<const GgufFamily> gguf_families() {
  static const std::vector<GgufFamily> list = {
      {.architecture = "llama", .model_type = "llama", .naming = TensorNaming::kLlama, .finish = finish_uniform_window},
      {.architecture = "qwen2",
       .model_type = "qwen2",
       .naming = TensorNaming::kLlama,
       .biases = GgufBiases::kQkv,
       .finish = finish_uniform_window},
      {.architecture = "qwen3",
       .model_type = "qwen3",
       .naming = TensorNaming::kLlama,
       .qk_norm = true,
       .finish = finish_uniform_window},
      {.architecture = "gemma",
       .model_type = "gemma",
       .naming = TensorNaming::kLlama,
       .activation = Activation::kGeluTanh,
       .tied = true,
       .scaled_embeddings = true},
      {.architecture = "gemma2",
       .model_type = "gemma2",
       .naming = TensorNaming::kGemma,
       .wiring = BlockWiring::kSandwich,
       .activation = Activation::kGeluTanh,
       .tied = true,
       .scaled_embeddings = true,
       .finish = finish_gemma2},
      {.architecture = "gemma3",
       .model_type = "gemma3_text",
       .naming = TensorNaming::kGemma,
       .wiring = BlockWiring::kSandwich,
       .activation = Activation::kGeluTanh,
       .qk_norm = true,
       .tied = true,
       .scaled_embeddings = true,
       .finish = finish_gemma3},
      {.architecture = "phi2",
       .model_type = "phi",
       .naming = TensorNaming::kPhi,
       .wiring = BlockWiring::kParallel,
       .norm = NormKind::kLayer,
       .activation = Activation::kGeluTanh,
       .gate = Gate::kNone,
       .biases = GgufBiases::kAll},
      {.architecture = "phi3", .model_type = "phi3", .naming = TensorNaming::kPhi3, .finish = finish_uniform_window},
      {.architecture = "gpt2",
       .model_type = "gpt2",
       .naming = TensorNaming::kGpt2,
       .norm = NormKind::kLayer,
       .activation = Activation::kGeluTanh,
       .gate = Gate::kNone,
       .biases = GgufBiases::kAll,
       .tied = true,
       .learned_positions = true},
  };
  return list;
}

}  // namespace dachlast
