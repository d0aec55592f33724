#include "core/trace/mark.h"

#include <chrono>

#include "core/trace/nvtx_range.h"

namespace dachlast::trace {
namespace {

std::int64_t now_ns() {
  const auto since_epoch = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
}

}  // namespace

Mark::Mark(SpanSink* sink, const Span& span) : sink_(sink), span_(span) {
  if (nvtx_listens()) push_nvtx_range(span_);
  if (sink_ != nullptr) span_.start_ns = now_ns();
}

Mark::~Mark() {
  if (sink_ != nullptr) span_.end_ns = now_ns();
  if (nvtx_listens()) pop_nvtx_range();
  if (sink_ != nullptr) sink_->add(span_);
}

bool nvtx_active() {
  return nvtx_listens();
}

}  // namespace dachlast::trace
