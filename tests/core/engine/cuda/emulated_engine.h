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

/// The same model, weights and options on the CPU and on the emulated GPU.
struct EnginePair {
  EnginePair(ModelSpec model, const EngineOptions& options)
      : spec(model), cpu(model, options), gpu(std::move(model), on_device(options)) {}

  ModelSpec spec;
  TinyEngine cpu;
  TinyEngine gpu;
};

}  // namespace dachlast
