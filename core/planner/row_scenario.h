#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/planner/memory_planner.h"
#include "core/planner/row_catalog.h"
#include "core/planner/row_formats.h"

namespace dachlast {

/// What a row of a serving engine says, put together for the planner.
struct RowScenario {
  ModelSpec model;
  RowWeights weights;
  CacheFormat cache{};
  Layout layout;
  EngineProfile engine;
  EngineLimits limits;
  std::optional<DeviceSpec> device;
  std::optional<Bytes> capacity;         // of one device; empty where neither the row nor a data file states it
  std::optional<GgufMix> gguf_types;     // of a GGUF file
  std::optional<Bytes> counted_weights;  // of all devices, where the model's own sum does not hold
  RowNotes notes;
  std::string engine_name;
  std::vector<std::string> assumptions;
  std::string unknown_weights;  // why the weights cannot be counted; empty where they can
  std::string unknown_cache;    // likewise

  /// What loading the weights takes on the fullest rank.
  double loaded_bytes() const;
  /// Tokens that `room_bytes` on each rank hold, as the engine reports them.
  double kv_tokens_in(double room_bytes, int max_model_len) const;
  /// Bytes one more token takes over all ranks of a stage, in the layers that keep every token.
  double growing_bytes_per_token() const;
  /// The planner of this scenario; empty where the capacity is not known.
  /// Errors   as MemoryPlanner.
  std::optional<MemoryPlanner> planner() const;
};

/// Reads a row, or says why that cannot be done.
struct RowReading {
  std::optional<RowScenario> scenario;
  std::string reason;
};
RowReading read_scenario(const MemoryKvRow& row, RowCatalog& catalog);
RowReading read_scenario(const ThroughputRow& row, RowCatalog& catalog);
RowReading read_scenario(const ServingRow& row, const ServingRanks& ranks, RowCatalog& catalog);

/// Whether a row is of the sweeps of InferenceX, which the source keeps in tables by date, a database dump and "gap-analysis" tables;
/// its other tables are runs of its authors, by system, backend and version.
bool is_inference_x(const ServingRow& row);

/// Tokens a row's engine is started for: what it states, else the model's limit.
int context_of(const RowScenario& scenario, std::optional<std::int64_t> max_model_len);

/// Memory of a device as frameworks see it; empty where its data file states none.
std::optional<Bytes> capacity_for_frameworks(const DeviceSpec& device);

/// Keys and values of `heads` · `head_dim` each in place of MLA's latents, as engines cached them before they knew MLA.
void store_latents_as_heads(ModelSpec& model, int head_dim);
/// A checkpoint with more or fewer KV heads than the config of today.
void set_kv_heads(ModelSpec& model, int n_kv_heads);
/// Layers that draft tokens, as layers like others.
void load_drafter(ModelSpec& model);

}  // namespace dachlast
