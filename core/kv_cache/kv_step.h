#pragma once

#include "kernels/kv_view.h"

namespace dachlast {

/// A cache as a step sees it, layer by layer.
class KvStep {
 public:
  virtual ~KvStep() = default;

  /// A layer's turn in a step: between the two calls its `view` may be used. Without a second tier nothing happens. Layers come
  /// in their order, all of them, once a step.
  /// Errors   as `KvStage`; the cache is of no use then.
  virtual void enter_layer(int layer_index) = 0;
  virtual void leave_layer(int layer_index) = 0;

  /// A device has done all of the step.
  /// Errors   as `KvStage`.
  virtual void finish_step() = 0;

  /// The step as attention sees it: its entries, and then what is computed anew. Valid until the next change.
  virtual kernels::KvView view(int layer_index) = 0;

  /// Keys of a layer that wait until their block is full, of all places of sequences: `tail_elements` of its layout each.
  /// Empty where none wait.
  virtual std::span<BF16> tails(int layer_index) = 0;
};

}  // namespace dachlast
