#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/model/model_spec.h"
#include "core/model/weight_slots.h"

namespace dachlast {

/// One tensor of a checkpoint and its share of a slot.
struct TensorPart {
  std::string name;
  std::int64_t rows;
  std::int64_t columns;  // 1 for vectors
};

/// How the tensors of a slot are stored: [rows, columns] as the engine wants them, or [columns, rows] (GPT-2's Conv1D).
enum class PartLayout : std::uint8_t { kRowMajor, kTransposed };

/// Tensors whose rows, below each other, are a slot: q, k and v; gate and up; usually just one.
struct TensorRequest {
  std::vector<TensorPart> parts;
  PartLayout layout;
};

/// What stands before the names. Checkpoints saved from the model with its head carry one ("model."), those of the bare
/// model often do not.
struct TensorPrefix {
  std::string body;  // before embeddings, layers and the final norm
  std::string head;  // before "lm_head"
};

/// Prefixes seen in checkpoints of this naming, the usual one first.
std::vector<TensorPrefix> tensor_prefixes(TensorNaming naming);

/// Tensors that hold a slot of this model, named as the Transformers classes name them:
/// https://github.com/huggingface/transformers, src/transformers/models/{llama,gemma2,phi,phi3,gpt2,opt}/modeling_*.py.
TensorRequest tensors_of(const WeightSlot& slot, const ModelSpec& model, const TensorPrefix& prefix);

}  // namespace dachlast
