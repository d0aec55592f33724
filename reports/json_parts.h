#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/hardware/device_roofs.h"
#include "core/memory/memory_model.h"
#include "core/roofline/run.h"

namespace dachlast::reports {

/// Keys keep the order in which they are written, so that equal input gives equal bytes.
using Json = nlohmann::ordered_json;

/// Adds `key` where `value` is finite; JSON knows neither NaN nor infinity, and null would be read as 0 somewhere.
void put(Json& json, const char* key, double value);

/// Adds median as `key`, and `key`_min, `key`_max and n.
void put_sample(Json& json, const std::string& key, const RoofSample& sample);

Json remarks_json(const std::vector<Remark>& remarks);
Json segments_json(std::span<const MemorySegment> segments);
Json roofs_json(const DeviceRoofs& roofs);
Json kv_traffic_json(const KvTrafficPerStep& traffic);
Json uncached_json(const UncachedComparison& comparison);
Json serving_json(const Serving& serving);
Json what_if_json(const WhatIfRun& what_if);
Json break_even_json(const KvBreakEven& comparison);

/// Indented by two, and on one line. Broken UTF-8 is replaced, not thrown at.
std::string text_of(const Json& json);
std::string line_of(const Json& json);

}  // namespace dachlast::reports
