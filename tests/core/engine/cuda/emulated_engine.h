#pragma once

#include <memory>
#include <vector>

#include "core/engine/engine_device.h"
#include "tests/core/engine/tiny_model.h"

namespace dachlast {

/// The emulated GPU as a device of the engine.
std::shared_ptr<EngineDevice> emulated_device();

/// The same options on it.
EngineOptions on_device(EngineOptions options);

/// The same model with the same weights on the CPU and on the emulated GPU.
struct EnginePair {
  EnginePair(const ModelSpec& model, const EngineOptions& on_cpu, const EngineOptions& on_gpu)
      : spec(model), cpu(model, on_cpu), gpu(model, on_gpu) {}

  ModelSpec spec;
  TinyEngine cpu;
  TinyEngine gpu;
};

/// Prefill of `n_prompt` tokens, then decode steps; the largest distance of any logits on the way.
double distance_on_the_way(EnginePair& pair, int n_prompt, int n_steps);

}  // namespace dachlast
