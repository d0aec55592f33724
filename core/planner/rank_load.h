#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/units.h"
#include "core/model/model_spec.h"
#include "core/model/weight_format.h"
#include "core/model/weight_slots.h"
#include "core/planner/layout.h"

namespace dachlast {

/// Element types of the cache, by bits: scales of quantized caches included.
struct CacheFormat {
  std::string_view name;   // "bf16", "fp8", "int8", "q8_0"
  std::string_view title;  // "BF16"
  double bits;             // per element
  std::string_view source{};
  int waiting_tokens = 0;  // of each sequence whose keys are kept in BF16 beside: a block that is not full yet
};

/// Format of that name, nullptr where there is none; names compare without case.
const CacheFormat* cache_format(std::string_view name);
std::vector<std::string> cache_format_names();

/// Layers of one rank whose caches grow alike.
struct CacheGroup {
  int n_layers = 0;
  double bytes_per_token = 0.0;  // of one layer
  int window = 0;                // tokens that stay reachable; 0: all
};

/// What the most loaded rank of a pipeline stage holds.
struct RankLoad {
  int stage = 0;
  StageLayers layers;
  double weight_bytes = 0.0;
  double state_bytes_per_sequence = 0.0;  // of linear-attention and state-space layers
  int n_state_layers = 0;
  double waiting_bytes_per_sequence = 0.0;  // see CacheFormat::waiting_tokens
  std::vector<CacheGroup> caches;
};

/// One of a rank's tensors, or `count` equal ones kept as one.
struct RankTensor {
  WeightSlot slot;
  double rows = 0.0;
  double columns = 0.0;
  double count = 1.0;
  StorageFormat format;

  double bytes() const { return count * stored_bytes(format, rows, columns); }
};

/// The tensors of stage `stage`'s most loaded rank, towers included, in the order of `weight_slots`.
std::vector<RankTensor> rank_tensors(const ModelSpec& model, const WeightFormat& weights, const Layout& layout,
                                     int stage);

/// What each stage's ranks hold. Ranks of a stage differ by at most a row of an uneven matrix: the larger share is counted.
/// Errors   as `require_shardable`.
std::vector<RankLoad> rank_loads(const ModelSpec& model, const WeightFormat& weights, const CacheFormat& cache,
                                 const Layout& layout);

}  // namespace dachlast
