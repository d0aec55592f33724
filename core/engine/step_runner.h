#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/dtype.h"
#include "core/base/units.h"
#include "core/model/op_list.h"

namespace dachlast {

/// How the tokens of a prompt go through the layers: all of them, or as `take_shortcut` leaves them.
enum class PromptPass : std::uint8_t { kWhole, kShortcut };

/// Whether a runner takes the time of every operation on its own clock, which costs a device about a microsecond each.
enum class OpTimes : std::uint8_t { kOff, kEach };

/// When something ran, counted from the beginning of its step on the clock of the device.
struct DeviceTime {
  Seconds begin;
  Seconds end;
};

/// What the runner of a step has allocated: activations, and all else beside weights and cache.
struct RunnerMemory {
  double activation_bytes = 0;
  double workspace_bytes = 0;
};

/// Computes the operations of a step, one after the other. Token ids go into `token_ids()` before `begin`; what a step returns
/// is there after `finish` and until the next step.
/// Threads  one caller.
class StepRunner {
 public:
  virtual ~StepRunner() = default;

  /// Prepares the operations that follow; `lengths` lists every sequence of the step in the order of its rows.
  virtual void begin(const Step& step, std::span<const SequenceLengths> lengths, PromptPass pass) = 0;
  virtual void run(const Op& op) = 0;
  /// All operations have been run.
  virtual void finish() = 0;

  /// Arithmetic of the variant that `run` will choose.
  virtual DType arithmetic(const Op& op) const = 0;

  virtual std::span<std::int32_t> token_ids() = 0;
  /// Empty where logits stay on a device.
  virtual std::span<const float> logits() const = 0;
  virtual std::span<const std::int32_t> next_ids() const = 0;
  virtual RunnerMemory memory() const = 0;

  /// Of a device, whose work goes on while the host does; empty where the host's clock tells the time of an operation.
  virtual std::optional<DeviceTime> step_time() const { return std::nullopt; }
  /// Of each operation of the step, where that was asked for.
  virtual std::span<const DeviceTime> op_times() const { return {}; }
  virtual void time_operations(OpTimes) {}
};

}  // namespace dachlast
