#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/engine.h"

namespace dachlast {

/// A Llama-like model of odd sizes: 2 layers, 3 query heads on 1 KV head of 10, nothing a multiple of a vector
/// register.
ModelSpec tiny_model();

/// The same with every part wide enough that work is really cut among threads.
ModelSpec wide_model();
/// The wide one in four layers.
ModelSpec deep_model();

/// A model, its random weights (seed 7) and an engine on them.
struct TinyEngine {
  TinyEngine(ModelSpec model, EngineOptions engine_options);

  ModelSpec spec;
  EngineOptions options;
  std::unique_ptr<Weights> weights;
  Engine engine;
};

/// Options for `capacity` tokens of one sequence in f32.
EngineOptions options_for(int capacity);

/// The same in a cache of one kind, as `run --kv` names it; a tier's file lies in the folder for temporary files.
EngineOptions options_for(int capacity, const std::string& kv);

/// A kind of cache as the name of a test: what no identifier holds becomes '_'.
std::string test_name_of(std::string kv);

/// Token ids that look like text: neither sorted nor repeating early. Different seeds give different texts.
std::vector<std::int32_t> some_ids(int n, int vocab_size, int seed = 1);

/// Logits after a prefill of the first 50 of `some_ids(80, 61)` and each of 30 decode steps, one behind the other.
std::vector<float> logits_of_text(const ModelSpec& model, const EngineOptions& options);

/// Logits of random weights are of order 1. Different ways to the same logits sum in different orders: 2 layers of sums
/// over at most 61 terms, each rounded to 2^-24, stay far below this; a wrong position or row does not.
inline constexpr double kSumTolerance = 2e-5;

/// A copy, because the engine's logits live until its next step only.
std::vector<float> copy_of(std::span<const float> values);

/// Largest absolute difference; infinite where the sizes differ.
double distance(std::span<const float> a, std::span<const float> b);

}  // namespace dachlast
