#include <fmt/core.h>

#include <algorithm>

#include "core/memory/amount_text.h"
#include "core/planner/lever.h"

namespace dachlast {
namespace {

WorkloadTime time_of(const LeverBench& bench, const Workload& load) {
  return workload_time(*bench.plan().timer, load, bench.plan().step_tokens);
}

Advice shorter_prompt(const Lever& lever, const LeverBench& bench) {
  if (bench.base().prompt_tokens < 2)
    return bench.stated(lever, AdviceState::kDoesNotApply, "there is no prompt to speak of");
  Configuration configuration = bench.base();
  configuration.prompt_tokens /= 2;
  Advice advice = bench.changed(lever, configuration);
  advice.condition =
      fmt::format("{} of {} tokens are left out", grouped(bench.base().prompt_tokens - configuration.prompt_tokens),
                  grouped(bench.base().prompt_tokens));
  return advice;
}

/// Requests that begin alike read that part once.
Advice prefix_sharing(const Lever& lever, const LeverBench& bench) {
  if (!bench.time()) return bench.untimed(lever);
  if (bench.engine_id() == "dachlast" && bench.base().kv.find("paged") == std::string::npos)
    return bench.stated(lever, AdviceState::kDoesNotApply, "the own engine shares blocks of a paged cache: --kv paged");
  Workload load = bench.plan().load;
  load.known_tokens = load.prompt_tokens / 2.0;
  const double shared = (load.batch_size - 1.0) * load.known_tokens * bench.plan().planner->kv_bytes_per_token();
  Advice advice = bench.retimed(lever, time_of(bench, load), -shared);
  advice.condition = "if half of every prompt is common to all";
  if (bench.engine_id() == "vllm") advice.engine_option = "--enable-prefix-caching";
  if (bench.engine_id() == "sglang") advice.engine_option = "on by default (RadixAttention)";
  if (bench.engine_id() == "dachlast") advice.engine_option = "run --serve N --shared-prefix TOKENS";
  return advice;
}

/// Requests answered before they reach the device: 1 / (1 − hits) − 1.
Advice response_cache(const Lever& lever, const LeverBench& bench) {
  if (!bench.time()) return bench.untimed(lever);
  constexpr double kHits = 0.1;
  WorkloadTime after = *bench.time();
  after.batch_size /= 1.0 - kHits;
  Advice advice = bench.retimed(lever, after, 0.0);
  advice.condition = "if one request in ten was asked before";
  advice.engine_option = "a cache in front of the engine, keyed by the prompt";
  return advice;
}

/// Ever larger batches as far as they fit; the one with most requests a second.
Advice larger_batch(const Lever& lever, const LeverBench& bench) {
  constexpr int kMostBatch = 1024;
  std::optional<Advice> best;
  const bool own_limits = bench.scenario().engine.budget.value == BudgetRule::kWholeDevice;
  for (int batch = 2 * bench.base().batch_size; batch <= kMostBatch; batch *= 2) {
    Configuration configuration = bench.base();
    configuration.batch_size = batch;
    if (own_limits || batch > bench.plan().planner->step_limits().max_num_seqs)
      configuration.limits.max_num_seqs = std::max(batch, configuration.limits.max_num_seqs.value_or(0));
    Advice advice = bench.changed(lever, configuration);
    advice.title = fmt::format("Batch {} instead of {}", batch, bench.base().batch_size);
    if (!best) best = advice;
    if (!advice.gain) break;
    if (best->gain && advice.gain->value > best->gain->value) best = std::move(advice);
  }
  if (!best) return bench.stated(lever, AdviceState::kDoesNotApply, "the batch is as large as batches get");
  if (best->state == AdviceState::kDoesNotFit) best->reason = "the next larger batch " + best->reason;
  if (best->tpot_s && bench.time())
    best->risk = fmt::format(
        "Each answer gets slower: {:.3g} ms a token instead of {:.3g} ms, the first after {:.3g} s "
        "instead of {:.3g} s.",
        1e3 * *best->tpot_s, 1e3 * bench.time()->tpot_s, *best->ttft_s, bench.time()->ttft_s);
  best->condition = "if so many requests are there at once";
  return *best;
}

constexpr Lever kWorkloadLevers[] = {
    {"batch", "A larger batch", LeverKind::kWorkload, Resource::kWeights, "Each answer gets slower.", "", larger_batch},
    {"shorter-prompt", "Prompts of half the length", LeverKind::kWorkload, Resource::kProducts,
     "What is left out is not known to the model.", "", shorter_prompt},
    {"prefix-sharing", "Prefix sharing", LeverKind::kWorkload, Resource::kProducts,
     "None to quality; blocks are kept for prefixes.", "Kwon et al. 2023, arXiv:2309.06180, section 4.4",
     prefix_sharing},
    {"response-cache", "Cache of whole answers", LeverKind::kWorkload, Resource::kHost,
     "Stale answers; equal questions of different people.", "", response_cache},
};

}  // namespace

std::span<const Lever> workload_levers() {
  return kWorkloadLevers;
}

}  // namespace dachlast
