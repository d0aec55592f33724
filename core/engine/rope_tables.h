#pragma once

#include <span>
#include <vector>

#include "core/kv_cache/aligned_buffer.h"
#include "core/model/model_spec.h"

namespace dachlast {

/// Cosines and sines of every position up to a capacity, computed once: a step then reads rows instead of calling two
/// trigonometric functions per pair and token. Layers with equal angles share a table.
/// Numbers  angles and functions in double, rounded once to float.
class RopeTables {
 public:
  /// One table in the layout of kernels::Rope.
  struct Table {
    std::span<const float> cos;  // [capacity, rotary_dim / 2]
    std::span<const float> sin;
    int n_pairs = 0;  // rotary_dim / 2

    /// Rows of the tokens at `first_position` …
    Table from(int first_position) const;
  };

  RopeTables(const ModelSpec& model, int capacity_tokens);

  /// Table of a layer that has RoPE.
  Table of_layer(int layer) const { return tables_[static_cast<std::size_t>(table_of_layer_[layer])]; }
  double bytes() const { return static_cast<double>(memory_.size_bytes()); }

  /// Bytes the constructor will allocate.
  static double bytes_for(const ModelSpec& model, int capacity_tokens);

 private:
  AlignedBuffer memory_;
  std::vector<Table> tables_;
  std::vector<int> table_of_layer_;  // -1 where a layer has no RoPE
};

}  // namespace dachlast
