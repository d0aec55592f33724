#include "core/workbench/serve.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/engine/batch_runner.h"
#include "core/workbench/generate.h"

namespace dachlast {
namespace {

/// Spreads neighbours over the vocabulary, as text does: Knuth's multiplicative hash. Text 0 is what prompts share.
std::int32_t token_at(int text, int position, int vocab_size) {
  const std::uint32_t hash =
      (static_cast<std::uint32_t>(position) + 104729u * static_cast<std::uint32_t>(text)) * 2654435761u;
  return static_cast<std::int32_t>((hash >> 8) % static_cast<std::uint32_t>(vocab_size));
}

/// Lengths from half to one and a half of the average; neighbours differ.
int prompt_length(const ServingRequest& request, int index) {
  const int spread = request.prompt_tokens + 1;
  const int length = request.prompt_tokens / 2 + static_cast<int>(std::int64_t{index} * 7919 % spread);
  return std::max(length, request.shared_tokens + 1);
}

std::vector<BatchRequest> requests_of(const ServingRequest& request, int vocab_size) {
  std::vector<BatchRequest> made;
  for (int i = 0; i < request.n_requests; ++i) {
    BatchRequest one{.prompt = {}, .n_generate = request.generate};
    for (int position = 0; position < prompt_length(request, i); ++position)
      one.prompt.push_back(token_at(position < request.shared_tokens ? 0 : i + 1, position, vocab_size));
    made.push_back(std::move(one));
  }
  return made;
}

EngineOptions serving_options(const RunPlan& plan) {
  const ServingRequest& request = *plan.request.serving;
  EngineOptions options = engine_options(plan, longest_text(request), request.at_once);
  options.max_step_tokens = serving_scenario(plan).max_step_tokens;
  options.kv_blocks = request.kv_blocks;
  options.sharing = PrefixSharing::kOn;
  return options;
}

std::vector<KvMoment> moments_of(const KvUse& use) {
  std::vector<KvMoment> moments;
  for (const CacheMoment& kept : use.moments) {
    KvMoment& moment = moments.emplace_back(KvMoment{.step = kept.step,
                                                     .time_s = kept.time_s,
                                                     .n_allocated = kept.statistics.n_allocated,
                                                     .n_cached = kept.statistics.n_cached,
                                                     .held_tokens = kept.statistics.held_tokens,
                                                     .n_evicted = kept.statistics.n_evicted,
                                                     .sequences = {},
                                                     .cached = kept.cached});
    for (const RequestBlocks& request : kept.requests)
      moment.sequences.push_back({request.request, request.n_tokens, request.blocks});
  }
  return moments;
}

KvUsage usage_of(const KvUse& use, double block_bytes) {
  return {.n_blocks = use.last.n_blocks,
          .block_size = use.last.block_size,
          .block_bytes = block_bytes,
          .mean_block_use = use.mean_block_use,
          .mean_token_use = use.mean_token_use,
          .peak_blocks = use.last.n_peak_allocated,
          .held_tokens = use.fullest.held_tokens,
          .reserved_tokens = use.fullest.reserved_tokens,
          .internal_fragmentation_tokens = use.fullest.internal_fragmentation_tokens,
          .saved_tokens = use.fullest.saved_tokens(),
          .looked_up_tokens = use.last.looked_up_tokens,
          .hit_tokens = use.last.hit_tokens,
          .n_evicted = use.last.n_evicted,
          .n_copied = use.last.n_copied,
          .n_dropped_tokens = use.last.n_dropped_tokens,
          .moments = moments_of(use)};
}

}  // namespace

ServedRun serve(const RunPlan& plan, const Weights& weights, JobObserver& observer, const std::stop_token& stop) {
  const ServingRequest& request = *plan.request.serving;
  observer.began(fmt::format("Serving {} requests", request.n_requests), 0, 1);
  const EngineOptions options = serving_options(plan);
  Engine engine(plan.source.spec, weights, options);
  const std::vector<BatchRequest> requests = requests_of(request, plan.source.spec.vocab_size);
  BatchResult result = BatchRunner(engine).run(requests, stop);
  Serving serving{.max_sequences = request.at_once,
                  .step_tokens = options.max_step_tokens,
                  .n_steps = result.n_steps,
                  .seconds = result.seconds,
                  .requests = {},
                  .kv = usage_of(result.kv, engine.kv_block_bytes()),
                  .kv_traffic = {}};
  if (const auto traffic = engine.kv_traffic()) serving.kv_traffic = {.total = *traffic, .n_steps = result.n_steps};
  for (std::size_t i = 0; i < requests.size(); ++i) {
    BatchAnswer& answer = result.answers[i];
    if (answer.generated_ids.size() != static_cast<std::size_t>(request.generate)) continue;
    serving.requests.push_back({.prompt_tokens = static_cast<int>(requests[i].prompt.size()),
                                .hit_tokens = answer.n_hit_tokens,
                                .n_preempted = answer.n_preempted,
                                .ttft_s = answer.ttft_s,
                                .itl_s = std::move(answer.itl_s)});
  }
  return {.serving = std::move(serving), .kv_tier = engine.kv_tier_description()};
}

}  // namespace dachlast
