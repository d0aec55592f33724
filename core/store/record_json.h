#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/hardware/gpu_roofs.h"
#include "core/model/op_curves.h"
#include "core/roofline/run.h"

namespace dachlast {

/// JSON on one line; bytes that are no UTF-8 (half a character at the end of a generated text) become U+FFFD.
std::string dump(const nlohmann::json& json);

// Nested records as JSON, found by nlohmann's argument-dependent lookup: `json j = host`, `j.get<HostTopology>()`.
// Reading throws nlohmann's exceptions; readers turn them into `Error`, because only they know the file's name.

void to_json(nlohmann::json& json, const HostTopology& host);
void from_json(const nlohmann::json& json, HostTopology& host);

void to_json(nlohmann::json& json, const DeviceRoofs& roofs);
/// Leaves out roofs of levels, patterns, dtypes or origins that a newer version knows, and names them in `skipped`.
DeviceRoofs roofs_from_json(const nlohmann::json& json, std::vector<std::string>& skipped);

void to_json(nlohmann::json& json, const GpuRoofs& roofs);
void from_json(const nlohmann::json& json, GpuRoofs& roofs);

/// Host and number of threads stand around them.
void to_json(nlohmann::json& json, const HostCurves& curves);
void from_json(const nlohmann::json& json, HostCurves& curves);

void to_json(nlohmann::json& json, const ModelInfo& model);
void from_json(const nlohmann::json& json, ModelInfo& model);

void to_json(nlohmann::json& json, const Generation& generation);
void from_json(const nlohmann::json& json, Generation& generation);

void to_json(nlohmann::json& json, const Serving& serving);
void from_json(const nlohmann::json& json, Serving& serving);

void to_json(nlohmann::json& json, const KvTrafficPerStep& traffic);
void from_json(const nlohmann::json& json, KvTrafficPerStep& traffic);

void to_json(nlohmann::json& json, const KvBreakEven& comparison);
void from_json(const nlohmann::json& json, KvBreakEven& comparison);

void to_json(nlohmann::json& json, const WhatIfRun& what_if);
/// Leaves out points of phases that a newer version knows, and names them in `skipped`.
WhatIfRun what_if_from_json(const nlohmann::json& json, std::vector<std::string>& skipped);

void to_json(nlohmann::json& json, const MemoryReading& memory);
void from_json(const nlohmann::json& json, MemoryReading& memory);

void to_json(nlohmann::json& json, const UncachedComparison& comparison);
void from_json(const nlohmann::json& json, UncachedComparison& comparison);

}  // namespace dachlast
