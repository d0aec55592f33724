#include "core/model/gguf_finish.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/model/config_object.h"

namespace dachlast {
namespace {

AttentionSpec* attention_in(LayerSpec& layer) {
  return std::get_if<AttentionSpec>(&layer.mixer);
}

const MoeSpec* experts_of(const ModelSpec& spec) {
  for (const LayerSpec& layer : spec.layers)
    if (const auto* moe = std::get_if<MoeSpec>(&layer.feed_forward)) return moe;
  return nullptr;
}

/// Scores are scaled by the width of a head, except in the 27 B models, known by their layers: there by d_model /
/// n_heads, which differs from head_dim.
void set_gemma_scale(ModelSpec& spec, int n_layers_of_27b) {
  for (LayerSpec& layer : spec.layers) {
    const double share = static_cast<double>(spec.d_model) / attention_of(layer).n_heads;
    attention_of(layer).scale =
        1.0 / std::sqrt(spec.n_layers() == n_layers_of_27b ? share : attention_of(layer).head_dim);
  }
}

// -------- Gemma 4

/// The last layers read the cache of the last layer of their kind before them; files may hold K and V for them, which
/// nobody reads.
void share_caches(GgufConfig& config, ModelSpec& spec) {
  const int n_shared = config.count_or("attention.shared_kv_layers", 0, size_limit::kLayers);
  const int first = spec.n_layers() - n_shared;
  if (n_shared > 0 && first <= 0)
    config.fail("attention.shared_kv_layers", fmt::format("is {} of {} layers", n_shared, spec.n_layers()));
  for (int i = first; i < spec.n_layers(); ++i) {
    AttentionSpec& own = attention_of(spec.layers[static_cast<std::size_t>(i)]);
    const auto of_its_kind = [&](int other) {
      const AttentionSpec& a = attention_of(spec.layers[static_cast<std::size_t>(other)]);
      return a.window == own.window && a.head_dim == own.head_dim;
    };
    int source = first - 1;
    while (source >= 0 && !of_its_kind(source)) --source;
    if (source < 0) config.fail("attention.shared_kv_layers", fmt::format("leaves layer {} no cache to share", i));
    own.shares_kv_with = source;
    own.k_is_v = false;
  }
}

/// One table for all layers, as wide as their inputs together.
void read_per_layer_inputs(GgufConfig& config, ModelSpec& spec) {
  const int d_input = config.count_or("embedding_length_per_layer_input", 0, size_limit::kWidth);
  if (d_input == 0) return;
  const GgufTensor* table = config.file().find_tensor("per_layer_token_embd.weight");
  const auto width = static_cast<std::uint64_t>(d_input) * static_cast<std::uint64_t>(spec.n_layers());
  if (table == nullptr || table->dims[0] != width || table->dims[1] > static_cast<std::uint64_t>(size_limit::kVocab))
    config.fail("embedding_length_per_layer_input",
                fmt::format("is {}, but no table per_layer_token_embd.weight is {} wide", d_input, width));
  spec.per_layer_inputs = PerLayerInputSpec{.vocab_size = static_cast<int>(table->dims[1]), .d_input = d_input};
}

/// Frequencies of full layers are spread over the whole head, of which a quarter turns; the rest has divisors of 1e30.
/// Source   ggml-org/llama.cpp:conversion/gemma.py (Gemma4Model.generate_extra_tensors)
void turn_a_quarter(ModelSpec& spec) {
  constexpr int kTurningShare = 4;
  for (LayerSpec& layer : spec.layers) {
    AttentionSpec& attention = attention_of(layer);
    if (attention.window == 0) attention.rope->rotary_dim = std::max(2, attention.head_dim / kTurningShare);
  }
}

}  // namespace

/// Mixtral has the architecture "llama" too.
void finish_llama(GgufConfig&, ModelSpec& spec) {
  if (experts_of(spec) == nullptr) return;
  spec.architecture = "mixtral";
  spec.naming = TensorNaming::kNone;
}

void finish_gemma2(GgufConfig& config, ModelSpec& spec) {
  const double softcap = config.non_negative_if_any("attn_logit_softcapping").value_or(50.0);
  for (LayerSpec& layer : spec.layers) attention_of(layer).softcap = softcap;
  spec.logit_softcap = config.non_negative_if_any("final_logit_softcapping").value_or(30.0);
  set_gemma_scale(spec, 46);
}

void finish_gemma3(GgufConfig& config, ModelSpec& spec) {
  set_gemma_scale(spec, 62);
  spec.logit_softcap = config.non_negative_if_any("final_logit_softcapping").value_or(0.0);
}

void finish_gemma4(GgufConfig& config, ModelSpec& spec) {
  for (LayerSpec& layer : spec.layers) {
    if (attention_in(layer) == nullptr) config.fail("attention.head_count", "describes layers that do not attend");
    attention_of(layer).scale = 1.0;
  }
  spec.logit_softcap = config.non_negative_if_any("final_logit_softcapping").value_or(0.0);
  share_caches(config, spec);
  read_per_layer_inputs(config, spec);
  if (config.file().find_tensor("rope_freqs.weight") != nullptr) turn_a_quarter(spec);
}

/// Logits are divided by their scale.
void finish_granite(GgufConfig& config, ModelSpec& spec) {
  spec.embed_scale = config.positive_if_any("embedding_scale").value_or(1.0);
  spec.residual_scale = config.positive_if_any("residual_scale").value_or(1.0);
  spec.logit_scale = 1.0 / config.positive_if_any("logit_scale").value_or(1.0);
  const auto scale = config.positive_if_any("attention.scale");
  for (LayerSpec& layer : spec.layers)
    if (AttentionSpec* attention = attention_in(layer); attention && scale) attention->scale = *scale;
}

void finish_command_r(GgufConfig& config, ModelSpec& spec) {
  spec.logit_scale = config.positive_if_any("logit_scale").value_or(1.0);
}

/// The 40 B model norms each branch by itself.
void finish_falcon(GgufConfig& config, ModelSpec& spec) {
  config.ignore("tensor_data_layout");
  const bool two_norms = config.file().n_tensors() > 0
                             ? config.file().find_tensor("blk.0.attn_norm_2.weight") != nullptr
                             : attention_of(spec.layers.front()).n_kv_heads > 1;
  spec.wiring = two_norms ? BlockWiring::kParallelTwoNorms : BlockWiring::kParallel;
}

void finish_bloom(GgufConfig&, ModelSpec& spec) {
  spec.embedding_norm = true;
  for (LayerSpec& layer : spec.layers) attention_of(layer).alibi = true;
}

void finish_gpt_neox(GgufConfig& config, ModelSpec& spec) {
  const bool parallel = config.flag_or("use_parallel_residual", true);
  spec.wiring = parallel ? BlockWiring::kParallelTwoNorms : BlockWiring::kSequential;
}

/// Layers that rotate see only their own chunk of tokens, and norm queries and keys without weights; the others see
/// all and do not rotate. The model of 128 experts norms nothing.
void finish_llama4(GgufConfig& config, ModelSpec& spec) {
  constexpr int kExpertsWithoutNorm = 128;
  config.ignore("vocab_size");
  const MoeSpec* experts = experts_of(spec);
  const bool norms = experts == nullptr || experts->n_experts != kExpertsWithoutNorm;
  const bool chunked = std::ranges::any_of(spec.layers, [](const LayerSpec& layer) {
    const auto* attention = std::get_if<AttentionSpec>(&layer.mixer);
    return attention != nullptr && attention->window > 0;
  });
  for (LayerSpec& layer : spec.layers) {
    AttentionSpec* attention = attention_in(layer);
    if (attention == nullptr) config.fail("attention.head_count", "describes layers that do not attend");
    attention->chunk = std::exchange(attention->window, 0);
    if (chunked && attention->chunk == 0) attention->rope.reset();
    if (attention->rope && norms) attention->qk_norm = QkNorm::kUnweighted;
  }
}

/// V3 and its kin choose experts by a bias that V2 does not have.
void finish_deepseek(GgufConfig& config, ModelSpec& spec) {
  const MoeSpec* experts = experts_of(spec);
  if (experts != nullptr && !experts->correction_bias && spec.architecture == "deepseek_v3")
    spec.architecture = "deepseek_v2";
  config.ignore({"attention.key_length", "attention.value_length", "attention.head_count_kv",
                 "attention.temperature_scale", "attention.temperature_length"});
}

/// Defaults of Grok 1, whose files leave them out.
void finish_grok(GgufConfig& config, ModelSpec& spec) {
  spec.embed_scale = config.positive_if_any("embedding_scale").value_or(78.38367176906169);
  spec.logit_scale = config.positive_if_any("logit_scale").value_or(0.5773502691896257);
  spec.logit_softcap = config.non_negative_if_any("final_logit_softcapping").value_or(0.0);
  const double softcap = config.non_negative_if_any("attn_logit_softcapping").value_or(30.0);
  const double scale = config.positive_if_any("attention.output_scale").value_or(0.08838834764831845);
  config.ignore("attention.temperature_length");
  for (LayerSpec& layer : spec.layers)
    if (AttentionSpec* attention = attention_in(layer)) {
      attention->softcap = softcap;
      attention->scale = scale;
    }
}

void finish_routed(GgufConfig& config, ModelSpec&) {
  config.ignore({"attention.clamp_kqv", "attention.value_scale"});
}

/// Which layers attend is what their tensors say.
void finish_hybrid(GgufConfig& config, ModelSpec&) {
  config.ignore({"attention.recurrent_layers", "full_attention_interval", "attention.layer_norm_epsilon"});
}

}  // namespace dachlast
