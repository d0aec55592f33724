#include "core/model/tensor_names.h"

#include <fmt/core.h>

#include <cassert>
#include <initializer_list>
#include <string_view>

namespace dachlast {
namespace {

/// Modules of one naming, without prefix, layer and ".weight". Several modules in a list lie below each other.
struct NameTable {
  std::string_view layers;  // between prefix and layer number
  std::string_view token_embedding;
  std::string_view positions;
  std::string_view final_norm;
  std::string_view input_norm;
  std::vector<std::string_view> qkv;
  std::string_view o_proj;
  std::string_view mlp_norm;
  std::vector<std::string_view> mlp_up;
  std::string_view mlp_down;
  PartLayout projections = PartLayout::kRowMajor;  // attention and MLP; embeddings are never transposed
};

// Modules only some models have, always under these names.
constexpr std::string_view kQNorm = "self_attn.q_norm";
constexpr std::string_view kKNorm = "self_attn.k_norm";
constexpr std::string_view kHead = "lm_head";
// Multi-head latent attention: each down projection and the norm behind it.
constexpr std::string_view kQDown = "self_attn.q_a_proj";
constexpr std::string_view kQDownNorm = "self_attn.q_a_layernorm";
constexpr std::string_view kQUp = "self_attn.q_b_proj";
constexpr std::string_view kQWhole = "self_attn.q_proj";  // where queries have no latent
constexpr std::string_view kKvDown = "self_attn.kv_a_proj_with_mqa";
constexpr std::string_view kKvDownNorm = "self_attn.kv_a_layernorm";
constexpr std::string_view kKvUp = "self_attn.kv_b_proj";
// With sandwich norms "post_attention_layernorm" is what it says; elsewhere it is the norm before the MLP.
constexpr std::string_view kSandwichPostAttentionNorm = "post_attention_layernorm";
constexpr std::string_view kSandwichMlpNorm = "pre_feedforward_layernorm";
constexpr std::string_view kSandwichPostMlpNorm = "post_feedforward_layernorm";

NameTable llama_names() {
  return {.layers = "layers.",
          .token_embedding = "embed_tokens",
          .positions = "",
          .final_norm = "norm",
          .input_norm = "input_layernorm",
          .qkv = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
          .o_proj = "self_attn.o_proj",
          .mlp_norm = "post_attention_layernorm",
          .mlp_up = {"mlp.gate_proj", "mlp.up_proj"},
          .mlp_down = "mlp.down_proj"};
}

NameTable gemma_names() {
  NameTable names = llama_names();
  names.mlp_norm = kSandwichMlpNorm;
  return names;
}

NameTable phi_names() {
  NameTable names = llama_names();
  names.final_norm = "final_layernorm";
  names.o_proj = "self_attn.dense";
  names.mlp_up = {"mlp.fc1"};
  names.mlp_down = "mlp.fc2";
  return names;
}

/// Stored fused, in the row order of the op list: q, k, v; gate, up.
NameTable phi3_names() {
  NameTable names = llama_names();
  names.qkv = {"self_attn.qkv_proj"};
  names.mlp_up = {"mlp.gate_up_proj"};
  return names;
}

/// Conv1D keeps [inputs, outputs]; c_attn's outputs are q, k, v.
NameTable gpt2_names() {
  return {.layers = "h.",
          .token_embedding = "wte",
          .positions = "wpe",
          .final_norm = "ln_f",
          .input_norm = "ln_1",
          .qkv = {"attn.c_attn"},
          .o_proj = "attn.c_proj",
          .mlp_norm = "ln_2",
          .mlp_up = {"mlp.c_fc"},
          .mlp_down = "mlp.c_proj",
          .projections = PartLayout::kTransposed};
}

NameTable opt_names() {
  return {.layers = "layers.",
          .token_embedding = "embed_tokens",
          .positions = "embed_positions",
          .final_norm = "final_layer_norm",
          .input_norm = "self_attn_layer_norm",
          .qkv = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
          .o_proj = "self_attn.out_proj",
          .mlp_norm = "final_layer_norm",
          .mlp_up = {"fc1"},
          .mlp_down = "fc2"};
}

const NameTable& names_of(TensorNaming naming) {
  static const NameTable llama = llama_names(), gemma = gemma_names(), phi = phi_names(), phi3 = phi3_names(),
                         gpt2 = gpt2_names(), opt = opt_names();
  switch (naming) {
    case TensorNaming::kLlama: return llama;
    case TensorNaming::kGemma: return gemma;
    case TensorNaming::kPhi: return phi;
    case TensorNaming::kPhi3: return phi3;
    case TensorNaming::kGpt2: return gpt2;
    case TensorNaming::kOpt: return opt;
    case TensorNaming::kNone: break;  // never run: `missing_kernels` names the reason
  }
  return llama;
}

/// The module of a role of latent attention; empty for other roles.
std::string_view latent_module(const WeightSlot& slot, const ModelSpec& model) {
  const bool norm = slot.part == WeightPart::kNorm;
  switch (slot.role) {
    case WeightRole::kQDown: return norm ? kQDownNorm : kQDown;
    case WeightRole::kKvDown: return norm ? kKvDownNorm : kKvDown;
    case WeightRole::kKvUp: return kKvUp;
    case WeightRole::kQUp: {
      const auto* latent = std::get_if<MlaSpec>(&model.layers[static_cast<std::size_t>(slot.layer)].mixer);
      return latent != nullptr && latent->q_lora_rank == 0 ? kQWhole : kQUp;
    }
    default: return {};
  }
}

/// Modules of a slot, top to bottom.
std::vector<std::string_view> modules_of(const WeightSlot& slot, const ModelSpec& model, const NameTable& names) {
  if (const std::string_view latent = latent_module(slot, model); !latent.empty()) return {latent};
  switch (slot.role) {
    case WeightRole::kNone: return {};
    case WeightRole::kTokenEmbedding: return {names.token_embedding};
    case WeightRole::kInputNorm: return {names.input_norm};
    case WeightRole::kQkv: return names.qkv;
    case WeightRole::kQNorm: return {kQNorm};
    case WeightRole::kKNorm: return {kKNorm};
    case WeightRole::kOProj: return {names.o_proj};
    case WeightRole::kPostAttentionNorm: return {kSandwichPostAttentionNorm};
    case WeightRole::kMlpNorm: return {names.mlp_norm};
    case WeightRole::kMlpUp: return names.mlp_up;
    case WeightRole::kMlpDown: return {names.mlp_down};
    case WeightRole::kPostMlpNorm: return {kSandwichPostMlpNorm};
    case WeightRole::kFinalNorm: return {names.final_norm};
    case WeightRole::kLmHead: return {kHead};
    default: break;  // parts of models that are planned, not run
  }
  return {};
}

/// Rows of each of `n_parts` tensors that make up a slot.
std::vector<std::int64_t> part_rows(const WeightSlot& slot, const ModelSpec& model, std::size_t n_parts) {
  if (n_parts == 1) return {slot.rows};
  if (slot.role != WeightRole::kQkv) return std::vector<std::int64_t>(n_parts, slot.rows / std::int64_t(n_parts));
  const AttentionSpec& attention = attention_of(model.layers[static_cast<std::size_t>(slot.layer)]);
  const std::int64_t kv_rows = std::int64_t{attention.n_kv_heads} * attention.head_dim;
  return {slot.rows - 2 * kv_rows, kv_rows, kv_rows};
}

std::string full_name(const WeightSlot& slot, const NameTable& names, const TensorPrefix& prefix,
                      std::string_view module) {
  const char* field = slot.part == WeightPart::kBias ? "bias" : "weight";
  if (slot.role == WeightRole::kLmHead) return fmt::format("{}{}.{}", prefix.head, module, field);
  if (slot.layer < 0) return fmt::format("{}{}.{}", prefix.body, module, field);
  return fmt::format("{}{}{}.{}.{}", prefix.body, names.layers, slot.layer, module, field);
}

}  // namespace

std::vector<TensorPrefix> tensor_prefixes(TensorNaming naming) {
  switch (naming) {
    case TensorNaming::kGpt2: return {{"transformer.", ""}, {"", ""}};
    case TensorNaming::kOpt: return {{"model.decoder.", ""}, {"decoder.", ""}, {"", ""}};
    case TensorNaming::kLlama:
    case TensorNaming::kGemma:
    case TensorNaming::kPhi:
    case TensorNaming::kPhi3:
    case TensorNaming::kNone: break;
  }
  // The last two: the text model inside one that also reads pictures, as older and newer releases save it.
  return {{"model.", ""}, {"", ""}, {"language_model.model.", "language_model."}, {"model.language_model.", ""}};
}

TensorRequest tensors_of(const WeightSlot& slot, const ModelSpec& model, const TensorPrefix& prefix) {
  const NameTable& names = names_of(model.naming);
  TensorRequest request{.parts = {}, .layout = PartLayout::kRowMajor};
  if (slot.part == WeightPart::kPositions) {
    request.parts.push_back({full_name(slot, names, prefix, names.positions), slot.rows, slot.columns});
    return request;
  }
  if (slot.part == WeightPart::kMatrix && slot.layer >= 0) request.layout = names.projections;
  const std::vector<std::string_view> modules = modules_of(slot, model, names);
  const std::vector<std::int64_t> rows = part_rows(slot, model, modules.size());
  for (std::size_t i = 0; i < modules.size(); ++i)
    request.parts.push_back({full_name(slot, names, prefix, modules[i]), rows[i], slot.columns});
  return request;
}

}  // namespace dachlast
