#include "core/model/families/common.h"

#include "core/model/families/quantization_config.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace dachlast {
void read_native_dtype(ConfigObject& config, ModelSpec& spec) {
  const std::string name = config.text_or(config.first_of({"torch_dtype", "dtype"}), "float32");
  spec.native_dtype = DType::kF32;
  if (name == "float16") spec.native_dtype = DType::kF16;
  if (name == "bfloat16") spec.native_dtype = DType::kBF16;
  if (spec.native_dtype == DType::kF32 && name != "float32")
    config.warn("native_dtype", fmt::format("dtype \"{}\" is not known: counted as float32, an upper bound", name));
}

void read_published_format(ConfigObject& config, ModelSpec& spec) {
  const WeightFormat format = read_quantization(config, *storage_format(name_of(spec.native_dtype)));
  if (format.is_quantized()) spec.quantized_weights = format;
}

void read_basics(ConfigObject& config, const BasicDefaults& defaults, ModelSpec& spec) {
  spec.d_model = config.size(config.first_of({"hidden_size", "n_embd", "d_model", "n_embed"}), size_limit::kWidth);
  spec.vocab_size =
      config.size_or(config.first_of({"vocab_size", "padded_vocab_size"}), defaults.vocab_size, size_limit::kVocab);
  const std::string context_key =
      config.first_of({"max_position_embeddings", "n_positions", "max_seq_len", "seq_length"});
  spec.max_context = config.size_or(context_key, defaults.max_context, size_limit::kContext);
  spec.tied_embeddings = config.flag_or("tie_word_embeddings", defaults.tied_embeddings);
  read_native_dtype(config, spec);
  spec.bos_token = config.token_id("bos_token_id", spec.vocab_size);
  spec.eos_token = config.token_id("eos_token_id", spec.vocab_size);
  read_published_format(config, spec);
}

namespace {

void check_groups(ConfigObject& config, const std::string& key, const AttentionSpec& a) {
  if (a.n_heads % a.n_kv_heads == 0) return;
  config.fail(key, fmt::format("is {}, which does not divide {} query heads", a.n_kv_heads, a.n_heads));
}

void check_width(ConfigObject& config, const std::string& key, const AttentionSpec& a) {
  const int widest = std::max(a.head_dim, a.value_dim());
  if (widest > 0 && a.n_heads + 2 * a.n_kv_heads <= size_limit::kRows / widest) return;
  config.fail(key, fmt::format("of {} × {} heads is beyond every known model", widest, a.n_heads));
}

}  // namespace

void check_heads(ConfigObject& config, const std::string& key, const AttentionSpec& attention) {
  check_groups(config, key, attention);
  check_width(config, key, attention);
}

AttentionSpec read_heads(ConfigObject& config, const ModelSpec& spec, const HeadDefaults& defaults) {
  AttentionSpec a;
  const std::string heads_key = config.first_of({"num_attention_heads", "n_head", "n_heads"});
  a.n_heads = defaults.n_heads ? config.size_or(heads_key, *defaults.n_heads, size_limit::kHeads)
                               : config.size(heads_key, size_limit::kHeads);
  const std::string kv_heads_key =
      config.first_of({"num_key_value_heads", "n_head_kv", "num_kv_heads", "multi_query_group_num"});
  // Null means n_heads in every class; only an absent key takes the class's own default.
  const int kv_fallback = config.contains(kv_heads_key) ? a.n_heads : defaults.n_kv_heads.value_or(a.n_heads);
  a.n_kv_heads = config.size_or(kv_heads_key, kv_fallback, size_limit::kHeads);
  check_groups(config, kv_heads_key, a);
  const std::string dim_key = config.first_of({"head_dim", "kv_channels", "attention_head_dim"});
  if (!config.has_value(dim_key) && !defaults.head_dim && spec.d_model % a.n_heads != 0)
    config.fail(heads_key, fmt::format("is {}, which does not divide a width of {}", a.n_heads, spec.d_model),
                "State \"head_dim\".");
  a.head_dim = config.size_or(dim_key, defaults.head_dim.value_or(spec.d_model / a.n_heads), size_limit::kHeadDim);
  check_width(config, dim_key, a);
  a.scale = 1.0 / std::sqrt(a.head_dim);
  return a;
}

AttentionSpec read_routed_attention(ConfigObject& config, ModelSpec& spec, const HeadDefaults& heads,
                                    const RopeDefaults& rope) {
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kRms, 1e-6);
  AttentionSpec attention = read_heads(config, spec, heads);
  attention.rope = read_rope(config, spec, attention.head_dim, rope);
  return attention;
}

int read_n_layers(ConfigObject& config) {
  return config.size(config.first_of({"num_hidden_layers", "n_layer", "n_layers", "num_layers"}), size_limit::kLayers);
}

NormSpec read_norm(ConfigObject& config, NormKind kind, double default_eps) {
  const std::string key = config.first_of(
      {"rms_norm_eps", "layer_norm_epsilon", "layer_norm_eps", "layernorm_epsilon", "norm_eps", "norm_epsilon"});
  return {.kind = kind, .eps = config.positive_or(key, default_eps)};
}

Activation read_activation(ConfigObject& config, const std::string& key, const std::string& fallback) {
  struct Name {
    std::string_view name;
    Activation activation;
  };
  // huggingface/transformers:src/transformers/activations.py; "gelu_fast" and "gelu_new" are the same tanh formula.
  static constexpr std::array names = {
      Name{"silu", Activation::kSilu},          Name{"swish", Activation::kSilu},
      Name{"gelu", Activation::kGeluErf},       Name{"gelu_new", Activation::kGeluTanh},
      Name{"gelu_fast", Activation::kGeluTanh}, Name{"gelu_pytorch_tanh", Activation::kGeluTanh},
      Name{"relu", Activation::kRelu},          Name{"relu2", Activation::kReluSquared}};
  const std::string name = config.text_or(key, fallback);
  std::string known;
  for (const Name& candidate : names) {
    if (candidate.name == name) return candidate.activation;
    known += (known.empty() ? "" : ", ") + std::string(candidate.name);
  }
  config.fail(key, fmt::format("is \"{}\", an unknown activation", name), "Known: " + known + ".");
}

MlpSpec read_gated_mlp(ConfigObject& config, Activation activation) {
  return {.d_ff = config.size("intermediate_size", size_limit::kFfWidth),
          .activation = activation,
          .gate = Gate::kGated,
          .bias = false};
}

int read_window(ConfigObject& config, const ModelSpec& spec, int fallback) {
  const int absent = config.contains("sliding_window") ? 0 : fallback;
  const int window = config.size_or("sliding_window", absent, size_limit::kContext);
  return window >= spec.max_context ? 0 : window;
}

std::optional<std::vector<bool>> read_layer_types(ConfigObject& config, int n_layers) {
  if (!config.has_value("layer_types")) return std::nullopt;
  const std::vector<std::string> types = config.text_list("layer_types");
  if (types.size() != static_cast<std::size_t>(n_layers))
    config.fail("layer_types", fmt::format("lists {} layers of {}", types.size(), n_layers));
  std::vector<bool> sliding;
  for (const std::string& type : types) {
    if (type != "full_attention" && type != "sliding_attention")
      config.fail("layer_types", fmt::format("names \"{}\", an unknown kind of attention", type),
                  "Known: full_attention, sliding_attention.");
    sliding.push_back(type == "sliding_attention");
  }
  return sliding;
}

DenseBlock read_rms_block(ConfigObject& config, ModelSpec& spec, const HeadDefaults& heads, const RopeDefaults& rope) {
  spec.naming = TensorNaming::kNone;
  spec.wiring = BlockWiring::kSequential;
  spec.norm = read_norm(config, NormKind::kRms, 1e-6);
  DenseBlock layer;
  layer.attention = read_heads(config, spec, heads);
  layer.attention.rope = read_rope(config, spec, layer.attention.head_dim, rope);
  layer.mlp = read_gated_mlp(config, read_activation(config, "hidden_act", "silu"));
  return layer;
}

void set_windows(ModelSpec& spec, const std::vector<bool>& sliding, int window) {
  for (std::size_t i = 0; i < spec.layers.size(); ++i) attention_of(spec.layers[i]).window = sliding[i] ? window : 0;
}

void fill_layers(ModelSpec& spec, int n_layers, const AttentionSpec& attention, const MlpSpec& mlp) {
  spec.layers.assign(static_cast<std::size_t>(n_layers), LayerSpec{attention, mlp});
}

void fill_layers(ModelSpec& spec, int n_layers, const LayerSpec& layer) {
  spec.layers.assign(static_cast<std::size_t>(n_layers), layer);
}

void ignore_keys(ConfigObject& config, std::initializer_list<const char*> keys) {
  for (const char* key : keys) config.ignore(key);
}

void ignore_routing(ConfigObject& config) {
  ignore_keys(config, {"norm_topk_prob", "scoring_func", "n_group", "topk_group", "topk_method",
                       "routed_scaling_factor", "moe_router_use_sigmoid"});
}

MoeSpec read_moe(ConfigObject& config, const MoeKeys& keys) {
  MoeSpec moe{.n_experts = config.size(keys.n_experts, size_limit::kExperts),
              .n_active = config.size(keys.n_active, size_limit::kExperts),
              .d_ff = config.size(keys.d_ff, size_limit::kFfWidth)};
  if (moe.n_active > moe.n_experts)
    config.fail(keys.n_active, fmt::format("is {}, more than the {} experts there are", moe.n_active, moe.n_experts));
  return moe;
}

int product_within(ConfigObject& config, const std::string& key, int factor, int times, int limit) {
  if (times > limit / factor) config.fail(key, fmt::format("of {} × {} is beyond every known model", factor, times));
  return factor * times;
}

void read_nested_text(ConfigObject& config, ModelSpec& spec, void (*read_text)(ConfigObject&, ModelSpec&)) {
  ConfigObject text = config.object("text_config");
  read_text(text, spec);
  text.warn_about_unread_keys();
  if (!text.has_value("torch_dtype") && !text.has_value("dtype")) read_native_dtype(config, spec);
  const bool outer_tied = config.flag_or("tie_word_embeddings", spec.tied_embeddings);
  if (!text.has_value("tie_word_embeddings")) spec.tied_embeddings = outer_tied;
  if (!spec.quantized_weights) read_published_format(config, spec);
}

void refuse_if_set(ConfigObject& config, const std::string& key, const std::string& what) {
  if (config.flag_or(key, false)) config.fail(key, "is true: " + what + " is not supported");
}

}  // namespace dachlast
