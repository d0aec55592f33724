#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace dachlast::trace {

/// How fast the processors ran and what they took at a moment.
struct ClockPowerSample {
  std::int64_t at_ns = 0;          // on the clock of spans
  std::optional<double> clock_hz;  // mean of the watched processors
  std::optional<double> power_w;   // mean since the sample before; the first one may have none

  friend bool operator==(const ClockPowerSample&, const ClockPowerSample&) = default;
};

/// Where one quantity is read, or why it cannot be: one of both is empty.
struct QuantitySource {
  std::string source;  // "cpufreq", "NVML"
  std::string reason;  // a sentence

  friend bool operator==(const QuantitySource&, const QuantitySource&) = default;
};

/// What a computer tells about itself while it works.
struct ClockPowerSources {
  QuantitySource clock;
  QuantitySource power;

  friend bool operator==(const ClockPowerSources&, const ClockPowerSources&) = default;
};

}  // namespace dachlast::trace
