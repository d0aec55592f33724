#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/engine/engine.h"

namespace dachlast {

/// A Llama-like model of odd sizes: 2 layers, 3 query heads on 1 KV head of 10, nothing a multiple of a vector
/// register.
ModelSpec tiny_model();

/// The same with every part wide enough that work is really cut among threads.
ModelSpec wide_model();

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

/// Token ids that look like text: neither sorted nor repeating early. Different seeds give different texts.
std::vector<std::int32_t> some_ids(int n, int vocab_size, int seed = 1);

/// A copy, because the engine's logits live until its next step only.
std::vector<float> copy_of(std::span<const float> values);

/// Largest absolute difference; infinite where the sizes differ.
double distance(std::span<const float> a, std::span<const float> b);

}  // namespace dachlast
