#pragma once

#include <string_view>

#include "core/model/kv_spec.h"
#include "core/workbench/scenario.h"

namespace dachlast {

/// Id of the profile of this program's own engine.
inline constexpr std::string_view kOwnEngine = "dachlast";

/// The kind of cache a scenario names; contiguous where none is.
/// Errors   throws `Error` (kUsage) where the engine is another one, or the kind is none that a plan counts.
KvSpec own_cache(const ScenarioRequest& request, const EngineProfile& engine);

/// What a kind of cache changes of a scenario.
struct OwnedParts {
  ModelSpec model;
  EngineLimits limits;
  EngineProfile engine;
};
void apply(const KvSpec& spec, OwnedParts& parts);

/// How the own engine stores a token, on average over layers: scales included, which depend on head_dim, and where keys have
/// theirs along channels on the block.
CacheFormat own_format(const ModelSpec& model, const KvSpec& spec, KvFormat format);

}  // namespace dachlast
