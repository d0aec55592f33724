#pragma once

#include <cstdint>
#include <vector>

#include "core/model/weight_slots.h"

// How the list of weight slots is put together; used by `weight_slots` and `extra_weight_slots` alone.
namespace dachlast {

enum class Bias { kAbsent, kPresent };

constexpr Bias bias_if(bool present) {
  return present ? Bias::kPresent : Bias::kAbsent;
}

/// How a matrix is treated: by quantization, and by tensor parallelism.
struct Treatment {
  WeightClass weight_class = WeightClass::kLinear;
  Shard shard = Shard::kReplicated;
  int units = 0;
  std::int64_t count = 1;
};

/// Rows of one role that are split alike.
struct RowPart {
  std::int64_t rows;
  Shard shard;
  int units;
};

/// Appends slots of one layer, or of the part outside the layers.
class SlotList {
 public:
  SlotList(const ModelSpec& model, int layer, WeightOwner owner, std::vector<WeightSlot>& slots)
      : model_(model), layer_(layer), owner_(owner), slots_(slots) {}

  const ModelSpec& model() const { return model_; }

  /// A matrix and its bias. A bias is split as the rows are, and kept whole where the columns are split.
  void matrix(WeightRole role, std::int64_t rows, std::int64_t columns, const Treatment& treatment,
              Bias bias = Bias::kAbsent);
  /// A matrix whose rows are split in several ways, and its biases.
  void matrix(WeightRole role, const std::vector<RowPart>& parts, std::int64_t columns, Bias bias = Bias::kAbsent);
  /// A norm of the model's kind.
  void norm(WeightRole role, std::int64_t dim);
  /// Weights of an RMSNorm, whatever the model's other norms are.
  void rms_norm(WeightRole role, std::int64_t dim, Shard shard = Shard::kReplicated);
  void bias(WeightRole role, std::int64_t rows, Shard shard = Shard::kReplicated, int units = 0);
  void state(WeightRole role, std::int64_t rows, std::int64_t columns, Shard shard, int units);
  void positions(std::int64_t rows, std::int64_t columns);
  void add(WeightRole role, WeightPart part, std::int64_t rows, std::int64_t columns, const Treatment& treatment);

 private:
  const ModelSpec& model_;
  int layer_;
  WeightOwner owner_;
  std::vector<WeightSlot>& slots_;
};

void append_mixer(const Mixer& mixer, SlotList& list);
void append_feed_forward(const FeedForward& feed_forward, SlotList& list);
/// Mixer, feed-forward and the norms that the model's wiring puts around them.
void append_layer(const LayerSpec& layer, SlotList& list);

}  // namespace dachlast
