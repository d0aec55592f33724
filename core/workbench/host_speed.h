#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/hardware/device_spec.h"
#include "core/planner/cpu_time.h"
#include "core/planner/memory_planner.h"

namespace dachlast {

struct PlannedPoint;
struct RunPlan;

/// "this-machine" or "cpu": the computer the program runs on, as a device to plan for.
bool is_this_machine(std::string_view device);
/// Free memory, roofs as far as they were measured.
DeviceSpec host_device();

/// Predicts steps on the computer of that id by its stored curves; empty where none are stored for so many threads, or
/// the engine has no kernels for the model, or what it would run was not timed.
/// Errors   throws `Error` (kInput) where the store is damaged.
std::optional<CpuTimer> host_timer(const std::string& host_id, int n_threads, ModelSpec model,
                                   const Precision& precision);

/// Types as the engine runs them; empty where it has no such types.
std::optional<Precision> engine_precision(const PlanScenario& scenario);

/// Predicts the points of a run; empty as `host_timer`, and where a run asks for kernels or a cache the curves do not know.
std::optional<CpuTimer> run_timer(const RunPlan& plan);

/// The step of a point as `timer` predicts it.
Seconds predicted_time(const CpuTimer& timer, const RunPlan& plan, const PlannedPoint& point);

/// A step, a prompt beyond `most_tokens` in pieces of that.
Seconds point_time(const CpuTimer& timer, const Step& step, int most_tokens);

}  // namespace dachlast
