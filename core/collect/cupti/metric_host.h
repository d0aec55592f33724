#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

struct CUpti_Profiler_Host_Object;

namespace dachlast::cupti {

enum class ProfilerKind : std::uint8_t { kRange, kSampling };

/// Chips that CUPTI's host side knows by name, with or without metrics.
std::vector<std::string> known_chips();

/// CUPTI's knowledge of one chip's counters, which needs neither driver nor GPU.
/// Errors   calls throw `Error` (kDevice) with CUPTI's reason.
class MetricHost {
 public:
  /// `availability` is what a GPU at hand says of its counters; empty: that of the chip as such.
  /// Errors   throws where CUPTI has no metrics for the chip.
  MetricHost(const std::string& chip, ProfilerKind kind, std::span<const std::uint8_t> availability = {});
  ~MetricHost();
  MetricHost(const MetricHost&) = delete;
  MetricHost& operator=(const MetricHost&) = delete;

  /// Names of all counters, without rollups.
  std::vector<std::string> counters() const;

  /// Schedules metrics.
  /// Errors   throws naming the metric that the chip does not have.
  void add(std::span<const std::string> metrics);

  /// What the GPU is set up with, for all metrics added.
  std::vector<std::uint8_t> config_image() const;

  /// How often work is replayed to collect what `config_image` asks for.
  int n_passes(std::span<const std::uint8_t> config_image) const;

  /// Values of the metrics in one range of collected data.
  std::vector<double> values(std::span<const std::uint8_t> counter_data, std::size_t range,
                             std::span<const std::string> metrics) const;

 private:
  CUpti_Profiler_Host_Object* host_ = nullptr;
};

}  // namespace dachlast::cupti
