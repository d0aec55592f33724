#include <fmt/core.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/engine/bandwidth_watch.h"
#include "core/engine/measure.h"
#include "core/memory/staged_cache.h"
#include "core/model/weights.h"
#include "core/roofline/predict.h"
#include "core/store/roof_store.h"
#include "core/viewmodel/format.h"
#include "core/workbench/gpu_run.h"
#include "core/workbench/host_speed.h"
#include "core/workbench/planned_points.h"
#include "core/workbench/workbench.h"
#include "kernels/attention.h"

namespace dachlast {
namespace {

constexpr int kDefaultContext = 512;

/// Steps one point takes until its median is known to 3 %, warm-up included: seen on idle computers. Only for the
/// expected time.
constexpr double kExpectedSteps = 25.0;
/// Kernels reach about half of the roofs over a whole step; the expected time is a promise about waiting, not a
/// prediction.
constexpr double kExpectedEfficiency = 0.5;

KvFormat resolve_format(const RunRequest& request, WeightType weights, std::vector<Remark>& assumptions) {
  if (request.kv.format && request.kv_format && *request.kv.format != *request.kv_format)
    throw Error(ErrorKind::kUsage, fmt::format("--kv {}", text_of(request.kv)),
                fmt::format("names another format than --kv-dtype {}.", name_of(*request.kv_format)), "Name one.");
  if (request.kv.format) return *request.kv.format;
  if (request.kv_format) return *request.kv_format;
  const KvFormat format = weights == DType::kF32 ? KvFormat::kF32 : KvFormat::kBF16;
  assumptions.push_back({"default_kv_dtype", fmt::format("KV cache in {}{} (--kv-dtype).", display_name_of(format),
                                                         weights.plain() ? ", as the weights" : "")});
  return format;
}

Precision resolve_precision(const RunRequest& request, const ModelSpec& model, std::vector<Remark>& assumptions) {
  WeightType weights = request.weights.value_or(model.native_dtype);
  if (weights == DType::kF16) {
    weights = DType::kF32;
    assumptions.push_back(
        {"f16_widened", "FP16 weights are computed with in FP32, which holds every FP16 value exactly."});
  }
  if (!request.weights)
    assumptions.push_back(
        {"default_dtype", fmt::format("Weights in {}, as published (--dtype).", display_name_of(weights))});
  return {.weights = weights, .kv = storage_of(cache_of(request), resolve_format(request, weights, assumptions))};
}

std::vector<int> resolve_contexts(const RunRequest& request, const ModelSpec& model, std::vector<Remark>& assumptions) {
  if (request.contexts.empty()) {
    const int context = std::min(kDefaultContext, model.max_context);
    assumptions.push_back(
        {"default_context", fmt::format("Context {} tokens (--context).", viewmodel::format_count(context))});
    return {context};
  }
  for (const int context : request.contexts)
    if (context > model.max_context)
      throw Error(ErrorKind::kUsage, fmt::format("--context {}", context),
                  fmt::format("{} was made for at most {} tokens.", model.name, model.max_context),
                  fmt::format("Ask for {} or less.", model.max_context));
  return request.contexts;
}

std::vector<int> resolve_batches(const RunRequest& request, std::vector<Remark>& assumptions) {
  if (!request.batches.empty()) return request.batches;
  assumptions.push_back({"default_batch", "Batch 1 (--batch)."});
  return {1};
}

int resolve_threads(const RunRequest& request, const HostTopology& host, std::vector<Remark>& assumptions) {
  const int n_cores = std::max<int>(1, static_cast<int>(host.core_ids.size()));
  if (!request.n_threads) {
    assumptions.push_back({"default_threads", fmt::format("{}, one per core (--threads).",
                                                          viewmodel::counted(n_cores, "thread", "threads"))});
    return n_cores;
  }
  const int limit = std::max(n_cores, host.n_hardware_threads);
  if (*request.n_threads > limit)
    throw Error(ErrorKind::kUsage, fmt::format("--threads {}", *request.n_threads),
                fmt::format("this computer runs {} at once.", viewmodel::counted(limit, "thread", "threads")),
                "More threads than that would measure the scheduler.");
  return *request.n_threads;
}

DeviceRoofs resolve_roofs(JobObserver& observer, std::stop_token stop, std::vector<Remark>& assumptions) {
  if (auto stored = RoofStore().latest(host_id())) {
    assumptions.push_back(
        {"stored_roofs",
         fmt::format(
             "Roofs of this computer as measured {} (dachlast calibrate); DRAM read probed anew between the points.",
             viewmodel::format_date(stored->measured_at))});
    return *std::move(stored);
  }
  assumptions.push_back({"fresh_roofs", "Roofs of this computer measured for this run and stored."});
  constexpr Seconds kQuickCalibration{6.0};
  return calibrate_host(observer, std::move(stop), kQuickCalibration);
}

/// What a decode step adds that computes earlier tokens anew.
Seconds predict_recomputing(const RunPlan& plan, int context, const PredictionTarget& target) {
  const int n_tokens = recomputed_tokens(plan.request.kv, context - 1);
  if (n_tokens == 0) return Seconds{};
  return predict_step(build_op_list(plan.source.spec, {Phase::kPrefill, 1, n_tokens, n_tokens}, plan.precision),
                      target);
}

void plan_points(RunPlan& plan, const std::vector<int>& contexts, const std::vector<int>& batches) {
  const PredictionTarget target{plan.roofs, plan.host, plan.n_threads};
  const auto timer = run_timer(plan);
  const ModelSpec model = with_what_if(with_reach(plan.source.spec, plan.request.kv), plan.request.what_if);
  plan.points = planned_points(plan.request, contexts, batches);
  for (PlannedPoint& point : plan.points) {
    point.expected = predict_step(build_op_list(model, step_of(point, plan.request.kv.layout), plan.precision), target);
    if (timer) point.predicted = predicted_time(*timer, plan, point);
    if (point.phase == Phase::kDecode)
      point.expected += predict_recomputing(plan, point.context_tokens, target) * (1.0 * point.batch_size);
  }
}

/// The breakdown of the point that needs most.
void plan_memory(RunPlan& plan) {
  for (const auto& point : plan.points)
    keep_larger(plan, planned_segments(plan.source.spec, plan.request.what_if,
                                       memory_scenario(plan, point.context_tokens, point.batch_size)));
  if (plan.request.serving) keep_larger(plan, memory_segments(plan.source.spec, serving_scenario(plan)));
  if (plan.request.break_even) keep_larger(plan, memory_segments(plan.source.spec, recomputing_scenario(plan)));
  const Bytes probe = BandwidthWatch::memory_for(plan.host, plan.n_threads);
  plan.memory.push_back(
      {.name = "roof probe",
       .bytes = probe,
       .origin = Origin::kExact,
       .formula = "DRAM is read between the points, so that steps are held against the roof of the same minute"});
  plan.needed_bytes += probe.value;
  plan.available_bytes = plan.host.available_memory_bytes;
}

/// The disk is no part of the memory a plan counts.
void say_where_the_file_lies(RunPlan& plan) {
  if (plan.request.kv.tier != KvTier::kFile) return;
  double bytes = 0.0;
  for (const auto& point : plan.points)
    bytes = std::max(
        bytes, kv_file_bytes(plan.source.spec, memory_scenario(plan, point.context_tokens, point.batch_size)).value);
  if (plan.request.break_even)
    bytes = std::max(bytes,
                     kv_file_bytes(plan.source.spec, memory_scenario(plan, std::ranges::max(plan.contexts), 1)).value);
  if (plan.request.serving) bytes = std::max(bytes, kv_file_bytes(plan.source.spec, serving_scenario(plan)).value);
  plan.assumptions.push_back(
      {"kv_file", fmt::format("The KV file takes up to {} of the disk ({}).",
                              viewmodel::format(viewmodel::Measure::kCapacity, bytes),
                              plan.request.scratch.empty() ? "$TMPDIR or a cache folder; --scratch" : "--scratch")});
}

/// One point: warm-up and sampling until the median is known, within the caps of the protocol but never less than one
/// step of each.
Seconds expected_time(Seconds step, const RunRequest& request) {
  if (request.repeats) return step * (*request.repeats + 1.0);
  const StopRule rule;
  const Seconds cap{rule.max_warmup_s + request.seconds_per_point.value_or(rule.max_seconds)};
  return std::max(step * 2.0, std::min(step * kExpectedSteps, cap));
}

Seconds expected_time(const RunPlan& plan) {
  Seconds total;
  for (const auto& point : plan.points)
    total += expected_time(point.predicted.value_or(point.expected / kExpectedEfficiency), plan.request);
  return total;
}

void warn_about_source(RunPlan& plan) {
  for (const auto& warning : plan.source.warnings) plan.warnings.push_back({warning.code, warning.text});
  if (!plan.source.weights_path)
    plan.warnings.push_back(
        {"random_weights", fmt::format("{} has no weights here: random ones, seed {}. Times are real, text is not.",
                                       plan.source.spec.name, plan.request.seed)});
}

void check_kernels(const ModelSpec& model) {
  if (const auto missing = missing_kernels(model))
    throw Error(ErrorKind::kUsage, model.name, *missing + ".", "`plan` and `models show` work.");
}

void check_attention(const std::string& name) {
  if (name.empty()) return;
  std::string known;
  for (const auto& variant : kernels::attention_variants()) {
    if (variant.name == name) return;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", variant.name);
  }
  throw Error(ErrorKind::kUsage, "--attention " + name, "not an attention kernel of this build.",
              fmt::format("There are {}.", known));
}

void check_uncached(const RunRequest& request, const ModelSpec& model) {
  if (!request.uncached) return;
  const int length = request.uncached->prompt_tokens + request.uncached->generate;
  if (length > model.max_context)
    throw Error(ErrorKind::kUsage, "--compare-uncached",
                fmt::format("{} prompt and {} generated tokens exceed the {} tokens {} was made for.",
                            request.uncached->prompt_tokens, request.uncached->generate, model.max_context, model.name),
                "Generate fewer.");
}

void check_what_if(const RunRequest& request, const ModelSpec& model) {
  if (!request.what_if.any()) return;
  with_what_if(model, request.what_if);  // throws what is wrong with it
  const auto refuse = [&](std::string_view option) {
    throw Error(ErrorKind::kUsage, fmt::format("--what-if {}", text_of(request.what_if)),
                fmt::format("measures points, not {}.", option), "Leave one of the two out.");
  };
  if (request.serving) refuse("--serve");
  if (request.uncached) refuse("--compare-uncached");
  if (request.break_even) refuse("--kv-break-even");
  if (request.kv.staged())
    throw Error(ErrorKind::kUsage, fmt::format("--what-if {}", text_of(request.what_if)),
                fmt::format("needs all K and V at hand, not {}.", text_of(request.kv)), "Use another --kv.");
}

/// Said first and in every output.
void warn_about_what_if(RunPlan& plan) {
  if (!plan.request.what_if.any()) return;
  plan.warnings.push_back(
      {"what_if",
       fmt::format("Timing what-if {}: {} was not trained for it, so what it computes is not what the model would "
                   "say; times and bytes are measured.",
                   text_of(plan.request.what_if), plan.source.spec.name)});
}

void check_break_even(const RunRequest& request) {
  if (!request.break_even) return;
  if (request.kv.tier == KvTier::kNone)
    throw Error(ErrorKind::kUsage, "--kv-break-even", "Recomputing is compared with a cache that fetches.",
                "Add --kv offload:host or --kv offload:file.");
  if (std::ranges::any_of(request.contexts, [&](int context) { return context < kLeastBreakEvenTokens; }))
    throw Error(ErrorKind::kUsage, "--kv-break-even",
                fmt::format("Texts of fewer than {} tokens have too few to recompute.", kLeastBreakEvenTokens),
                "Ask for longer --context.");
}

/// A step is repeated on a cache cut back to the depth, which rings and tiers have given up by then.
void check_depth(const RunRequest& request, const std::vector<int>& contexts) {
  if (request.depth_tokens == 0) return;
  const std::string subject = fmt::format("--depth {}", request.depth_tokens);
  if (std::ranges::find(request.phases, Phase::kPrefill) == request.phases.end())
    throw Error(ErrorKind::kUsage, subject, "is about prefill.", "Leave it out, or add --phase prefill.");
  if (request.kv.layout == KvPolicy::kNone || request.kv.is_ring() || request.kv.staged())
    throw Error(ErrorKind::kUsage, subject,
                fmt::format("needs a cache that keeps all tokens, not {}.", text_of(request.kv)),
                "Use --kv contiguous or --kv paged.");
  for (const int context : contexts)
    if (context <= request.depth_tokens)
      throw Error(ErrorKind::kUsage, subject,
                  fmt::format("nothing of a context of {} tokens is left to read.", viewmodel::format_count(context)),
                  "Ask for a longer --context: it counts the tokens at depth too.");
}

void check_serving(const RunRequest& request, const ModelSpec& model) {
  if (!request.serving) return;
  if (request.kv.layout == KvPolicy::kNone)
    throw Error(ErrorKind::kUsage, "--serve", "Requests cannot be served without a KV cache.",
                "Choose another --kv, as in paged:16.");
  if (request.serving->kv_blocks > 0 && request.kv.layout != KvPolicy::kPaged)
    throw Error(ErrorKind::kUsage, "--kv-blocks", "Only a paged cache has a number of blocks.", "Use --kv paged.");
  if (request.serving->shared_tokens > request.serving->prompt_tokens / 2)
    throw Error(ErrorKind::kUsage, "--shared-prefix",
                fmt::format("The shortest prompt has {} tokens.", request.serving->prompt_tokens / 2),
                "Share fewer, or use longer prompts.");
  const int length = longest_text(*request.serving);
  if (length > model.max_context)
    throw Error(
        ErrorKind::kUsage, "--serve",
        fmt::format("The longest text has {} tokens, and {} was made for {}.", length, model.name, model.max_context),
        "Use shorter prompts or generate fewer tokens.");
}

void plan_on_cpu(RunPlan& plan, const std::vector<int>& contexts, const std::vector<int>& batches,
                 JobObserver& observer, std::stop_token stop) {
  plan.host = read_host_topology();
  plan.n_threads = resolve_threads(plan.request, plan.host, plan.assumptions);
  plan.roofs = resolve_roofs(observer, std::move(stop), plan.assumptions);
  plan_points(plan, contexts, batches);
  plan.contexts = contexts;
  say_where_the_file_lies(plan);
  plan_memory(plan);
}

}  // namespace

/// The curves know the fastest kernels only, no tiers of the cache and no model changed for a what-if.
std::optional<CpuTimer> run_timer(const RunPlan& plan) {
  const RunRequest& request = plan.request;
  if (!request.attention_variant.empty() || request.kv.staged() || request.what_if.any()) return std::nullopt;
  return host_timer(host_id(), plan.n_threads, with_reach(plan.source.spec, plan.request.kv), plan.precision);
}

Seconds predicted_time(const CpuTimer& timer, const RunPlan& plan, const PlannedPoint& point) {
  return point_time(timer, step_of(point, plan.request.kv.layout), kMaxStepTokens);
}

KvSpec cache_of(const RunRequest& request) {
  return request.kv.layout == KvPolicy::kNone ? KvSpec{} : request.kv;
}

int longest_text(const ServingRequest& request) {
  return request.prompt_tokens / 2 + request.prompt_tokens + request.generate;
}

MemoryScenario serving_scenario(const RunPlan& plan) {
  const ServingRequest& request = *plan.request.serving;
  MemoryScenario scenario = memory_scenario(plan, longest_text(request), request.at_once);
  scenario.max_step_tokens = std::min(scenario.max_step_tokens, kServingStepTokens);
  scenario.kv_blocks = request.kv_blocks;
  return scenario;
}

MemoryScenario memory_scenario(const RunPlan& plan, int context_tokens, int batch_size) {
  return {.precision = plan.precision,
          .batch_size = batch_size,
          .capacity_tokens = context_tokens,
          .max_step_tokens = std::min(context_tokens, kMaxStepTokens),
          .logits = LogitsFor::kLastToken,
          .n_threads = plan.n_threads,
          .attention_variant = plan.request.attention_variant,
          .kv = cache_of(plan.request)};
}

std::vector<MemorySegment> planned_segments(const ModelSpec& model, const WhatIf& what_if,
                                            const MemoryScenario& scenario) {
  std::vector<MemorySegment> segments = memory_segments(with_what_if(model, what_if), scenario);
  if (what_if.any()) segments.front() = weight_segment(model, scenario.precision.weights);
  return segments;
}

KvSpec recomputing_cache(const RunRequest& request) {
  KvSpec spec = request.kv;
  spec.tier = KvTier::kNone;
  spec.block_size = kDefaultBlockSize;
  spec.recompute_keep = 1;
  return spec;
}

MemoryScenario recomputing_scenario(const RunPlan& plan) {
  MemoryScenario scenario = memory_scenario(plan, std::ranges::max(plan.contexts), 1);
  scenario.kv = recomputing_cache(plan.request);
  return scenario;
}

RunPlan plan_run(const RunRequest& request, JobObserver& observer, std::stop_token stop) {
  RunPlan plan;
  plan.request = request;
  plan.source = resolve_model(request.model);
  check_kernels(plan.source.spec);
  warn_about_what_if(plan);
  warn_about_source(plan);
  if (request.device)
    refuse_on_gpu(request);
  else
    check_attention(request.attention_variant);
  check_uncached(request, plan.source.spec);
  check_serving(request, plan.source.spec);
  check_break_even(request);
  check_what_if(request, plan.source.spec);
  plan.precision = resolve_precision(request, plan.source.spec, plan.assumptions);
  const auto contexts = resolve_contexts(request, plan.source.spec, plan.assumptions);
  check_depth(request, contexts);
  const auto batches = resolve_batches(request, plan.assumptions);
  if (request.device)
    plan_on_gpu(plan, contexts, batches);
  else
    plan_on_cpu(plan, contexts, batches, observer, std::move(stop));
  plan.expected = expected_time(plan);
  return plan;
}

}  // namespace dachlast
