#pragma once

#include "core/trace/span.h"

namespace dachlast::trace {

/// Where finished spans go. Implemented by the in-process collector; `nullptr` means nobody is listening.
/// Threads: called from the thread that runs the step, one at a time.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void add(const Span& span) = 0;
};

/// Marks one step or operation while it lives: an NVTX range in the domain "dachlast" with category and payload (layer,
/// tokens, kv_len), and a `Span` for `sink` when it ends. Without NVTX headers and without a sink it does nothing.
class Mark {
 public:
  /// `span` carries everything but the times.
  Mark(SpanSink* sink, const Span& span);
  ~Mark();
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

 private:
  SpanSink* sink_;
  Span span_;
};

/// Whether this build has NVTX.
bool has_nvtx();

}  // namespace dachlast::trace
