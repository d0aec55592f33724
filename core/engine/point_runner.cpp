#include "core/engine/point_runner.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/hardware/process_memory.h"

namespace dachlast {
namespace {

// Filling a long cache takes minutes on a small computer: a stop is looked at every so many tokens.
constexpr int kFillTokens = 512;

// Their median is what a device's operations are said to take: an odd number, and few beside the samples.
constexpr int kTimedSteps = 7;

template <class Function>
double seconds_of(Function&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Spreads neighbouring positions over the vocabulary, as text does: Knuth's multiplicative hash.
std::int32_t token_at(int sequence, int position, int vocab_size) {
  const std::uint32_t hash =
      (static_cast<std::uint32_t>(position) + 7919u * static_cast<std::uint32_t>(sequence)) * 2654435761u;
  return static_cast<std::int32_t>((hash >> 8) % static_cast<std::uint32_t>(vocab_size));
}

/// Between steps: reading takes tens of microseconds, which no step's time holds.
void note_memory(std::vector<trace::MemorySample>& memory) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  if (const auto process = read_process_memory())
    memory.push_back({std::chrono::nanoseconds(now).count(), process->resident_bytes});
}

/// Appends one step to the columns of the operations; a step's list is the same every time.
void append(const trace::OpSums& step, std::vector<OpSamples>& ops) {
  const std::vector<trace::OpSum> sums = step.sums();
  if (ops.empty())
    for (const trace::OpSum& sum : sums) ops.push_back({sum.op, sum.n_calls, sum.cost, sum.arithmetic, {}});
  for (std::size_t i = 0; i < ops.size(); ++i) ops[i].times_s.push_back(sums[i].time.value);
}

}  // namespace

void PointRunner::Sink::add(const trace::Span& span) {
  sums.add(span);
  if (observer != nullptr) observer->add(span);
}

PointRunner::PointRunner(Engine& engine) : engine_(engine) {
  engine_.reset();
  engine_.set_sink(&sink_);
}

PointRunner::~PointRunner() {
  engine_.set_sink(nullptr);
}

std::vector<std::int32_t> PointRunner::ids(int first_position, int n_tokens) const {
  std::vector<std::int32_t> result;
  for (int sequence = 0; sequence < engine_.options().batch_size; ++sequence)
    for (int i = 0; i < n_tokens; ++i)
      result.push_back(token_at(sequence, first_position + i, engine_.model().vocab_size));
  return result;
}

void PointRunner::fill_to(int n_tokens, const std::stop_token& stop) {
  if (engine_.position() >= n_tokens) return engine_.truncate(n_tokens);
  while (engine_.position() < n_tokens && !stop.stop_requested()) {
    const int position = engine_.position();
    engine_.prefill(ids(position, std::min(kFillTokens, n_tokens - position)));
  }
}

TimedStep PointRunner::prefill_of(int context, int depth, const std::stop_token& stop) {
  if (depth > 0) fill_to(depth, stop);
  return [this, depth, prompt = ids(depth, context - depth)] {
    if (depth > 0)
      engine_.truncate(depth);
    else
      engine_.reset();
    return seconds_of([&] { engine_.prefill(prompt); });
  };
}

TimedStep PointRunner::step_of(const PointRequest& request, const std::stop_token& stop) {
  const int context = request.context_tokens;
  if (request.phase == Phase::kPrefill || request.kv_policy == KvPolicy::kNone)
    return prefill_of(context, request.depth_tokens, stop);
  fill_to(context - 1, stop);  // where it was stopped half way, no step will run
  return [this, context, token = ids(context - 1, 1)] {
    const double seconds = seconds_of([&] { engine_.decode(token); });
    engine_.truncate(context - 1);
    return seconds;
  };
}

PointResult PointRunner::sample_point(const TimedStep& step, const PointRequest& request, const std::stop_token& stop) {
  PointResult result;
  std::vector<double> busy_shares;
  const bool apart = engine_.options().device != nullptr;
  const bool watched = request.observer != nullptr && !apart;  // what a device holds, the process does not
  const TimedStep counted = [&] {
    sink_.sums.clear();
    const double seconds = step();
    if (!apart) append(sink_.sums, result.ops);
    result.cost = sink_.sums.cost();
    busy_shares.push_back((apart ? sink_.sums.step_time() : sink_.sums.op_time()).value / seconds);
    if (watched) note_memory(result.memory);
    return seconds;
  };
  if (watched) note_memory(result.memory);
  sink_.observer = request.observer;
  const std::optional<KvTraffic> before = engine_.kv_traffic();
  result.measurement = sample(counted, request.rule, stop);
  sink_.observer = nullptr;
  if (apart) time_operations(step, request, stop, result);
  if (before)
    result.kv_traffic = {.total = *engine_.kv_traffic() - *before,
                         .n_steps = static_cast<int>(result.measurement.samples_s.size())};
  if (!busy_shares.empty()) result.busy_share = median(busy_shares);
  return result;
}

/// A device's operations are timed in steps of their own, since an event between any two takes about a microsecond.
void PointRunner::time_operations(const TimedStep& step, const PointRequest& request, const std::stop_token& stop,
                                  PointResult& result) {
  engine_.time_operations(OpTimes::kEach);
  step();  // a graph with events is another graph: it is captured when it comes again
  step();
  sink_.observer = request.observer;
  for (int i = 0; i < kTimedSteps && (i == 0 || !stop.stop_requested()); ++i) {
    sink_.sums.clear();
    step();
    append(sink_.sums, result.ops);
    result.cost = sink_.sums.cost();
  }
  sink_.observer = nullptr;
  engine_.time_operations(OpTimes::kOff);
}

PointResult PointRunner::run(const PointRequest& request, std::stop_token stop) {
  if (request.context_tokens < 1 || request.context_tokens <= request.depth_tokens)
    throw Error(ErrorKind::kUsage, "context",
                fmt::format("It must be more than {} tokens, not {}.", request.depth_tokens, request.context_tokens));
  if (request.context_tokens > engine_.options().capacity_tokens)
    throw Error(ErrorKind::kDoesNotFit, "context",
                fmt::format("{} tokens do not fit a cache made for {}.", request.context_tokens,
                            engine_.options().capacity_tokens),
                "Make the engine with more capacity.");
  const TimedStep step = step_of(request, stop);
  std::vector<double> warmup_s = warm_up(step, request.rule, stop);
  PointResult result = sample_point(step, request, stop);
  result.measurement.warmup_s = std::move(warmup_s);
  return result;
}

}  // namespace dachlast
