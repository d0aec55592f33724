#include "core/model/gguf_model.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "core/base/error.h"
#include "core/model/config_object.h"
#include "core/model/gguf_config.h"
#include "core/model/gguf_families.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

const GgufFamily& family_of(const GgufConfig& config) {
  for (const GgufFamily& family : gguf_families())
    if (family.architecture == config.architecture()) return family;
  throw Error(ErrorKind::kInput, config.file().path().string(),
              fmt::format("its architecture \"{}\" is not known here.", printable(config.architecture())),
              fmt::format("Known: {}.", fmt::join(gguf_architectures(), ", ")));
}

// -------- sizes

int read_vocab_size(GgufConfig& config, const ModelSpec& spec) {
  if (const GgufTensor* embedding = config.file().find_tensor("token_embd.weight")) {
    config.ignore("vocab_size");
    if (embedding->dims[0] != static_cast<std::uint64_t>(spec.d_model))
      config.fail("embedding_length",
                  fmt::format("is {}, but token_embd.weight is {} wide", spec.d_model, embedding->dims[0]));
    if (embedding->dims[1] > static_cast<std::uint64_t>(size_limit::kVocab))
      config.fail("vocab_size", fmt::format("of {} tokens is beyond every known model", embedding->dims[1]));
    return static_cast<int>(embedding->dims[1]);
  }
  if (config.file().n_tensors() > 0)
    throw Error(ErrorKind::kInput, config.file().path().string(), "tensor token_embd.weight is missing.",
                "Is this a whole language model?");
  if (const auto stated = config.size_if_any("vocab_size", size_limit::kVocab)) return *stated;
  const GgufValue* tokens = config.file().first().find_value("tokenizer.ggml.tokens");
  const auto* list = tokens ? std::get_if<GgufArray>(&tokens->value) : nullptr;
  if (list == nullptr || list->count == 0 || list->count > static_cast<std::uint64_t>(size_limit::kVocab))
    config.fail("vocab_size", "is missing, and so is a usable list of tokens");
  return static_cast<int>(list->count);
}

/// Type with the most bytes, by name; empty where the file has no tensors.
std::string_view main_type(const GgufFile& file) {
  std::map<std::string_view, double> bytes;
  for (const GgufHeader& part : file.parts())
    for (const GgufTensor& tensor : part.tensors) bytes[tensor.type->name] += static_cast<double>(tensor.bytes);
  const auto most = std::ranges::max_element(bytes, {}, [](const auto& entry) { return entry.second; });
  return most == bytes.end() ? std::string_view{} : most->first;
}

void read_native_type(GgufConfig& config, ModelSpec& spec) {
  const std::string_view type = main_type(config.file());
  spec.native_dtype = type == "F32" ? DType::kF32 : type == "BF16" ? DType::kBF16 : DType::kF16;
  if (!type.empty() && type != "F32" && type != "BF16" && type != "F16")
    config.warn("quantized_weights",
                fmt::format("most weights are {}: figures that count them from the model's shape take {}", type,
                            name_of(spec.native_dtype)));
  if (type.empty())
    config.warn("no_tensors", "the file has no tensors: biases, norms and the head are those usual in its family");
}

std::optional<int> token(const GgufFile& file, std::string_view key, int vocab_size) {
  const GgufValue* value = file.first().find_value(key);
  const auto id = value ? integer_of(*value) : std::nullopt;
  return id && *id >= 0 && *id < vocab_size ? std::optional(static_cast<int>(*id)) : std::nullopt;
}

void read_basics(GgufConfig& config, ModelSpec& spec) {
  spec.d_model = config.size("embedding_length", size_limit::kWidth);
  spec.vocab_size = read_vocab_size(config, spec);
  spec.max_context = config.size("context_length", size_limit::kContext);
  spec.bos_token = token(config.file(), "tokenizer.ggml.bos_token_id", spec.vocab_size);
  spec.eos_token = token(config.file(), "tokenizer.ggml.eos_token_id", spec.vocab_size);
  read_native_type(config, spec);
}

void refuse_other_structures(GgufConfig& config) {
  for (const char* key : {"expert_count", "attention.kv_lora_rank", "attention.shared_kv_layers",
                          "nextn_predict_layers", "ssm.state_size"})
    if (const GgufValue* value = config.file().first().find_value(config.architecture() + "." + key);
        value != nullptr && number_of(*value) != 0.0)
      config.fail(key, "describes layers that are not read from GGUF files yet",
                  "Plan this model from its config.json.");
  const GgufValue* causal = config.file().first().find_value(config.architecture() + ".attention.causal");
  if (causal != nullptr && flag_of(*causal) == false)
    config.fail("attention.causal", "is false: encoders are not supported");
}

// -------- layers

RopeScaling read_yarn(GgufConfig& config, ModelSpec& spec, double factor) {
  const int original =
      config.size_if_any("rope.scaling.original_context_length", size_limit::kContext).value_or(spec.max_context);
  const double extended = std::min<double>(size_limit::kContext, factor * original);
  spec.max_context = std::max(spec.max_context, static_cast<int>(extended));
  return YarnRopeScaling{.factor = factor,
                         .beta_fast = config.positive_if_any("rope.scaling.yarn_beta_fast").value_or(32.0),
                         .beta_slow = config.positive_if_any("rope.scaling.yarn_beta_slow").value_or(1.0),
                         // 0.1 · ln(factor) + 1: equation 22 of Peng et al. 2023; the key multiplies it.
                         .attention_factor = (0.1 * std::log(factor) + 1.0) *
                                             config.positive_if_any("rope.scaling.attn_factor").value_or(1.0),
                         .original_context = original};
}

/// Divisors per frequency are stored as tensors, which are not read: they change numbers, not memory or work.
void warn_about_stored_frequencies(GgufConfig& config) {
  for (const char* name : {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"})
    if (config.file().find_tensor(name) != nullptr)
      config.warn("rope_factors", fmt::format("tensor {} is not read: RoPE is described without it, which changes no "
                                              "figure of memory or work",
                                              name));
}

RopeScaling read_rope_scaling(GgufConfig& config, ModelSpec& spec) {
  const std::string type = config.text_or("rope.scaling.type", "linear");
  const auto factor =
      config.non_negative_if_any(config.has("rope.scale_linear") ? "rope.scale_linear" : "rope.scaling.factor");
  // Without a scaling that reads them these have nothing to act on.
  config.ignore("rope.scaling.original_context_length");
  config.ignore("rope.scaling.attn_factor");
  if (type == "none" || type == "longrope") return {};
  if (type != "linear" && type != "yarn")
    config.fail("rope.scaling.type", fmt::format("is \"{}\", an unknown RoPE scaling", printable(type)),
                "Known: none, linear, yarn, longrope.");
  if (!factor || *factor == 0.0 || *factor == 1.0) return {};  // 0 stands for none
  if (*factor < 1.0) config.fail("rope.scaling.factor", fmt::format("is {}, below 1", *factor));
  return type == "linear" ? RopeScaling(LinearRopeScaling{*factor}) : read_yarn(config, spec, *factor);
}

RopeSpec read_rope(GgufConfig& config, ModelSpec& spec, int head_dim) {
  RopeSpec rope;
  rope.theta = config.positive_if_any("rope.freq_base").value_or(10000.0);
  if (rope.theta <= 1.0) config.fail("rope.freq_base", fmt::format("is {}, not above 1", rope.theta));
  rope.rotary_dim = config.size_if_any("rope.dimension_count", size_limit::kHeadDim).value_or(head_dim);
  if (rope.rotary_dim % 2 != 0 || rope.rotary_dim > head_dim)
    config.fail("rope.dimension_count", fmt::format("of {} is no even part of head_dim {}", rope.rotary_dim, head_dim));
  rope.scaling = read_rope_scaling(config, spec);
  config.ignore("rope.scaling.finetuned");
  return rope;
}

int read_head_dim(GgufConfig& config, const ModelSpec& spec, int n_heads) {
  const auto key = config.size_if_any("attention.key_length", size_limit::kHeadDim);
  const auto value = config.size_if_any("attention.value_length", size_limit::kHeadDim);
  if (!key && spec.d_model % n_heads != 0)
    config.fail("attention.head_count", fmt::format("is {}, which does not divide {}", n_heads, spec.d_model));
  const int head_dim = key.value_or(spec.d_model / n_heads);
  if (value.value_or(head_dim) != head_dim)
    config.fail("attention.value_length", fmt::format("is {}, but keys have {}", *value, head_dim));
  return head_dim;
}

struct HeadCounts {
  std::vector<int> query;
  std::vector<int> kv;
};

HeadCounts read_head_counts(GgufConfig& config, int n_layers) {
  HeadCounts heads;
  heads.query = config.layer_sizes("attention.head_count", n_layers, size_limit::kHeads);
  heads.kv = config.has("attention.head_count_kv")
                 ? config.layer_sizes("attention.head_count_kv", n_layers, size_limit::kHeads)
                 : heads.query;
  return heads;
}

void check_heads(const GgufConfig& config, const AttentionSpec& a) {
  if (a.n_heads % a.n_kv_heads != 0)
    config.fail("attention.head_count_kv", fmt::format("is {}, which does not divide {}", a.n_kv_heads, a.n_heads));
  if (a.n_heads + 2 * a.n_kv_heads > size_limit::kRows / a.head_dim)
    config.fail("attention.head_count", fmt::format("of {} × {} is beyond every known model", a.n_heads, a.head_dim));
}

/// Parts that a model may have or not, known by the tensors of its first layer.
struct OptionalParts {
  bool qkv_bias;
  bool o_bias;
  bool mlp_bias;
  bool head_bias;
  bool qk_norm;
  bool own_head;
};

OptionalParts optional_parts(const GgufFile& file, const GgufFamily& family) {
  const bool all = family.biases == GgufBiases::kAll;
  if (file.n_tensors() == 0)
    return {.qkv_bias = family.biases != GgufBiases::kNone,
            .o_bias = all,
            .mlp_bias = all,
            .head_bias = family.architecture == "phi2",
            .qk_norm = family.qk_norm,
            .own_head = !family.tied};
  const auto has = [&](std::string_view name) { return file.find_tensor(name) != nullptr; };
  return {.qkv_bias = has("blk.0.attn_q.bias") || has("blk.0.attn_qkv.bias"),
          .o_bias = has("blk.0.attn_output.bias"),
          .mlp_bias = has("blk.0.ffn_up.bias"),
          .head_bias = has("output.bias"),
          .qk_norm = has("blk.0.attn_q_norm.weight"),
          .own_head = has("output.weight")};
}

void read_layers(GgufConfig& config, const GgufFamily& family, const OptionalParts& parts, ModelSpec& spec) {
  const int n_layers = config.size("block_count", size_limit::kLayers);
  const HeadCounts heads = read_head_counts(config, n_layers);
  const std::vector<int> widths = config.layer_sizes("feed_forward_length", n_layers, size_limit::kFfWidth);
  const int head_dim = read_head_dim(config, spec, heads.query.front());
  const auto rope = family.learned_positions ? std::nullopt : std::optional(read_rope(config, spec, head_dim));
  for (std::size_t i = 0; i < widths.size(); ++i) {
    LayerSpec layer;
    attention_of(layer) = {.n_heads = heads.query[i],
                           .n_kv_heads = heads.kv[i],
                           .head_dim = head_dim,
                           .window = 0,
                           .scale = 1.0 / std::sqrt(head_dim),
                           .softcap = 0.0,
                           .qkv_bias = parts.qkv_bias,
                           .o_bias = parts.o_bias,
                           .qk_norm = parts.qk_norm ? QkNorm::kPerHead : QkNorm::kNone,
                           .rope = rope};
    mlp_of(layer) = {.d_ff = widths[i], .activation = family.activation, .gate = family.gate, .bias = parts.mlp_bias};
    check_heads(config, attention_of(layer));
    spec.layers.push_back(layer);
  }
}

NormSpec read_norm(GgufConfig& config, const GgufFamily& family) {
  const char* key = family.norm == NormKind::kRms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
  const auto eps = config.positive_if_any(key);
  if (!eps) config.fail(key, "is missing");
  // Gemma's (1 + w) is stored as such: weight_offset stays 0.
  return {.kind = family.norm, .eps = *eps, .weight_offset = 0.0};
}

std::string model_name(const GgufFile& file) {
  const GgufValue* name = file.first().find_value("general.name");
  const auto text = name ? text_of(*name) : std::nullopt;
  return text && !text->empty() ? printable(*text) : file.path().stem().string();
}

}  // namespace

std::vector<std::string_view> gguf_architectures() {
  std::vector<std::string_view> names;
  for (const GgufFamily& family : gguf_families()) names.push_back(family.architecture);
  return names;
}

ModelSpec model_spec_from_gguf(const GgufFile& file, std::vector<ConfigWarning>& warnings) {
  GgufConfig config(file, warnings);
  const GgufFamily& family = family_of(config);
  refuse_other_structures(config);
  const OptionalParts parts = optional_parts(file, family);
  ModelSpec spec;
  spec.name = model_name(file);
  spec.architecture = family.model_type;
  spec.naming = family.naming;
  spec.wiring = family.wiring;
  spec.norm = read_norm(config, family);
  read_basics(config, spec);
  spec.tied_embeddings = !parts.own_head;
  spec.lm_head_bias = parts.head_bias;
  if (family.scaled_embeddings) spec.embed_scale = std::sqrt(static_cast<double>(spec.d_model));
  if (family.learned_positions) spec.n_learned_positions = spec.max_context;
  read_layers(config, family, parts, spec);
  if (family.finish != nullptr) family.finish(config, spec);
  warn_about_stored_frequencies(config);
  config.warn_about_unread_keys();
  return spec;
}

}  // namespace dachlast
