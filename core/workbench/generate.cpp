#include "core/workbench/generate.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/model/tokenizer.h"
#include "core/viewmodel/format.h"

namespace dachlast {
namespace {

constexpr int kGeneratedTokens = 60;  // a sentence or two
/// Cached generation is repeated, because its steps are short and jitter; recomputing is slow and steady, so once is
/// enough.
constexpr int kCachedRepeats = 3;

using Ids = std::vector<std::int32_t>;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Ids spread over the vocabulary, the same for every run.
Ids sample_prompt(int n_tokens, int vocab_size) {
  Ids ids(static_cast<std::size_t>(n_tokens));
  for (std::size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<std::int32_t>((i * 7919 + 1) % static_cast<std::size_t>(vocab_size));
  return ids;
}

struct TimedGeneration {
  Ids ids;                      // prompt and generated tokens
  std::vector<double> token_s;  // one per generated token
};

/// Token 0 comes from the prefill of the prompt, every later one from a decode step.
TimedGeneration generate_cached(Engine& engine, const Ids& prompt, int n_tokens, const std::stop_token& stop) {
  TimedGeneration result{prompt, {}};
  engine.reset();
  for (int i = 0; i < n_tokens && !stop.stop_requested(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    if (i == 0)
      engine.prefill(prompt);
    else
      engine.decode({&result.ids.back(), 1});
    result.token_s.push_back(seconds_since(start));
    result.ids.push_back(engine.next_ids().front());
  }
  return result;
}

/// The same without a cache: every token reads the whole sequence anew.
TimedGeneration generate_uncached(Engine& engine, const Ids& prompt, int n_tokens, const std::stop_token& stop) {
  TimedGeneration result{prompt, {}};
  for (int i = 0; i < n_tokens && !stop.stop_requested(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    engine.reset();
    engine.prefill(result.ids);
    result.token_s.push_back(seconds_since(start));
    result.ids.push_back(engine.next_ids().front());
  }
  return result;
}

std::vector<double> median_per_token(const std::vector<TimedGeneration>& repeats) {
  std::size_t n_tokens = repeats.front().token_s.size();
  for (const auto& repeat : repeats) n_tokens = std::min(n_tokens, repeat.token_s.size());
  std::vector<double> medians;
  for (std::size_t i = 0; i < n_tokens; ++i) {
    std::vector<double> times;
    for (const auto& repeat : repeats) times.push_back(repeat.token_s[i]);
    medians.push_back(median(times));
  }
  return medians;
}

}  // namespace

std::optional<Generation> generate(const RunPlan& plan, const Weights& weights) {
  const ModelSpec& spec = plan.source.spec;
  if (weights.random() || !plan.source.tokenizer_path) return std::nullopt;
  const Tokenizer tokenizer(*plan.source.tokenizer_path, spec.vocab_size);
  Ids prompt = tokenizer.encode(plan.request.prompt);
  const int n_prompt = static_cast<int>(prompt.size());
  const int capacity = std::min(spec.max_context, n_prompt + kGeneratedTokens);
  if (n_prompt >= capacity)
    throw Error(ErrorKind::kUsage, "--prompt",
                fmt::format("its {} tokens leave no room in a context of {}.", n_prompt, spec.max_context),
                "Use a shorter prompt.");
  Engine engine(spec, weights, engine_options(plan, capacity, 1));
  TimedGeneration result = generate_cached(engine, prompt, capacity - n_prompt, {});
  Generation generation{.prompt_ids = std::move(prompt), .generated_ids = {}, .text = {}};
  generation.generated_ids.assign(result.ids.begin() + n_prompt, result.ids.end());
  generation.text = tokenizer.decode(result.ids);
  return generation;
}

UncachedComparison compare_uncached(const RunPlan& plan, const Weights& weights, JobObserver& observer,
                                    std::stop_token stop) {
  const UncachedRequest& request = *plan.request.uncached;
  const ModelSpec& spec = plan.source.spec;
  const int length = request.prompt_tokens + request.generate;
  Engine engine(spec, weights, engine_options(plan, length, 1));
  const Ids prompt = sample_prompt(request.prompt_tokens, spec.vocab_size);
  generate_cached(engine, prompt, std::min(request.generate, 8), stop);  // warms caches and clocks

  std::vector<TimedGeneration> cached;
  for (int repeat = 0; repeat < kCachedRepeats; ++repeat) {
    observer.began("Generating with the KV cache", repeat, kCachedRepeats + 1);
    cached.push_back(generate_cached(engine, prompt, request.generate, stop));
  }
  observer.began("Generating without the KV cache", kCachedRepeats, kCachedRepeats + 1);
  const TimedGeneration uncached = generate_uncached(engine, prompt, request.generate, stop);
  return {.prompt_tokens = request.prompt_tokens,
          .cached_s = median_per_token(cached),
          .uncached_s = uncached.token_s,
          .n_repeats = kCachedRepeats};
}

}  // namespace dachlast
