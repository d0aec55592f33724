#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/trace/span.h"

namespace dachlast {

/// Turns what one source tells about a running program into spans. Used as start, work, stop, drain; then again.
class Collector {
 public:
  virtual ~Collector() = default;

  /// Short name for tables and files: "spans".
  virtual std::string_view name() const = 0;
  /// Forgets what was not drained and its count of drops, and begins to listen.
  virtual void start() = 0;
  /// What happens after it is not recorded.
  virtual void stop() = 0;
  /// Hands out what was recorded since the last call, in the order it ended.
  virtual std::vector<trace::Span> drain() = 0;
  /// Spans lost since `start` because there was no room: a figure to report, never to hide.
  virtual std::int64_t n_dropped() const = 0;
};

}  // namespace dachlast
