#pragma once

#include <cstddef>

#include "core/collect/collector.h"
#include "core/trace/mark.h"

namespace dachlast {

/// Keeps the spans of the engine in this process. Room is reserved beforehand, so that recording one span is a copy of
/// about 100 bytes; what finds no room is counted and dropped, the oldest spans stay.
/// Threads  `add` from the thread that runs the steps; the others while no step runs.
class SpanCollector : public Collector, public trace::SpanSink {
 public:
  /// Errors   throws `Error` (kUsage) where `capacity` is 0, (kDoesNotFit) where there is no memory for it.
  explicit SpanCollector(std::size_t capacity);

  std::string_view name() const override { return "spans"; }
  void start() override;
  void stop() override { listening_ = false; }
  std::vector<trace::Span> drain() override;
  std::int64_t n_dropped() const override { return n_dropped_; }

  void add(const trace::Span& span) override;

 private:
  std::size_t capacity_;
  std::vector<trace::Span> spans_;
  std::int64_t n_dropped_ = 0;
  bool listening_ = false;
};

}  // namespace dachlast
