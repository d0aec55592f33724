#pragma once

#include <cstdint>

namespace dachlast::trace {

/// Memory of the process that was in RAM at a moment, as its kernel counts it.
struct MemorySample {
  std::int64_t at_ns = 0;  // on the clock of spans
  double resident_bytes = 0.0;

  friend bool operator==(const MemorySample&, const MemorySample&) = default;
};

}  // namespace dachlast::trace
