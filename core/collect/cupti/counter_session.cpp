#include "core/collect/cupti/counter_session.h"

#include <exception>

#include "core/base/error.h"

namespace dachlast::cupti {

CounterSession::Outcome CounterSession::launch(CUctx_st* context, const char* kernel) {
  if (!refusal_.empty()) return Outcome::kRefused;
  try {
    OfContext& of_context = contexts_[context];
    if (!of_context.profiler) begin(of_context, context);
    if (of_context.kernels.size() == kMostRanges) {
      collect(of_context);
      of_context.profiler->start();
    }
    of_context.kernels.emplace_back(kernel == nullptr ? "" : kernel);
    return Outcome::kCounted;
  } catch (const std::exception& error) {
    refusal_ = error.what();
    contexts_.erase(context);
    return Outcome::kRefused;
  }
}

void CounterSession::begin(OfContext& of_context, CUctx_st* context) {
  of_context.profiler = std::make_unique<RangeProfiler>(context, folder_, set_, RangeMode::kEachKernel, kMostRanges);
  of_context.profiler->start();
}

void CounterSession::collect(OfContext& of_context) {
  RangeProfiler& profiler = *of_context.profiler;
  // Kernels are replayed by CUPTI as they are launched, so one stop has all passes of all of them.
  if (profiler.stop() != RangeProfiler::Passes::kAllDone)
    throw Error(ErrorKind::kDevice, "counters", "CUPTI did not finish its passes.", "Choose a smaller set.");
  const std::vector<RangeCounters> ranges = profiler.collect();
  // Ranges carry numbers, not names. Where some launches made none, no name is certain.
  const bool names_are_certain = ranges.size() == of_context.kernels.size();
  for (std::size_t i = 0; i < ranges.size(); ++i)
    write(profiler, ranges[i], names_are_certain ? of_context.kernels[i] : "[kernel]");
  of_context.kernels.clear();
}

void CounterSession::write(const RangeProfiler& profiler, const RangeCounters& range, const std::string& kernel) {
  const std::uint32_t number = n_written_++;
  const std::uint32_t name = sink_.name_of(kernel);
  for (std::size_t i = 0; i < range.values.size(); ++i) {
    spool::Counter counter{};
    counter.value = range.values[i];
    counter.range = number;
    counter.kernel = name;
    counter.metric = sink_.name_of(profiler.set().metrics[i].role);
    sink_.take(spool::with_head(counter, spool::Kind::kCounter).record);
  }
}

void CounterSession::finish(CUctx_st* context) {
  const auto found = contexts_.find(context);
  if (found == contexts_.end()) return;
  try {
    if (found->second.profiler) collect(found->second);
  } catch (const std::exception& error) {
    refusal_ = error.what();
  }
  contexts_.erase(found);
}

void CounterSession::finish_all() {
  while (!contexts_.empty()) finish(contexts_.begin()->first);
}

}  // namespace dachlast::cupti
