#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/engine/engine.h"
#include "core/engine/rope_tables.h"
#include "core/engine/step_memory.h"
#include "core/engine/step_runner.h"
#include "core/kv_cache/kv_memory.h"
#include "core/kv_cache/kv_step.h"

namespace dachlast {

/// What a device is, for the record.
struct EngineDeviceFacts {
  std::string name;  // "NVIDIA H100 80GB HBM3"
  int compute_capability = 0;
  double memory_bytes = 0.0;
  double free_bytes = 0.0;
};

/// All that a step can be: what memory is planned from.
struct StepBounds {
  const ModelSpec& model;
  const EngineOptions& options;
  const StepSizes& sizes;
  std::span<const Op> prefill;  // of the largest step
  std::span<const Op> decode;
  int step_tokens = 0;  // of one sequence, at most
  double rope_bytes = 0.0;
};

/// Weights as a device keeps them; others may hold on to them, so that the next engine finds them there.
class DeviceWeights {
 public:
  virtual ~DeviceWeights() = default;
  virtual double bytes() const = 0;
};

/// A computer in the computer, with kernels and memory of its own. Lives in a library that is opened at run time: everything
/// it is told comes through its arguments, and nothing of the program's other code is in it.
/// Errors   throws `Error`: kDevice where it fails, kDoesNotFit where its memory is short.
/// Threads  one caller.
class EngineDevice : public KvDevice {
 public:
  virtual EngineDeviceFacts facts() const = 0;

  /// Names that an engine's options may force, fastest first; "" is everybody's choice.
  virtual std::span<const std::string_view> attention_variants() const = 0;
  virtual std::span<const std::string_view> linear_variants() const = 0;

  /// What a runner for these bounds will allocate.
  virtual RunnerMemory plan(const StepBounds& bounds) const = 0;

  /// Copies weights, or finds them where they are since somebody holds them. `weights` must not change or go before them.
  /// `ops`: any step's.
  virtual std::shared_ptr<const DeviceWeights> upload(const ModelSpec& model, const Weights& weights,
                                                      std::span<const Op> ops) = 0;

  /// Everything named must outlive the runner.
  virtual std::unique_ptr<StepRunner> make_runner(const StepBounds& bounds, const Weights& weights,
                                                  const RopeTables& rope_tables, KvStep& cache) = 0;
};

}  // namespace dachlast
