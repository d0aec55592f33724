#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/collect/cupti/metric_host.h"
#include "core/collect/cupti/metric_sets.h"

struct CUctx_st;
struct CUpti_PmSampling_Object;

namespace dachlast::cupti {

/// Counters of a whole GPU over a short time, in the order of the set's metrics. Times are the GPU's own: how they lie to those of
/// other records follows from `PmSampler::started_after_ns` and `read_by_ns` alone.
struct PmSample {
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
  std::vector<double> values;
};

/// Samples the counters of the set "sampling" of one GPU while programs run as they do: one pass, nothing is replayed, kernels
/// overlap. Counts all work of the device, whoever asked for it.
/// Errors   calls throw `Error` (kDevice) with the cause, named where CUPTI refuses counters.
/// Source   https://docs.nvidia.com/cupti/main/main.html#cupti-pm-sampling-api; cupti_pmsampling.h of CUPTI 13.0
class PmSampler {
 public:
  /// Samples of the GPU that `context` is of, from now on until the end of its life.
  PmSampler(CUctx_st* context, const std::filesystem::path& folder);
  ~PmSampler();
  PmSampler(const PmSampler&) = delete;
  PmSampler& operator=(const PmSampler&) = delete;

  const MetricSet& set() const { return set_; }
  std::uint32_t device() const { return device_; }

  /// Complete samples since the last call.
  std::vector<PmSample> drain();
  /// CUPTI's clock before sampling began: every sample starts later.
  std::uint64_t started_after_ns() const { return started_after_ns_; }
  /// CUPTI's clock when the last `drain` had read its data: all samples up to then ended earlier.
  std::uint64_t read_by_ns() const { return read_by_ns_; }

  /// Ends sampling; what is left can still be drained.
  void stop();

  /// Whether the GPU's buffer was full at any time: samples are missing.
  bool overflowed() const { return overflowed_; }

  static constexpr std::chrono::microseconds kInterval{
      100};  // shorter than most decode steps, longer than most kernels
  static constexpr std::size_t kBufferBytes = std::size_t{64} << 20;
  static constexpr std::uint32_t kMostSamples = 4096;  // of a decoding; more are decoded by turns

 private:
  std::vector<std::uint8_t> availability() const;
  void configure();
  void make_counter_data();
  bool decode(std::vector<PmSample>& samples);

  std::string chip_;
  std::uint32_t device_ = 0;
  MetricSet set_;
  std::vector<std::string> names_;
  std::unique_ptr<MetricHost> host_;
  std::vector<std::uint8_t> config_;
  std::vector<std::uint8_t> counter_data_;
  CUpti_PmSampling_Object* sampler_ = nullptr;
  std::uint64_t started_after_ns_ = 0;
  std::uint64_t read_by_ns_ = 0;
  bool running_ = false;
  bool overflowed_ = false;
};

/// CUPTI triggers by time or, on older chips, by ticks of a clock that is not fixed.
enum class SampleTrigger : std::uint8_t { kTime, kClock };

/// Source   cupti_pmsampling.h: triggers by time are not supported on Turing and GA100.
SampleTrigger sample_trigger(const std::string& chip);

}  // namespace dachlast::cupti
