#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/collect/cupti/metric_host.h"
#include "core/collect/cupti/metric_sets.h"

struct CUctx_st;
struct CUpti_RangeProfiler_Object;

namespace dachlast::cupti {

/// What one range is, and who repeats the work for counters that one pass cannot collect.
enum class RangeMode : std::uint8_t {
  kEachKernel,  // a range a kernel; CUPTI replays each by itself, one after the other
  kPushed       // ranges between `push` and `pop`; the caller runs all of it once a pass
};

/// Counters of one range, in the order of the set's metrics.
struct RangeCounters {
  std::string name;  // as pushed; of kernels their number
  std::vector<double> values;
};

/// Counters of work on one GPU. Work under it runs kernel after kernel and several times over, so its times mean nothing.
/// Use: `start`, work, `stop`, again until `stop` says that all passes are in; then `collect`.
/// Errors   calls throw `Error` (kDevice) with the cause, named where CUPTI refuses counters.
/// Source   https://docs.nvidia.com/cupti/main/main.html#cupti-range-profiling-api
class RangeProfiler {
 public:
  /// `set` of the GPU that `context` is of, from the lists of `folder`; at most `most_ranges` ranges between two collections.
  RangeProfiler(CUctx_st* context, const std::filesystem::path& folder, const std::string& set, RangeMode mode,
                std::size_t most_ranges);
  ~RangeProfiler();
  RangeProfiler(const RangeProfiler&) = delete;
  RangeProfiler& operator=(const RangeProfiler&) = delete;

  const MetricSet& set() const { return set_; }
  const std::string& chip() const { return chip_; }

  void start();
  void push(const std::string& name);  // of kPushed alone, as `pop`
  void pop();

  enum class Passes : std::uint8_t { kMoreToRun, kAllDone };
  Passes stop();

  /// Ranges since the last collection.
  std::vector<RangeCounters> collect();
  /// Ranges for which there was no room, of all collections.
  std::size_t n_dropped() const { return n_dropped_; }

 private:
  std::vector<std::uint8_t> availability(CUctx_st* context) const;
  void make_counter_data();
  void configure();

  std::string chip_;
  MetricSet set_;
  std::vector<std::string> names_;
  RangeMode mode_;
  std::size_t most_ranges_;
  std::unique_ptr<MetricHost> host_;
  std::vector<std::uint8_t> config_;
  std::vector<std::uint8_t> counter_data_;
  std::size_t n_dropped_ = 0;
  CUpti_RangeProfiler_Object* profiler_ = nullptr;
};

}  // namespace dachlast::cupti
