#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/memory/amount_text.h"
#include "core/model/weights.h"
#include "core/planner/lever.h"

namespace dachlast {
namespace {

/// The largest model of the family with at most so large a share of the parameters.
std::optional<ModelKin> kin_below(const LeverBench& bench, double share) {
  const double whole = parameter_count(bench.scenario().model);
  for (const ModelKin& model : bench.replanner().smaller_models())
    if (model.parameters <= share * whole) return model;
  return std::nullopt;
}

Advice smaller_model(const Lever& lever, const LeverBench& bench) {
  constexpr double kAtMost = 0.7;  // models of one family come in steps of about two
  const auto kin = kin_below(bench, kAtMost);
  if (!kin) return bench.stated(lever, AdviceState::kDoesNotApply, "no smaller model of its family is known here");
  Configuration configuration = bench.base();
  configuration.model = kin->name;
  Advice advice = bench.changed(lever, configuration);
  advice.title = fmt::format("{} instead of {}", kin->name, bench.base().model);
  return advice;
}

/// Cost and yield of drafting: a pass of the draft model for every token it drafts, one of the model for all of them.
struct Drafting {
  const LeverBench& bench;
  const Replan& draft;
  StepLoad step;

  /// Source   Leviathan et al. 2023, arXiv:2211.17192, equation 1: (1 − α^(γ+1)) / (1 − α) tokens a pass
  double seconds_per_token(double accepted, int n_drafted) const {
    const double tokens = (1.0 - std::pow(accepted, n_drafted + 1)) / (1.0 - accepted);
    const double pass =
        n_drafted * draft.timer->seconds(step) + verification_seconds(*bench.plan().timer, step, n_drafted);
    return pass / tokens;
  }
  WorkloadTime time(double accepted, int n_drafted) const {
    WorkloadTime after = *bench.time();
    const double factor = seconds_per_token(accepted, n_drafted) / after.tpot_s;
    after.batch_s = after.ttft_s + after.decode_s() * factor;
    after.tpot_s *= factor;
    for (TimedPart& part : after.decode) part.seconds *= factor;
    return after;
  }
};

/// Shares of drafted tokens that are accepted: what production sees, low, middle and high.
/// Source   https://veraexmachina.com/tech/speculative-decoding-production-2026/ (0.6 to 0.8)
constexpr double kAccepted[] = {0.6, 0.7, 0.8};

Advice with_draft(const Lever& lever, const LeverBench& bench, const ModelKin& kin, const Replan& draft) {
  const Workload& load = bench.plan().load;
  const double groups = bench.plan().timer->groups();
  const Drafting drafting{bench,
                          draft,
                          {.decode_sequences = std::max(1.0, load.batch_size / groups),
                           .decode_kv = load.prompt_tokens + load.answer_tokens / 2.0}};
  constexpr int kMostDrafted = 6;
  int n_drafted = 1;
  for (int n = 2; n <= kMostDrafted; ++n)
    if (drafting.seconds_per_token(kAccepted[1], n) < drafting.seconds_per_token(kAccepted[1], n_drafted))
      n_drafted = n;
  const DeviceMemory extra = draft.planner->at(bench.base().context_tokens(), bench.base().batch_size);
  const double more = extra.weights + extra.kv_cache;
  if (bench.plan().needed_bytes + more > bench.plan().budget_bytes)
    return bench.stated(
        lever, AdviceState::kDoesNotFit,
        fmt::format("the draft model {} takes {} more than is left", kin.name,
                    binary_amount(Bytes{bench.plan().needed_bytes + more - bench.plan().budget_bytes})));
  Advice advice = bench.retimed(lever, drafting.time(kAccepted[1], n_drafted), more);
  for (const double accepted : {kAccepted[0], kAccepted[2]})
    advice.gain = widened(*advice.gain, gain_between(*bench.time(), drafting.time(accepted, n_drafted)));
  advice.title = fmt::format("Speculative decoding, {} drafting {}", kin.name, n_drafted);
  advice.condition = fmt::format("if {:.0f} % of drafted tokens are accepted ({:.0f} to {:.0f} %)", 100 * kAccepted[1],
                                 100 * kAccepted[0], 100 * kAccepted[2]);
  if (bench.engine_id() == "vllm")
    advice.engine_option =
        fmt::format(R"(--speculative-config '{{"model": "{}", "num_speculative_tokens": {}}}')", kin.name, n_drafted);
  if (bench.engine_id() == "llama.cpp")
    advice.engine_option = fmt::format("-md a file of {} --draft-max {}", kin.name, n_drafted);
  return advice;
}

Advice speculative(const Lever& lever, const LeverBench& bench) {
  if (bench.engine_id() == "dachlast")
    return bench.stated(lever, AdviceState::kDoesNotApply, "the own engine does not draft");
  if (!bench.time() || bench.time()->tpot_s <= 0.0) return bench.untimed(lever);
  constexpr double kMostDraft = 0.25;
  const auto kin = kin_below(bench, kMostDraft);
  if (!kin)
    return bench.stated(lever, AdviceState::kDoesNotApply,
                        "no model of its family and vocabulary is known that is four times smaller");
  Configuration configuration = bench.base();
  configuration.model = kin->name;
  try {
    const Replan draft = bench.replanner().plan(configuration);
    if (draft.timer == nullptr) return bench.stated(lever, AdviceState::kUntimed, draft.no_time);
    return with_draft(lever, bench, *kin, draft);
  } catch (const Error& error) {
    return bench.stated(lever, AdviceState::kDoesNotApply, fmt::format("{}: {}", error.subject(), error.reason()));
  }
}

/// Share of a layer's products that yield keys and values: what the later layers still do for prompts. d_model is a
/// factor of all of them.
double kv_product_share(const LayerSpec& layer) {
  const auto* attention = std::get_if<AttentionSpec>(&layer.mixer);
  const auto* mlp = std::get_if<MlpSpec>(&layer.feed_forward);
  if (attention == nullptr || mlp == nullptr) return 1.0;
  const double kv = static_cast<double>(attention->n_kv_heads) * (attention->head_dim + attention->value_dim());
  const double heads = 2.0 * attention->n_heads * attention->head_dim;
  const double feed_forward = (mlp->gate == Gate::kGated ? 3.0 : 2.0) * mlp->d_ff;
  return kv / (kv + heads + feed_forward);
}

/// Prompts skip the later half of the layers, but for the keys and values those need.
Advice swift_kv(const Lever& lever, const LeverBench& bench) {
  const ModelSpec& model = bench.scenario().model;
  const std::size_t half = model.layers.size() / 2;
  double kept = 0.0;
  for (std::size_t i = half; i < model.layers.size(); ++i) kept += kv_product_share(model.layers[i]);
  kept /= std::max(1.0, static_cast<double>(model.layers.size() - half));
  if (kept >= 1.0)
    return bench.stated(lever, AdviceState::kDoesNotApply, "it is known for attention and dense layers only");
  if (!bench.time()) return bench.untimed(lever);
  WorkloadTime after = *bench.time();
  double saved = 0.0;
  for (TimedPart& part : after.prefill) {
    if (part.resource == Resource::kHost) continue;
    saved += part.seconds * (1.0 - kept) / 2.0;
    part.seconds *= 1.0 - (1.0 - kept) / 2.0;
  }
  after.ttft_s -= saved;
  after.batch_s -= saved;
  return bench.retimed(lever, after, 0.0);
}

Advice sliding_window(const Lever& lever, const LeverBench& bench) {
  if (bench.engine_id() != "dachlast")
    return bench.stated(lever, AdviceState::kDoesNotApply,
                        fmt::format("{} keeps the attention a model was trained with", bench.scenario().engine.name));
  constexpr int kLeastWindow = 128;
  const int window = bench.base().context_tokens() / 4;
  if (window < kLeastWindow || !bench.base().kv.empty())
    return bench.stated(lever, AdviceState::kDoesNotApply,
                        bench.base().kv.empty() ? "the context is short already" : "the cache is of another kind");
  Configuration configuration = bench.base();
  configuration.kv = fmt::format("sink:4+{}", window - 4);
  Advice advice = bench.changed(lever, configuration);
  advice.title = fmt::format("Sliding window of {} tokens", window);
  advice.engine_option = fmt::format("run --kv {}", configuration.kv);
  return advice;
}

constexpr Lever kModelLevers[] = {
    {"smaller-model", "A smaller model", LeverKind::kModel, Resource::kWeights,
     "Another model with other answers: distilled or not, measure it on your own task.", "", smaller_model},
    {"speculative", "Speculative decoding", LeverKind::kSetting, Resource::kWeights,
     "None to quality; where drafts are rejected it is slower than without.", "Leviathan et al. 2023, arXiv:2211.17192",
     speculative},
    {"swift-kv", "SwiftKV (prompts skip half of the layers)", LeverKind::kModel, Resource::kProducts,
     "The model must be trained for it; its authors report minimal loss.", "Qiao et al. 2024, arXiv:2410.03960",
     swift_kv},
    {"sliding-window", "Sliding window", LeverKind::kSetting, Resource::kCache,
     "What left the window is forgotten; models trained without windows notice.", "Xiao et al. 2023, arXiv:2309.17453",
     sliding_window},
};

}  // namespace

std::span<const Lever> model_levers() {
  return kModelLevers;
}

}  // namespace dachlast
