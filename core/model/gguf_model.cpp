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
#include "core/model/gguf_layers.h"
#include "core/model/gguf_rope.h"
#include "core/model/gguf_tensors.h"
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

void refuse_encoders(const GgufConfig& config) {
  const GgufValue* causal = config.file().first().find_value(config.architecture() + ".attention.causal");
  if (causal != nullptr && flag_of(*causal) == false)
    config.fail("attention.causal", "is false: encoders are not supported");
}

// -------- layers

/// Parts that a model may have or not, known by the tensors of its first layer.
struct OptionalParts {
  bool qkv_bias;
  bool o_bias;
  bool mlp_bias;
  bool head_bias;
  bool own_head;
};

OptionalParts optional_parts(const GgufTensors& tensors, const GgufFamily& family) {
  const bool all = family.biases == GgufBiases::kAll;
  if (tensors.empty())
    return {.qkv_bias = family.biases != GgufBiases::kNone,
            .o_bias = all,
            .mlp_bias = all,
            .head_bias = family.architecture == "phi2",
            .own_head = !family.tied};
  return {.qkv_bias = tensors.has("blk.0.attn_q.bias") || tensors.has("blk.0.attn_qkv.bias"),
          .o_bias = tensors.has("blk.0.attn_output.bias"),
          .mlp_bias = tensors.has("blk.0.ffn_up.bias"),
          .head_bias = tensors.has("output.bias"),
          .own_head = tensors.has("output.weight")};
}

std::vector<LayerSpec> uniform_layers(GgufConfig& config, const GgufFamily& family, const GgufBlocks& blocks,
                                      const GgufTensors& tensors, const OptionalParts& parts) {
  const std::vector<int> widths = config.layer_sizes("feed_forward_length", blocks.n_blocks, size_limit::kFfWidth);
  const GgufLayerTensors first(tensors, 0);
  std::vector<LayerSpec> layers;
  for (std::size_t i = 0; i < static_cast<std::size_t>(blocks.n_layers()); ++i) {
    LayerSpec layer;
    AttentionSpec& attention = attention_of(layer) = gguf_attention(config, blocks, i);
    attention.qkv_bias = parts.qkv_bias;
    attention.o_bias = parts.o_bias;
    attention.qk_norm = tensors.empty() ? family.qk_norm : gguf_qk_norm(first, attention);
    mlp_of(layer) = {.d_ff = widths[i], .activation = family.activation, .gate = family.gate, .bias = parts.mlp_bias};
    layers.push_back(layer);
  }
  return layers;
}

/// Keys of layers that are not all alike.
void refuse_other_structures(GgufConfig& config) {
  for (const char* key :
       {"attention.kv_lora_rank", "attention.shared_kv_layers", "nextn_predict_layers", "ssm.state_size"})
    if (config.count_or(key, 0, size_limit::kFfWidth) != 0)
      config.fail(key, "describes layers that are not known in this architecture",
                  "Plan this model from its config.json.");
}

/// Mixtral has the architecture of Llama, and states experts.
bool is_built_by_tensors(GgufConfig& config, const GgufFamily& family) {
  return family.layout == GgufLayout::kByTensors || config.count_or("expert_count", 0, size_limit::kExperts) > 0;
}

void read_layers(GgufConfig& config, const GgufFamily& family, const GgufTensors& tensors, const OptionalParts& parts,
                 ModelSpec& spec) {
  const GgufBlocks blocks = read_gguf_blocks(config, family, spec);
  if (!is_built_by_tensors(config, family)) {
    refuse_other_structures(config);
    spec.layers = uniform_layers(config, family, blocks, tensors, parts);
    return;
  }
  spec.layers = gguf_layers_by_tensors(config, family, blocks, tensors, spec.d_model);
  spec.mtp = gguf_mtp(config, family, blocks, tensors, spec.d_model);
}

/// Gemma's (1 + w) is stored as such: weight_offset stays 0. Some state the other norm's key (Phi-MoE, Nemotron-H).
NormSpec read_norm(GgufConfig& config, const GgufFamily& family) {
  constexpr const char* kRmsKey = "attention.layer_norm_rms_epsilon";
  constexpr const char* kLayerKey = "attention.layer_norm_epsilon";
  const bool rms = family.norm == NormKind::kRms;
  auto eps = config.positive_if_any(rms ? kRmsKey : kLayerKey);
  if (!eps) eps = config.positive_if_any(rms ? kLayerKey : kRmsKey);
  if (!eps) config.fail(rms ? kRmsKey : kLayerKey, "is missing");
  return {.kind = family.norm, .eps = *eps, .weight_offset = 0.0, .layer_bias = family.norm_bias};
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
  refuse_encoders(config);
  const GgufTensors tensors(file);
  const OptionalParts parts = optional_parts(tensors, family);
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
  if (family.positions == GgufPositions::kLearned) spec.n_learned_positions = spec.max_context;
  read_layers(config, family, tensors, parts, spec);
  if (family.finish != nullptr) family.finish(config, spec);
  warn_about_stored_frequencies(config);
  config.warn_about_unread_keys();
  return spec;
}

}  // namespace dachlast
