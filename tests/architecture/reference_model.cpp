#include "tests/architecture/reference_model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "tests/architecture/reference_rope.h"

namespace dachlast::reference {
namespace {

using nlohmann::json;

/// A checkpoint seen through a config: tensors by name, sizes by key.
class Source {
 public:
  Source(const json& config, Checkpoint& checkpoint) : config_(config), checkpoint_(checkpoint) {}

  int size(const char* key) const { return config_.at(key); }
  double number(const char* key) const { return config_.at(key); }
  const json& config() const { return config_; }
  bool flag(const char* key, bool fallback) const { return config_.value(key, fallback); }

  Rows embedding(const std::string& name, int rows, int width, const std::vector<std::int32_t>& indices) const {
    const auto& table = checkpoint_.tensor(name, {rows, width});
    Rows x = zero_rows(static_cast<int>(indices.size()), width);
    for (int t = 0; t < x.count(); ++t)
      std::copy_n(table.begin() + static_cast<std::ptrdiff_t>(indices[static_cast<std::size_t>(t)]) * width, width,
                  x.row(t));
    return x;
  }
  Rows project(const Rows& x, const std::string& name, int outputs, bool has_bias) const {
    return linear(x, checkpoint_.tensor(name + ".weight", {outputs, x.width}), bias(name, outputs, has_bias));
  }
  Rows project_conv1d(const Rows& x, const std::string& name, int outputs) const {
    return conv1d(x, checkpoint_.tensor(name + ".weight", {x.width, outputs}), bias(name, outputs, true));
  }
  /// Norms of latents take the class's own epsilon.
  Rows latent_rms(const Rows& x, const std::string& name) const {
    return rms_norm(x, checkpoint_.tensor(name + ".weight", {x.width}), 1e-6, 0.0);
  }
  Rows rms(const Rows& x, const std::string& name, int width, double offset = 0.0) const {
    return rms_norm(x, checkpoint_.tensor(name + ".weight", {width}), number("rms_norm_eps"), offset);
  }
  Rows layer(const Rows& x, const std::string& name, double eps) const {
    return layer_norm(x, checkpoint_.tensor(name + ".weight", {x.width}), bias(name, x.width, true), eps);
  }

 private:
  std::vector<float> bias(const std::string& name, int outputs, bool has_bias) const {
    return has_bias ? checkpoint_.tensor(name + ".bias", {outputs}) : std::vector<float>{};
  }

  const json& config_;
  Checkpoint& checkpoint_;
};

std::string layer_name(const std::string& prefix, int layer) {
  return prefix + std::to_string(layer) + ".";
}

AttentionRule rule_of(const json& config) {
  AttentionRule rule;
  rule.n_heads = config.at("num_attention_heads");
  rule.n_kv_heads = config.value("num_key_value_heads", rule.n_heads);
  rule.head_dim = config.value("head_dim", config.at("hidden_size").get<int>() / rule.n_heads);
  rule.scale = 1.0 / std::sqrt(rule.head_dim);
  return rule;
}

Rows head(const Source& source, const Rows& x, const std::string& embedding, bool tied) {
  return source.project(x, tied ? embedding : "lm_head", source.size("vocab_size"), false);
}

/// Separate q, k and v projections, rotated, attended and projected again.
struct AttentionNames {
  std::string prefix;
  std::string output = "o_proj";
  bool qkv_bias = false;
  bool o_bias = false;
};
Rows self_attention(const Source& source, const Rows& x, const AttentionRule& rule, const Rotation& rotation,
                    const AttentionNames& names, int width) {
  const int kv_width = rule.n_kv_heads * rule.head_dim;
  const Rows q = source.project(x, names.prefix + "q_proj", rule.n_heads * rule.head_dim, names.qkv_bias);
  const Rows k = source.project(x, names.prefix + "k_proj", kv_width, names.qkv_bias);
  const Rows v = source.project(x, names.prefix + "v_proj", kv_width, names.qkv_bias);
  const Rows mixed = attention(rule, rotated(q, rule.head_dim, rotation), rotated(k, rule.head_dim, rotation), v);
  return source.project(mixed, names.prefix + names.output, width, names.o_bias);
}

/// As above with RMSNorm on every head of q and k before they turn.
Rows normed_self_attention(const Source& source, const Rows& x, const AttentionRule& rule, const Rotation& rotation,
                           const std::string& prefix, double offset) {
  const int kv_width = rule.n_kv_heads * rule.head_dim;
  const Rows q = source.project(x, prefix + "q_proj", rule.n_heads * rule.head_dim, false);
  const Rows k = source.project(x, prefix + "k_proj", kv_width, false);
  const Rows v = source.project(x, prefix + "v_proj", kv_width, false);
  const Rows q_normed = source.rms(q, prefix + "q_norm", rule.head_dim, offset);
  const Rows k_normed = source.rms(k, prefix + "k_norm", rule.head_dim, offset);
  const Rows mixed =
      attention(rule, rotated(q_normed, rule.head_dim, rotation), rotated(k_normed, rule.head_dim, rotation), v);
  return source.project(mixed, prefix + "o_proj", x.width, false);
}

Rows gated_mlp(const Source& source, const Rows& x, const std::string& prefix, const std::string& activation,
               bool bias) {
  const int d_ff = source.size("intermediate_size");
  const Rows gate = activated(activation, source.project(x, prefix + "gate_proj", d_ff, bias));
  const Rows up = source.project(x, prefix + "up_proj", d_ff, bias);
  return source.project(times(gate, up), prefix + "down_proj", x.width, bias);
}

/// Llama, Mistral, Qwen 2, Qwen 3.
Rows llama_like(const Source& source, const std::vector<std::int32_t>& ids) {
  const json& config = source.config();
  const std::string type = config.at("model_type");
  const int width = source.size("hidden_size");
  AttentionRule rule = rule_of(config);
  const Rotation rotation = rotation_of(config, rule.head_dim, static_cast<int>(ids.size()));
  const bool attention_bias = source.flag("attention_bias", false);
  Rows x = source.embedding("model.embed_tokens.weight", source.size("vocab_size"), width, ids);
  for (int layer = 0; layer < source.size("num_hidden_layers"); ++layer) {
    const std::string name = layer_name("model.layers.", layer);
    if (type == "mistral") rule.window = source.size("sliding_window");
    if (type == "qwen2" && layer >= source.size("max_window_layers")) rule.window = source.size("sliding_window");
    const Rows normed = source.rms(x, name + "input_layernorm", width);
    const AttentionNames names{name + "self_attn.", "o_proj", attention_bias || type == "qwen2", attention_bias};
    x = x + (type == "qwen3" ? normed_self_attention(source, normed, rule, rotation, names.prefix, 0.0)
                             : self_attention(source, normed, rule, rotation, names, width));
    x = x + gated_mlp(source, source.rms(x, name + "post_attention_layernorm", width), name + "mlp.", "silu",
                      source.flag("mlp_bias", false));
  }
  return head(source, source.rms(x, "model.norm", width), "model.embed_tokens",
              source.flag("tie_word_embeddings", false));
}

/// Side by side, token by token: `a` heads of width `wa`, each followed by `wb` columns of b (of its own head, or of the
/// one that all share).
Rows joined(const Rows& a, int wa, const Rows& b, int wb) {
  const int n_heads = a.width / wa;
  Rows out = zero_rows(a.count(), n_heads * (wa + wb));
  for (int t = 0; t < a.count(); ++t)
    for (int h = 0; h < n_heads; ++h) {
      double* target = out.row(t) + h * (wa + wb);
      std::copy_n(a.row(t) + h * wa, wa, target);
      std::copy_n(b.row(t) + (b.width > wb ? h * wb : 0), wb, target + wa);
    }
  return out;
}

/// Of every head of width `width` the columns [first, first + n).
Rows of_heads(const Rows& x, int width, int first, int n) {
  Rows out = zero_rows(x.count(), x.width / width * n);
  for (int t = 0; t < x.count(); ++t)
    for (int h = 0; h < x.width / width; ++h) std::copy_n(x.row(t) + h * width + first, n, out.row(t) + h * n);
  return out;
}

struct LatentSizes {
  int n_heads, nope, rope, value, latent;
  double scale;
};

/// Scores are stretched by the square of what YaRN recommends for "mscale_all_dim".
double latent_scale(const json& config, int head_dim) {
  const double scale = 1.0 / std::sqrt(head_dim);
  if (!config.contains("rope_scaling")) return scale;
  const json& scaling = config.at("rope_scaling");
  const double all =
      0.1 * scaling.at("mscale_all_dim").get<double>() * std::log(scaling.at("factor").get<double>()) + 1;
  return scale * all * all;
}

Rotation latent_rotation(const json& config, int rope, int n_tokens) {
  Rotation rotation = rotation_of(config, rope, n_tokens);
  rotation.neighbours = config.value("rope_interleave", true);
  if (!config.contains("rope_scaling")) return rotation;
  const json& scaling = config.at("rope_scaling");
  const auto stretch = [&](const char* weight) {
    return 0.1 * scaling.at(weight).get<double>() * std::log(scaling.at("factor").get<double>()) + 1.0;
  };
  rotation.factor = stretch("mscale") / stretch("mscale_all_dim");
  return rotation;
}

/// K and V of every head rebuilt from the latent, as the paper's equations 9 to 19 write it.
Rows latent_attention(const Source& source, const Rows& x, const LatentSizes& s, const Rotation& rotation,
                      const std::string& prefix) {
  const bool bias = source.flag("attention_bias", false);
  const int qk = s.nope + s.rope;
  const bool has_q_latent = source.config().contains("q_lora_rank") && !source.config().at("q_lora_rank").is_null();
  const Rows q =
      has_q_latent
          ? source.project(source.latent_rms(source.project(x, prefix + "q_a_proj", source.size("q_lora_rank"), bias),
                                             prefix + "q_a_layernorm"),
                           prefix + "q_b_proj", s.n_heads * qk, false)
          : source.project(x, prefix + "q_proj", s.n_heads * qk, false);
  const Rows down = source.project(x, prefix + "kv_a_proj_with_mqa", s.latent + s.rope, bias);
  const Rows kv = source.project(source.latent_rms(columns(down, 0, s.latent), prefix + "kv_a_layernorm"),
                                 prefix + "kv_b_proj", s.n_heads * (s.nope + s.value), false);
  const Rows k_rotated = rotated(columns(down, s.latent, s.rope), s.rope, rotation);
  const Rows q_rotated = rotated(of_heads(q, qk, s.nope, s.rope), s.rope, rotation);
  AttentionRule rule{s.n_heads, s.n_heads, qk, s.scale};
  rule.value_dim = s.value;
  const Rows mixed = attention(rule, joined(of_heads(q, qk, 0, s.nope), s.nope, q_rotated, s.rope),
                               joined(of_heads(kv, s.nope + s.value, 0, s.nope), s.nope, k_rotated, s.rope),
                               of_heads(kv, s.nope + s.value, s.nope, s.value));
  return source.project(mixed, prefix + "o_proj", x.width, bias);
}

/// DeepSeek V2 and V3 whose layers are all dense.
Rows deepseek(const Source& source, const std::vector<std::int32_t>& ids) {
  const int width = source.size("hidden_size");
  LatentSizes s{source.size("num_attention_heads"), source.size("qk_nope_head_dim"), source.size("qk_rope_head_dim"),
                source.size("v_head_dim"),          source.size("kv_lora_rank"),     0.0};
  s.scale = latent_scale(source.config(), s.nope + s.rope);
  const Rotation rotation = latent_rotation(source.config(), s.rope, static_cast<int>(ids.size()));
  Rows x = source.embedding("model.embed_tokens.weight", source.size("vocab_size"), width, ids);
  for (int layer = 0; layer < source.size("num_hidden_layers"); ++layer) {
    const std::string name = layer_name("model.layers.", layer);
    x = x + latent_attention(source, source.rms(x, name + "input_layernorm", width), s, rotation, name + "self_attn.");
    x = x + gated_mlp(source, source.rms(x, name + "post_attention_layernorm", width), name + "mlp.", "silu", false);
  }
  return head(source, source.rms(x, "model.norm", width), "model.embed_tokens", false);
}

/// Stored norm weights mean 1 + w; embeddings are multiplied by sqrt(hidden_size); the head is tied.
Rows gemma(const Source& source, const std::vector<std::int32_t>& ids) {
  const int width = source.size("hidden_size");
  const AttentionRule rule = rule_of(source.config());
  const Rotation rotation = plain_rotation(source.number("rope_theta"), rule.head_dim);
  Rows x = std::sqrt(width) * source.embedding("model.embed_tokens.weight", source.size("vocab_size"), width, ids);
  for (int layer = 0; layer < source.size("num_hidden_layers"); ++layer) {
    const std::string name = layer_name("model.layers.", layer);
    x = x + self_attention(source, source.rms(x, name + "input_layernorm", width, 1.0), rule, rotation,
                           {name + "self_attn."}, width);
    x = x + gated_mlp(source, source.rms(x, name + "post_attention_layernorm", width, 1.0), name + "mlp.",
                      "gelu_pytorch_tanh", false);
  }
  return head(source, source.rms(x, "model.norm", width, 1.0), "model.embed_tokens", true);
}

/// Each branch is normed before and after; windows alternate with full attention.
Rows gemma2_or_3(const Source& source, const std::vector<std::int32_t>& ids) {
  const json& config = source.config();
  const bool is_gemma3 = config.at("model_type") == "gemma3_text";
  const int width = source.size("hidden_size");
  AttentionRule rule = rule_of(config);
  rule.scale = 1.0 / std::sqrt(source.number("query_pre_attn_scalar"));
  rule.softcap = is_gemma3 ? 0.0 : source.number("attn_logit_softcapping");
  const Rotation global = rotation_of(config, rule.head_dim, static_cast<int>(ids.size()));
  const Rotation local = is_gemma3 ? plain_rotation(source.number("rope_local_base_freq"), rule.head_dim) : global;
  Rows x = std::sqrt(width) * source.embedding("model.embed_tokens.weight", source.size("vocab_size"), width, ids);
  for (int layer = 0; layer < source.size("num_hidden_layers"); ++layer) {
    const std::string name = layer_name("model.layers.", layer);
    const bool sliding = is_gemma3 ? (layer + 1) % source.size("sliding_window_pattern") != 0 : layer % 2 == 0;
    rule.window = sliding ? source.size("sliding_window") : 0;
    const Rotation& rotation = sliding ? local : global;
    const auto norm = [&](const Rows& rows, const char* which) { return source.rms(rows, name + which, width, 1.0); };
    const Rows normed = norm(x, "input_layernorm");
    x = x + norm(is_gemma3 ? normed_self_attention(source, normed, rule, rotation, name + "self_attn.", 1.0)
                           : self_attention(source, normed, rule, rotation, {name + "self_attn."}, width),
                 "post_attention_layernorm");
    x = x + norm(gated_mlp(source, norm(x, "pre_feedforward_layernorm"), name + "mlp.", "gelu_pytorch_tanh", false),
                 "post_feedforward_layernorm");
  }
  const Rows logits = head(source, source.rms(x, "model.norm", width, 1.0), "model.embed_tokens", true);
  return is_gemma3 ? logits : softcapped(logits, source.number("final_logit_softcapping"));
}

/// Attention and MLP read the same normed input; only a part of each head turns; biases everywhere, the head included.
Rows phi(const Source& source, const std::vector<std::int32_t>& ids) {
  const int width = source.size("hidden_size");
  const AttentionRule rule = rule_of(source.config());
  const Rotation rotation = rotation_of(source.config(), rule.head_dim, static_cast<int>(ids.size()));
  const double eps = source.number("layer_norm_eps");
  Rows x = source.embedding("model.embed_tokens.weight", source.size("vocab_size"), width, ids);
  for (int layer = 0; layer < source.size("num_hidden_layers"); ++layer) {
    const std::string name = layer_name("model.layers.", layer);
    const Rows normed = source.layer(x, name + "input_layernorm", eps);
    const Rows attended =
        self_attention(source, normed, rule, rotation, {name + "self_attn.", "dense", true, true}, width);
    const Rows hidden =
        activated("gelu_new", source.project(normed, name + "mlp.fc1", source.size("intermediate_size"), true));
    x = x + attended + source.project(hidden, name + "mlp.fc2", width, true);
  }
  return source.project(source.layer(x, "model.final_layernorm", eps), "lm_head", source.size("vocab_size"), true);
}

/// q, k, v in one matrix, gate and up in another.
Rows phi3(const Source& source, const std::vector<std::int32_t>& ids) {
  const int width = source.size("hidden_size"), d_ff = source.size("intermediate_size");
  AttentionRule rule = rule_of(source.config());
  rule.window = source.config().value("sliding_window", 0);
  const Rotation rotation = rotation_of(source.config(), rule.head_dim, static_cast<int>(ids.size()));
  const int q_width = rule.n_heads * rule.head_dim, kv_width = rule.n_kv_heads * rule.head_dim;
  Rows x = source.embedding("model.embed_tokens.weight", source.size("vocab_size"), width, ids);
  for (int layer = 0; layer < source.size("num_hidden_layers"); ++layer) {
    const std::string name = layer_name("model.layers.", layer);
    const Rows qkv = source.project(source.rms(x, name + "input_layernorm", width), name + "self_attn.qkv_proj",
                                    q_width + 2 * kv_width, false);
    const Rows q = rotated(columns(qkv, 0, q_width), rule.head_dim, rotation);
    const Rows k = rotated(columns(qkv, q_width, kv_width), rule.head_dim, rotation);
    const Rows mixed = attention(rule, q, k, columns(qkv, q_width + kv_width, kv_width));
    x = x + source.project(mixed, name + "self_attn.o_proj", width, false);
    const Rows gate_up = source.project(source.rms(x, name + "post_attention_layernorm", width),
                                        name + "mlp.gate_up_proj", 2 * d_ff, false);
    const Rows hidden = times(activated("silu", columns(gate_up, 0, d_ff)), columns(gate_up, d_ff, d_ff));
    x = x + source.project(hidden, name + "mlp.down_proj", width, false);
  }
  return head(source, source.rms(x, "model.norm", width), "model.embed_tokens", false);
}

std::vector<std::int32_t> positions_from(std::int32_t first, std::size_t count) {
  std::vector<std::int32_t> positions;
  for (std::size_t i = 0; i < count; ++i) positions.push_back(first + static_cast<std::int32_t>(i));
  return positions;
}

Rows gpt2(const Source& source, const std::vector<std::int32_t>& ids) {
  const int width = source.size("n_embd");
  const double eps = source.number("layer_norm_epsilon");
  AttentionRule rule{source.size("n_head"), source.size("n_head"), width / source.size("n_head")};
  Rows x = source.embedding("transformer.wte.weight", source.size("vocab_size"), width, ids) +
           source.embedding("transformer.wpe.weight", source.size("n_positions"), width, positions_from(0, ids.size()));
  for (int layer = 0; layer < source.size("n_layer"); ++layer) {
    const std::string name = layer_name("transformer.h.", layer);
    rule.scale = 1.0 / std::sqrt(rule.head_dim);
    if (source.flag("scale_attn_by_inverse_layer_idx", false)) rule.scale /= layer + 1;
    const Rows qkv = source.project_conv1d(source.layer(x, name + "ln_1", eps), name + "attn.c_attn", 3 * width);
    const Rows mixed =
        attention(rule, columns(qkv, 0, width), columns(qkv, width, width), columns(qkv, 2 * width, width));
    x = x + source.project_conv1d(mixed, name + "attn.c_proj", width);
    const Rows hidden = source.project_conv1d(source.layer(x, name + "ln_2", eps), name + "mlp.c_fc", 4 * width);
    x = x + source.project_conv1d(activated("gelu_new", hidden), name + "mlp.c_proj", width);
  }
  return head(source, source.layer(x, "transformer.ln_f", eps), "transformer.wte", true);
}

/// Positions start at row 2 of their table. Norms stand before the branches, or (OPT-350m) behind the sums.
Rows opt(const Source& source, const std::vector<std::int32_t>& ids) {
  const int width = source.size("hidden_size");
  const bool norm_before = source.flag("do_layer_norm_before", true);
  const double eps = 1e-5;
  const AttentionRule rule = rule_of(source.config());
  const Rotation no_rotation;
  Rows x = source.embedding("model.decoder.embed_tokens.weight", source.size("vocab_size"), width, ids) +
           source.embedding("model.decoder.embed_positions.weight", source.size("max_position_embeddings") + 2, width,
                            positions_from(2, ids.size()));
  for (int layer = 0; layer < source.size("num_hidden_layers"); ++layer) {
    const std::string name = layer_name("model.decoder.layers.", layer);
    const auto branch = [&](const std::string& norm, const auto& body) {
      if (norm_before) return x + body(source.layer(x, name + norm, eps));
      return source.layer(x + body(x), name + norm, eps);
    };
    x = branch("self_attn_layer_norm", [&](const Rows& in) {
      return self_attention(source, in, rule, no_rotation, {name + "self_attn.", "out_proj", true, true}, width);
    });
    x = branch("final_layer_norm", [&](const Rows& in) {
      return source.project(activated("relu", source.project(in, name + "fc1", source.size("ffn_dim"), true)),
                            name + "fc2", width, true);
    });
  }
  if (norm_before) x = source.layer(x, "model.decoder.final_layer_norm", eps);
  return head(source, x, "model.decoder.embed_tokens", true);
}

}  // namespace

Rows logits_of(const json& config, Checkpoint& checkpoint, const std::vector<std::int32_t>& ids) {
  const Source source(config, checkpoint);
  const std::string type = config.at("model_type");
  if (type == "llama" || type == "mistral" || type == "qwen2" || type == "qwen3") return llama_like(source, ids);
  if (type == "gemma") return gemma(source, ids);
  if (type == "gemma2" || type == "gemma3_text") return gemma2_or_3(source, ids);
  if (type == "phi") return phi(source, ids);
  if (type == "phi3") return phi3(source, ids);
  if (type == "deepseek_v2" || type == "deepseek_v3") return deepseek(source, ids);
  if (type == "gpt2") return gpt2(source, ids);
  if (type == "opt") return opt(source, ids);
  throw std::invalid_argument("model_type " + type);
}

}  // namespace dachlast::reference
