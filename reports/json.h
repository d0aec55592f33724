#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/hardware/device_roofs.h"
#include "core/hardware/gpu_roofs.h"
#include "core/roofline/compare.h"
#include "core/roofline/run.h"
#include "core/viewmodel/table.h"

namespace dachlast::reports {

// Raw numbers with the unit in the key; what was not measured is absent. Never NaN or infinity. Foreign text that is
// not UTF-8 has its broken bytes replaced.

/// A JSON string literal, quotes included.
std::string json_string(std::string_view text);

/// `kCompact` is for data that travel in another document: without line breaks, operations as columns of what was
/// measured and counted. Shares, utilisation and reasons follow from these and are computed again where it is read.
enum class JsonLayout : std::uint8_t { kIndented, kCompact };

/// "dachlast.run/1", newline at the end.
std::string json_run(const Run& run, JsonLayout layout = JsonLayout::kIndented);

/// One point of `json_run` on one line, with schema "dachlast.point/1", model and run id: a line of `--format jsonl`.
std::string jsonl_point(const Run& run, const MeasuredPoint& point);

/// All points, one a line.
std::string jsonl_run(const Run& run);

/// "dachlast.compare/1".
std::string json_compare(const Run& base, const Run& other, const Comparison& comparison);

/// "dachlast.roofs/1".
std::string json_roofs(const DeviceRoofs& roofs);

/// "dachlast.gpu_roofs/1": rates in bytes/s and FLOP/s (of int8 OP/s), times in seconds.
std::string json_gpu_roofs(const GpuRoofs& roofs);

/// Any table under a schema of its own, {"schema": …, "<key>": [{"<column key>": raw value, …}, …]}:
/// "dachlast.doctor/1", "dachlast.models/1".
std::string json_table(std::string_view schema, std::string_view key, const viewmodel::Table& table);

}  // namespace dachlast::reports
