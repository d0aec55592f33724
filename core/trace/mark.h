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

/// What a profiler reads as the payload of every range: the schema "dachlast.step", three int32 in this order. A tool
/// without NVTX payload schemas gets the same numbers packed into one unsigned 64-bit payload, see `packed`.
struct Payload {
  std::int32_t layer;  // -1 outside the layers
  std::int32_t n_tokens;
  std::int32_t kv_len;

  /// layer + 1 in bits 48 … 63, n_tokens in bits 24 … 47, kv_len in bits 0 … 23; larger numbers lose their upper bits.
  constexpr std::uint64_t packed() const {
    constexpr std::uint64_t mask = (1u << 24) - 1;
    return (static_cast<std::uint64_t>(layer + 1) << 48) | ((static_cast<std::uint64_t>(n_tokens) & mask) << 24) |
           (static_cast<std::uint64_t>(kv_len) & mask);
  }
};

/// Marks one step or operation while it lives: an NVTX range in the domain "dachlast", named after the operation or the
/// phase, its category the phase, with a `Payload`; and a `Span` for `sink` when it ends. Without a profiler and
/// without a sink it reads no clock and does nothing. Times leave out what the profiler and the sink themselves take.
class Mark {
 public:
  /// `span` carries everything but the times.
  Mark(SpanSink* sink, const Span& span);
  ~Mark();
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

  /// Adds work to the span: what a step learns only while it runs.
  void count(const OpCost& cost) { span_.cost += cost; }

 private:
  SpanSink* sink_;
  Span span_;
};

/// Whether this build has NVTX.
bool has_nvtx();

/// Whether a profiler listens to the domain in this process. Never true where `has_nvtx` is false.
bool nvtx_active();

}  // namespace dachlast::trace
