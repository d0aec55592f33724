#include "core/workbench/own_cache.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/memory/staged_cache.h"
#include "core/model/layer_cache.h"
#include "core/workbench/run_request.h"
#include "kernels/kv_view.h"

namespace dachlast {

KvSpec own_cache(const ScenarioRequest& request, const EngineProfile& engine) {
  if (request.kv.empty()) return {};
  if (engine.id != kOwnEngine)
    throw Error(ErrorKind::kUsage, fmt::format("--kv {}", request.kv),
                fmt::format("names a cache of this program's engine, and {} has its own.", engine.name),
                "Add --engine dachlast, or leave --kv out.");
  const KvSpec spec = parse_kv_spec("--kv", request.kv);
  if (spec.layout == KvPolicy::kNone || spec.staged())
    throw Error(ErrorKind::kUsage, fmt::format("--kv {}", request.kv),
                spec.layout == KvPolicy::kNone ? "holds nothing to plan for."
                                               : "keeps the layers in work at hand only, which a plan does not count.",
                "Use another kind, or `run --dry-run`.");
  if (spec.format && !request.cache.empty() && request.cache != name_of(*spec.format))
    throw Error(ErrorKind::kUsage, fmt::format("--kv {}", request.kv),
                fmt::format("names another format than --kv-dtype {}.", request.cache), "Name one.");
  return spec;
}

void apply(const KvSpec& spec, OwnedParts& parts) {
  parts.model = with_reach(std::move(parts.model), spec);
  if (spec.layout == KvPolicy::kPaged) parts.limits.block_tokens = spec.block_size;
  if (!spec.is_ring()) return;
  parts.engine.window_policy.value = WindowPolicy::kCapped;
  int& step = parts.limits.max_num_batched_tokens.emplace(parts.limits.max_num_batched_tokens.value_or(kMaxStepTokens));
  step = longest_step(spec, step);
}

CacheFormat own_format(const ModelSpec& model, const KvSpec& spec, KvFormat format) {
  const KvStorage storage = storage_of(spec, format);
  const int block = std::max(storage.block_size, 1);
  double bytes = 0.0, elements = 0.0;
  for (const LayerSpec& layer : model.layers) {
    const LayerCache cache = layer_cache(layer);
    if (cache.n_kv_heads == 0) continue;
    const kernels::KvLayout layout = pool_layout(cache, storage, block);
    bytes += static_cast<double>(block_bytes(layout)) / block;
    elements += cache.k_elements_per_token + cache.v_elements_per_token;
  }
  const bool waiting = storage.key_scales == KeyScales::kPerChannel && has_scales(format);
  return {.name = name_of(format),
          .title = display_name_of(format),
          .bits = elements > 0.0 ? 8.0 * bytes / elements : 0.0,
          .waiting_tokens = waiting ? block : 0};
}

}  // namespace dachlast
