#include "core/model/weight_slots.h"

#include <fmt/core.h>

#include "core/base/error.h"

namespace dachlast {
namespace {

enum class Bias { kAbsent, kPresent };

Bias bias_if(bool present) {
  return present ? Bias::kPresent : Bias::kAbsent;
}

/// Appends slots of one layer, or of the part outside the layers.
class SlotList {
 public:
  SlotList(const ModelSpec& model, int layer, std::vector<WeightSlot>& slots)
      : norm_bias_(bias_if(model.norm.kind == NormKind::kLayer)), layer_(layer), slots_(slots) {}

  void matrix(WeightRole role, std::int64_t rows, std::int64_t columns, Bias bias) {
    slots_.push_back({role, layer_, WeightPart::kMatrix, rows, columns});
    if (bias == Bias::kPresent) slots_.push_back({role, layer_, WeightPart::kBias, rows, 1});
  }
  void norm(WeightRole role, std::int64_t dim) {
    slots_.push_back({role, layer_, WeightPart::kNorm, dim, 1});
    if (norm_bias_ == Bias::kPresent) slots_.push_back({role, layer_, WeightPart::kBias, dim, 1});
  }
  /// QK-norm is an RMSNorm in every model that has it: never a bias.
  void qk_norm(WeightRole role, std::int64_t head_dim) {
    slots_.push_back({role, layer_, WeightPart::kNorm, head_dim, 1});
  }
  void positions(std::int64_t rows, std::int64_t columns) {
    slots_.push_back({WeightRole::kTokenEmbedding, layer_, WeightPart::kPositions, rows, columns});
  }

 private:
  Bias norm_bias_;
  int layer_;
  std::vector<WeightSlot>& slots_;
};

void append_attention(const ModelSpec& model, const AttentionSpec& attention, SlotList& list) {
  const std::int64_t q_rows = std::int64_t{attention.n_heads} * attention.head_dim;
  const std::int64_t kv_rows = std::int64_t{attention.n_kv_heads} * attention.head_dim;
  list.matrix(WeightRole::kQkv, q_rows + 2 * kv_rows, model.d_model, bias_if(attention.qkv_bias));
  if (attention.qk_norm) {
    list.qk_norm(WeightRole::kQNorm, attention.head_dim);
    list.qk_norm(WeightRole::kKNorm, attention.head_dim);
  }
  list.matrix(WeightRole::kOProj, model.d_model, q_rows, bias_if(attention.o_bias));
}

void append_mlp(const ModelSpec& model, const MlpSpec& mlp, SlotList& list) {
  const std::int64_t up_rows = (mlp.gate == Gate::kGated ? 2 : 1) * std::int64_t{mlp.d_ff};
  list.matrix(WeightRole::kMlpUp, up_rows, model.d_model, bias_if(mlp.bias));
  list.matrix(WeightRole::kMlpDown, model.d_model, mlp.d_ff, bias_if(mlp.bias));
}

void append_layer(const ModelSpec& model, const LayerSpec& layer, SlotList& list) {
  list.norm(WeightRole::kInputNorm, model.d_model);
  append_attention(model, layer.attention, list);
  if (model.wiring == BlockWiring::kSandwich) list.norm(WeightRole::kPostAttentionNorm, model.d_model);
  if (model.wiring != BlockWiring::kParallel) list.norm(WeightRole::kMlpNorm, model.d_model);
  append_mlp(model, layer.mlp, list);
  if (model.wiring == BlockWiring::kSandwich) list.norm(WeightRole::kPostMlpNorm, model.d_model);
}

}  // namespace

std::vector<WeightSlot> weight_slots(const ModelSpec& model) {
  std::vector<WeightSlot> slots;
  SlotList outside(model, -1, slots);
  outside.matrix(WeightRole::kTokenEmbedding, model.vocab_size, model.d_model, Bias::kAbsent);
  if (model.n_learned_positions > 0) outside.positions(model.n_learned_positions, model.d_model);
  for (int i = 0; i < model.n_layers(); ++i) {
    SlotList list(model, i, slots);
    append_layer(model, model.layers[static_cast<std::size_t>(i)], list);
  }
  if (model.final_norm) outside.norm(WeightRole::kFinalNorm, model.d_model);
  if (!model.tied_embeddings) outside.matrix(WeightRole::kLmHead, model.vocab_size, model.d_model, Bias::kAbsent);
  if (model.lm_head_bias) slots.push_back({WeightRole::kLmHead, -1, WeightPart::kBias, model.vocab_size, 1});
  return slots;
}

void require_weight_precision(DType precision) {
  if (precision == DType::kF32 || precision == DType::kBF16) return;
  throw Error(ErrorKind::kUsage, "weight precision", fmt::format("{} is not supported.", name_of(precision)),
              "Use f32 or bf16.");
}

}  // namespace dachlast
