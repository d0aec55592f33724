#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/engine.h"

namespace dachlast {

/// The bundled trained model and what its reference program makes of it.
struct StoriesModel {
  ModelSpec spec;
  std::unique_ptr<Weights> weights;
};
StoriesModel open_stories(const WeightStorage& storage);

struct GoldenRun {
  std::vector<std::int32_t> prompt_ids;
  std::vector<std::int32_t> greedy_ids;
};
std::vector<GoldenRun> golden_runs();

/// An array of floats from a NumPy file (version 1, little-endian float32, C order).
struct NpyArray {
  std::vector<int> shape;
  std::vector<float> values;
};
NpyArray read_npy(const std::string& name);

/// Options for one sequence that fills the model's context.
EngineOptions stories_options(const WeightStorage& weights, KvFormat kv);

/// Prefill, then `n_tokens` greedy choices, each fed back.
std::vector<std::int32_t> generate(Engine& engine, const std::vector<std::int32_t>& prompt, std::size_t n_tokens);

}  // namespace dachlast
