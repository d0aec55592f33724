#pragma once

#include <memory>
#include <vector>

#include "core/engine/engine_device.h"

namespace dachlast {

/// Operations of the largest step of a phase.
std::vector<Op> largest_ops(const ModelSpec& model, const EngineOptions& options, Phase phase);

/// What a device is told of the steps to come, and what that refers to. `model` and `options` must outlive it.
struct DeviceBounds {
  DeviceBounds(const ModelSpec& model, const EngineOptions& options);
  DeviceBounds(const DeviceBounds&) = delete;
  DeviceBounds& operator=(const DeviceBounds&) = delete;
  ~DeviceBounds() = default;

  StepSizes sizes;
  std::vector<Op> prefill, decode;
  StepBounds bounds;
};

/// What an engine on a device keeps for it.
struct DevicePart {
  DevicePart(const ModelSpec& model, const Weights& weights, const EngineOptions& options);

  RopeTables rope_tables;
  DeviceBounds bounds;
  std::shared_ptr<const DeviceWeights> uploaded;
};

/// `engine_memory` of an engine on a device.
EngineMemory device_memory(const ModelSpec& model, const EngineOptions& options);

}  // namespace dachlast
