// The lines of a plan with their formulas: numbers filled in, so that each can be checked by hand.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "core/memory/amount_text.h"
#include "core/model/weights.h"
#include "core/planner/memory_planner.h"

namespace dachlast {
namespace {

std::string amount(double bytes) {
  return binary_amount(Bytes{bytes});
}

std::string weight_formula(const PlanScenario& scenario) {
  const double parameters = parameter_count(scenario.model);
  std::string text = fmt::format("{} parameters, {}", grouped(parameters), title_of(scenario.weights));
  if (scenario.counted_weights) text = fmt::format("{} in the model's files", amount(scenario.counted_weights->value));
  if (scenario.layout.n_devices() > 1) text += fmt::format("; the largest share under {}", title_of(scenario.layout));
  return text;
}

/// "32 layers × 4 KiB a token", "26 layers × 2 KiB a token within 1,024 tokens".
std::string cache_formula(const RankLoad& rank, const EngineProfile& engine, int context_tokens, int batch_size) {
  std::vector<std::string> parts;
  for (const CacheGroup& group : rank.caches) {
    std::string part = fmt::format("{} layers × {} a token", group.n_layers, amount(group.bytes_per_token));
    if (group.window > 0)
      part += engine.window_policy.value == WindowPolicy::kCapped ? fmt::format(" within {}", grouped(group.window))
                                                                  : std::string(" at full length");
    parts.push_back(std::move(part));
  }
  if (rank.n_state_layers > 0)
    parts.push_back(fmt::format("{} layers with a state of {} a sequence", rank.n_state_layers,
                                amount(rank.state_bytes_per_sequence / rank.n_state_layers)));
  return fmt::format("{} × {} tokens; {}", grouped(batch_size), grouped(context_tokens), fmt::join(parts, " + "));
}

}  // namespace

std::vector<MemorySegment> MemoryPlanner::segments(int context_tokens, int batch_size) const {
  const DeviceMemory memory = at(context_tokens, batch_size);
  const Stage& stage = fullest(context_tokens, batch_size);
  const RankLoad& rank = ranks_[static_cast<std::size_t>(&stage - stages_.data())];
  const PlanScenario& s = scenario_;
  std::vector<MemorySegment> lines;
  lines.push_back({"weights", Bytes{memory.weights}, Origin::kExact, weight_formula(s)});
  lines.push_back({"KV cache", Bytes{memory.kv_cache}, Origin::kExact,
                   cache_formula(rank, s.engine, context_tokens, sequences_per_group(batch_size)) + ", " +
                       std::string(s.cache.title)});
  lines.push_back({"activations", Bytes{memory.activations}, Origin::kEstimated,
                   fmt::format("{} tokens a step × {}", grouped(limits_.max_num_batched_tokens),
                               amount(memory.activations / limits_.max_num_batched_tokens))});
  lines.push_back({"workspace", Bytes{memory.workspace}, Origin::kEstimated,
                   fmt::format("sampling {} rows × {} tokens × {} B and scratch, beyond the activations",
                               grouped(limits_.max_num_seqs), grouped(s.model.vocab_size),
                               s.engine.activations->value.logit_bytes)});
  lines.push_back(
      {"runtime", Bytes{memory.runtime}, Origin::kEstimated,
       memory.runtime > 0
           ? "context, libraries, communicators, graphs: measured on published starts; allocator and position tables"
           : "not known for this engine"});
  return lines;
}

}  // namespace dachlast
