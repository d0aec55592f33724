#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/collect/cupti/activity_decoder.h"
#include "core/collect/cupti/range_profiler.h"

namespace dachlast::cupti {

/// Counters of every kernel that an attached program launches, in place of a timeline: kernels run one after the other and
/// several times over.
/// Threads  callers keep each other out.
class CounterSession {
 public:
  /// Counters of `set` by the lists of `folder`, into `sink`.
  CounterSession(RecordSink& sink, std::string folder, std::string set)
      : sink_(sink), folder_(std::move(folder)), set_(std::move(set)) {}

  enum class Outcome : std::uint8_t { kCounted, kRefused };

  /// A kernel is about to be launched. The first one of a context starts the counters there.
  /// Errors   none: kRefused with the reason in `refusal()`, once and for all.
  Outcome launch(CUctx_st* context, const char* kernel);

  /// Writes what is there and lets the context go, before it is destroyed or the process ends.
  void finish(CUctx_st* context);
  void finish_all();

  /// Cause and way out of the refusal; empty: none.
  const std::string& refusal() const { return refusal_; }

  // Room for so many launches between two collections: 10 MiB of counters with the largest set, and a stop of the device
  // every thousand kernels that are replayed anyway.
  static constexpr std::size_t kMostRanges = 1000;

 private:
  struct OfContext {
    std::unique_ptr<RangeProfiler> profiler;
    std::vector<std::string> kernels;  // since the last collection
  };

  void begin(OfContext& of_context, CUctx_st* context);
  void collect(OfContext& of_context);
  void write(const RangeProfiler& profiler, const RangeCounters& range, const std::string& kernel);

  RecordSink& sink_;
  std::string folder_;
  std::string set_;
  std::string refusal_;
  std::map<CUctx_st*, OfContext> contexts_;
  std::uint32_t n_written_ = 0;
};

}  // namespace dachlast::cupti
