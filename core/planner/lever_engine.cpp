#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/memory/amount_text.h"
#include "core/planner/lever.h"

namespace dachlast {
namespace {

/// Layers whose attention sees more than a window.
double n_attention_layers(const ModelSpec& model) {
  return static_cast<double>(std::ranges::count_if(
      model.layers, [](const LayerSpec& layer) { return std::holds_alternative<AttentionSpec>(layer.mixer); }));
}

/// Scores of all heads that attention without tiles writes, reads for the softmax, writes and reads again: four passes
/// of 2 B.
/// Source   FlashAttention, Dao et al. 2022, arXiv:2205.14135, algorithm 0 and theorem 2
double naive_extra_seconds(const LeverBench& bench) {
  const PlanScenario& s = bench.scenario();
  double heads = 0.0;
  for (const LayerSpec& layer : s.model.layers)
    if (const auto* attention = std::get_if<AttentionSpec>(&layer.mixer)) heads += attention->n_heads;
  const double prompt = bench.plan().load.prompt_tokens;
  const double scores =
      heads / s.layout.tensor_parallel / s.layout.pipeline_parallel * bench.plan().load.batch_size * prompt * prompt;
  return scores * 4.0 * 2.0 / device_rates(s.device).bandwidth;
}

Advice flash_attention(const Lever& lever, const LeverBench& bench) {
  if (bench.engine_id() == "dachlast") {
    Configuration configuration = bench.base();
    const bool naive = configuration.attention == "naive";
    configuration.attention = naive ? "" : "naive";
    if (naive) return bench.changed(lever, configuration);
    const Advice without = bench.changed(lever, configuration);
    const std::string cost =
        without.gain ? fmt::format(": without it {:.1f} % fewer requests a second", -100.0 * without.gain->value) : "";
    return bench.stated(lever, AdviceState::kInUse, "attention works in tiles already" + cost);
  }
  if (!bench.time() || n_attention_layers(bench.scenario().model) == 0.0)
    return bench.stated(lever, AdviceState::kInUse, "every kernel measured works in tiles");
  const double extra = naive_extra_seconds(bench);
  const double loss = extra / (bench.time()->batch_s + extra);
  return bench.stated(
      lever, AdviceState::kInUse,
      fmt::format("attention works in tiles already: without it {:.1f} % fewer requests a second, for the "
                  "traffic of the scores alone",
                  100.0 * loss));
}

/// Launches that a captured graph saves, from the host time a kernel takes in passes that no graph replays.
Advice graphs(const Lever& lever, const LeverBench& bench) {
  const double launch_us = bench.scenario().engine.speed.launch_us;
  if (!(launch_us > 0.0))
    return bench.stated(lever, AdviceState::kDoesNotApply,
                        fmt::format("nobody measured what {} pays for a launch", bench.scenario().engine.name));
  if (!bench.time() || bench.time()->tpot_s <= 0.0) return bench.untimed(lever);
  const Step step{.phase = Phase::kDecode, .batch_size = 1, .q_len = 1, .kv_len = 1};
  const auto ops = build_op_list(bench.scenario().model, step, {DType::kBF16, {KvFormat::kBF16}});
  const double launches = 1e-6 * launch_us * static_cast<double>(ops.size());
  const double tpot = bench.time()->tpot_s;
  const std::string cost =
      fmt::format("({} operations · {:.0f} µs)", grouped(static_cast<double>(ops.size())), launch_us);
  if (launches <= tpot)
    return bench.stated(lever, AdviceState::kInUse,
                        fmt::format("decode steps are replayed from captured graphs; at {:.1f} ms a token the device "
                                    "would hide {:.1f} ms of launches {}",
                                    1e3 * tpot, 1e3 * launches, cost));
  return bench.stated(
      lever, AdviceState::kInUse,
      fmt::format("decode steps are replayed from captured graphs: without them {:.1f} ms a token instead of {:.1f} ms "
                  "{}",
                  1e3 * launches, 1e3 * tpot, cost));
}

/// Pieces of prompts: what running answers wait for while a prompt is read.
Advice chunked_prefill(const Lever& lever, const LeverBench& bench) {
  constexpr int kPiece = 512;
  const double now = std::min(bench.plan().step_tokens, bench.plan().load.prompt_tokens);
  if (now <= kPiece)
    return bench.stated(lever, AdviceState::kInUse, fmt::format("no pass reads more than {:.0f} tokens", now));
  if (!bench.time()) return bench.untimed(lever);
  if (bench.engine_id() == "dachlast")
    return bench.stated(lever, AdviceState::kInUse, "served prompts come in pieces of 256 tokens already");
  const auto pause = [&](double tokens) {
    return bench.plan().timer->seconds(
        {.prefill_sequences = 1.0, .prefill_tokens = tokens, .prefill_kv = bench.plan().load.prompt_tokens});
  };
  Configuration configuration = bench.base();
  configuration.limits.max_num_batched_tokens = kPiece;
  Advice advice = bench.changed(lever, configuration);
  advice.reason = fmt::format("running answers wait {:.1f} ms for a piece instead of {:.1f} ms", 1e3 * pause(kPiece),
                              1e3 * pause(now));
  advice.engine_option = bench.engine_id() == "vllm"     ? fmt::format("--max-num-batched-tokens {}", kPiece)
                         : bench.engine_id() == "sglang" ? fmt::format("--chunked-prefill-size {}", kPiece)
                                                         : "";
  return advice;
}

/// Blocks save what a whole room for every sequence reserves; their own waste is half of the last block.
Advice paged_blocks(const Lever& lever, const LeverBench& bench) {
  const bool own = bench.engine_id() == "dachlast";
  const bool contiguous = own && bench.base().kv.find("paged") == std::string::npos;
  if (contiguous) {
    Configuration configuration = bench.base();
    configuration.kv = "paged:16";
    Advice advice = bench.changed(lever, configuration);
    advice.engine_option = "run --kv paged:16";
    const double unused = bench.plan().load.batch_size * bench.plan().load.answer_tokens / 2.0 *
                          bench.plan().planner->kv_bytes_per_token();
    advice.reason = fmt::format(
        "a contiguous cache reserves {} on average that no token fills yet; blocks are shared "
        "among requests",
        binary_amount(Bytes{unused}));
    return advice;
  }
  const auto& block = bench.scenario().engine.block_size_tokens;
  const int size = bench.scenario().limits.block_tokens.value_or(block ? block->value : 0);
  if (size == 0) return bench.stated(lever, AdviceState::kDoesNotApply, "the engine's block size is not known");
  const double tail = bench.plan().load.batch_size * (size - 1) / 2.0 * bench.plan().planner->kv_bytes_per_token();
  return bench.stated(lever, AdviceState::kInUse,
                      fmt::format("the cache has blocks of {} tokens: last blocks leave {} empty on average, which is "
                                  "all that smaller ones could save",
                                  size, binary_amount(Bytes{tail})));
}

/// Cached prompts on the host's side of the link against reading them again.
Advice offload(const Lever& lever, const LeverBench& bench) {
  if (!bench.time()) return bench.untimed(lever);
  const auto& link = bench.scenario().device.host_link;
  if (!link || !link->per_direction)
    return bench.stated(lever, AdviceState::kDoesNotApply,
                        "the device has no host memory behind a link whose rate is known");
  const Workload& load = bench.plan().load;
  const double bytes = load.prompt_tokens * bench.plan().planner->kv_bytes_per_token();
  const double fetch = bytes / link->per_direction->value;
  const double recompute =
      workload_time(*bench.plan().timer, {load.prompt_tokens, 1.0, 1.0}, bench.plan().step_tokens).ttft_s -
      bench.plan().timer->request_seconds();
  Workload known = load;
  known.known_tokens = load.prompt_tokens - 1.0;
  WorkloadTime after = workload_time(*bench.plan().timer, known, bench.plan().step_tokens);
  after.ttft_s += load.batch_size * fetch;
  after.batch_s += load.batch_size * fetch;
  after.prefill.push_back({Resource::kMessages, "host link", load.batch_size * fetch, 0.2});
  Advice advice = bench.retimed(lever, after, 0.0);
  advice.condition = "for prompts that return after their cache was given away";
  advice.reason = fmt::format("a prompt's cache of {} crosses {} in {:.1f} ms, reading it again takes {:.1f} ms: {}",
                              binary_amount(Bytes{bytes}), link->name, 1e3 * fetch, 1e3 * recompute,
                              fetch < recompute ? "fetch it" : "recompute it");
  return advice;
}

constexpr Lever kEngineLevers[] = {
    {"flash-attention", "Attention in tiles (FlashAttention)", LeverKind::kSetting, Resource::kAttention,
     "None to quality.", "Dao et al. 2022, arXiv:2205.14135", flash_attention},
    {"graphs", "Captured graphs (CUDA graphs)", LeverKind::kSetting, Resource::kHost,
     "Memory of the graphs; fixed batch sizes.", "core/planner/profiles (launch_us)", graphs},
    {"chunked-prefill", "Smaller pieces of prompts", LeverKind::kSetting, Resource::kProducts,
     "Weights are read once more for every piece: the first token comes later.",
     "Agrawal et al. 2023, arXiv:2308.16369", chunked_prefill},
    {"paged-blocks", "Paged blocks", LeverKind::kSetting, Resource::kCache, "None to quality.",
     "Kwon et al. 2023, arXiv:2309.06180", paged_blocks},
    {"offload", "KV cache kept in host memory", LeverKind::kWorkload, Resource::kProducts,
     "Host memory and the link are shared with all else on the computer.", "", offload},
};

}  // namespace

std::span<const Lever> engine_levers() {
  return kEngineLevers;
}

}  // namespace dachlast
