#include "core/model/weight_slots.h"

#include <fmt/core.h>

#include "core/base/error.h"
#include "core/model/slot_list.h"

namespace dachlast {
namespace {

bool norms_before(BlockWiring wiring) {
  return wiring != BlockWiring::kBranchNorm;
}

bool norms_behind(BlockWiring wiring) {
  return wiring == BlockWiring::kSandwich || wiring == BlockWiring::kBranchNorm;
}

/// Gemma 3n and 4: from the residual down to the layer's own input, and back.
void append_per_layer_input(const PerLayerInputSpec& inputs, SlotList& list) {
  const int d_model = list.model().d_model;
  list.matrix(WeightRole::kPerLayerDown, inputs.d_input, d_model, {});
  list.matrix(WeightRole::kPerLayerUp, d_model, inputs.d_input, {});
  list.norm(WeightRole::kPerLayerUp, d_model);
}

/// Outside the layers: one table for all of them, and a projection of the embeddings.
void append_per_layer_tables(const PerLayerInputSpec& inputs, SlotList& list) {
  const std::int64_t width = std::int64_t{inputs.d_input} * list.model().n_layers();
  list.matrix(WeightRole::kPerLayerEmbedding, inputs.vocab_size, width, {WeightClass::kEmbedding, Shard::kVocab});
  list.matrix(WeightRole::kPerLayerDown, width, list.model().d_model, {});
  list.norm(WeightRole::kPerLayerDown, inputs.d_input);
}

bool fuses(const WeightSlot& above, const WeightSlot& below) {
  return above.role == below.role && above.layer == below.layer && above.part == below.part &&
         above.columns == below.columns && above.count == 1 && below.count == 1;
}

}  // namespace

void append_layer(const LayerSpec& layer, SlotList& list) {
  const ModelSpec& model = list.model();
  if (has_mixer(layer)) {
    if (norms_before(model.wiring)) list.norm(WeightRole::kInputNorm, model.d_model);
    append_mixer(layer.mixer, list);
    if (norms_behind(model.wiring)) list.norm(WeightRole::kPostAttentionNorm, model.d_model);
  }
  if (has_feed_forward(layer)) {
    if (norms_before(model.wiring) && model.wiring != BlockWiring::kParallel)
      list.norm(WeightRole::kMlpNorm, model.d_model);
    append_feed_forward(layer.feed_forward, list);
    if (norms_behind(model.wiring)) list.norm(WeightRole::kPostMlpNorm, model.d_model);
  }
  if (model.per_layer_inputs) append_per_layer_input(*model.per_layer_inputs, list);
}

std::vector<WeightSlot> weight_slots(const ModelSpec& model) {
  std::vector<WeightSlot> slots;
  SlotList outside(model, -1, WeightOwner::kTextModel, slots);
  outside.matrix(WeightRole::kTokenEmbedding, model.vocab_size, model.d_model,
                 {WeightClass::kEmbedding, Shard::kVocab});
  if (model.n_learned_positions > 0) outside.positions(model.n_learned_positions, model.d_model);
  if (model.embedding_norm) outside.norm(WeightRole::kEmbeddingNorm, model.d_model);
  if (model.per_layer_inputs) append_per_layer_tables(*model.per_layer_inputs, outside);
  for (int i = 0; i < model.n_layers(); ++i) {
    SlotList list(model, i, WeightOwner::kTextModel, slots);
    append_layer(model.layers[static_cast<std::size_t>(i)], list);
  }
  if (model.final_norm) outside.norm(WeightRole::kFinalNorm, model.d_model);
  if (!model.tied_embeddings)
    outside.matrix(WeightRole::kLmHead, model.vocab_size, model.d_model, {WeightClass::kHead, Shard::kVocab});
  if (model.lm_head_bias) outside.bias(WeightRole::kLmHead, model.vocab_size, Shard::kVocab);
  return slots;
}

std::vector<WeightSlot> extra_weight_slots(const ModelSpec& model) {
  std::vector<WeightSlot> slots;
  const std::size_t n_mtp_layers = model.mtp ? model.mtp->layers.size() : 0;
  for (std::size_t i = 0; i < n_mtp_layers; ++i) {
    SlotList list(model, model.n_layers() + static_cast<int>(i), WeightOwner::kMtp, slots);
    for (int input = 0; input < 2; ++input) list.norm(WeightRole::kMtpJoin, model.d_model);  // token and hidden state
    list.matrix(WeightRole::kMtpJoin, model.d_model, 2 * std::int64_t{model.d_model}, {});
    append_layer(model.mtp->layers[i], list);
    list.norm(WeightRole::kFinalNorm, model.d_model);
    if (!model.mtp->own_embeddings) continue;
    list.matrix(WeightRole::kTokenEmbedding, model.vocab_size, model.d_model, {WeightClass::kEmbedding, Shard::kVocab});
    list.matrix(WeightRole::kLmHead, model.vocab_size, model.d_model, {WeightClass::kHead, Shard::kVocab});
  }
  SlotList tower_list(model, -1, WeightOwner::kTower, slots);
  for (const TowerSpec& tower : model.towers)
    for (const TowerTensor& tensor : tower.tensors) {
      const bool vector = tensor.columns == 1;
      tower_list.add(WeightRole::kTower, vector ? WeightPart::kBias : WeightPart::kMatrix, tensor.rows, tensor.columns,
                     {.weight_class = vector ? WeightClass::kBias : WeightClass::kLinear, .count = tensor.count});
    }
  return slots;
}

std::vector<WeightSlot> fused_weight_slots(const ModelSpec& model) {
  std::vector<WeightSlot> fused;
  for (const WeightSlot& slot : weight_slots(model))
    if (!fused.empty() && fuses(fused.back(), slot))
      fused.back().rows += slot.rows;
    else
      fused.push_back(slot);
  return fused;
}

void require_weight_storage(const ModelSpec& model, const WeightStorage& storage) {
  if (storage.type == DType::kF32 || storage.type == DType::kBF16) return;
  if (!storage.type.quantized())
    throw Error(ErrorKind::kUsage, "weight type", fmt::format("{} is not supported.", name_of(storage.type)),
                "Use f32, bf16, int8 or int4.");
  for (const WeightSlot& slot : fused_weight_slots(model))
    if (slot.part == WeightPart::kMatrix && slot.columns > kMostQuantizedColumns)
      throw Error(ErrorKind::kUsage, "weight type",
                  fmt::format("{} has rows of {} weights, and 32-bit sums of integers hold {}.", model.name,
                              slot.columns, kMostQuantizedColumns),
                  "Use bf16.");
}

}  // namespace dachlast
