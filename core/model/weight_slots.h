#pragma once

#include <cstdint>
#include <vector>

#include "core/base/packed_matrix.h"
#include "core/model/model_spec.h"
#include "core/model/op_list.h"

namespace dachlast {

/// What a slot holds of its role.
enum class WeightPart : std::uint8_t {
  kMatrix,     // [rows, columns]
  kNorm,       // vector of `rows` elements
  kBias,       // vector of `rows` elements
  kPositions,  // learned position table, under role kTokenEmbedding
  kState,      // [rows, columns] of convolutions and state spaces, and attention sinks: never quantized
};

/// How tensor parallelism splits a slot.
enum class Shard : std::uint8_t {
  kReplicated,     // norms, routers, down projections to a latent
  kRows,           // rows by heads or channels: column-parallel, as Megatron-LM calls it
  kColumns,        // columns: row-parallel, the results are added up
  kKvHeads,        // rows by KV heads or groups; each is kept by several ranks where there are more ranks than heads
  kVocab,          // rows by tokens
  kExpertRows,     // whole experts under expert parallelism, else the rows of each
  kExpertColumns,  // likewise, else the columns of each
};

/// What quantization schemes treat alike.
enum class WeightClass : std::uint8_t {
  kEmbedding,
  kHead,
  kLinear,
  kExpert,
  kSharedExpert,
  kRouter,
  kNorm,
  kBias,
  kState
};

/// Which part of a checkpoint a slot belongs to.
enum class WeightOwner : std::uint8_t { kTextModel, kMtp, kTower };

/// Equal matrices or vectors a model keeps, all treated alike. Rows of one role that are split differently, such as
/// those of q beside those of k and v, are slots of their own, one after the other.
struct WeightSlot {
  WeightRole role;
  int layer;  // -1 outside the layers; MTP layers count on behind the others
  WeightPart part;
  std::int64_t rows;
  std::int64_t columns;    // 1 for vectors
  std::int64_t count = 1;  // n_experts, or equal tensors of a tower
  WeightClass weight_class = WeightClass::kLinear;
  Shard shard = Shard::kReplicated;
  int shard_units = 0;  // heads, KV heads, groups or experts that a rank gets whole; 0: any width
  WeightOwner owner = WeightOwner::kTextModel;

  std::int64_t size() const { return rows * columns * count; }
};

/// Every slot of the text model, embeddings first, then layer after layer, the head last. A tied head has no slot of
/// its own. This is the one list that parameters, weights per rank and quantized sizes are counted from.
std::vector<WeightSlot> weight_slots(const ModelSpec& model);

/// Slots of MTP layers and towers, which engines load or not.
std::vector<WeightSlot> extra_weight_slots(const ModelSpec& model);

/// The slots as the engine keeps them: rows of one role below each other in one matrix.
std::vector<WeightSlot> fused_weight_slots(const ModelSpec& model);

/// Matrices are kept as `storage` says, but for the up projection of latents, see `latent_up_type`; position tables in
/// rows of its plain type or f32; norms, biases and state always as float.
constexpr WeightStorage storage_of(const WeightSlot& slot, const WeightStorage& storage) {
  if (slot.role == WeightRole::kKvUp && slot.part == WeightPart::kMatrix)
    return WeightStorage(latent_up_type(storage.type));
  if (slot.part == WeightPart::kMatrix) return storage;
  if (slot.part == WeightPart::kPositions && storage.type.plain()) return WeightStorage(*storage.type.plain());
  return WeightStorage(DType::kF32);
}

inline double bytes_of(const WeightSlot& slot, const WeightStorage& storage) {
  return static_cast<double>(slot.count) *
         matrix_bytes(storage_of(slot, storage), static_cast<double>(slot.rows), static_cast<double>(slot.columns));
}

/// Errors   throws `Error` (kUsage) unless the type is f32, bf16 or a quantized one, or where a row has more columns than
///          32-bit sums hold.
void require_weight_storage(const ModelSpec& model, const WeightStorage& storage);

}  // namespace dachlast
