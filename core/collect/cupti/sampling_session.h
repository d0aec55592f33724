#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/collect/cupti/activity_decoder.h"
#include "core/collect/cupti/pm_sampler.h"

namespace dachlast::cupti {

/// Samples the GPUs that an attached program launches work on, beside its timeline: DRAM bytes of each short time, and
/// between which moments of CUPTI's clock the samples lie.
/// Threads  callers keep each other out.
class SamplingSession {
 public:
  using Clock = std::chrono::steady_clock;

  SamplingSession(RecordSink& sink, std::string folder) : sink_(sink), folder_(std::move(folder)) {}

  /// A kernel is about to be launched. The first one of a GPU starts its sampling; later ones collect now and then.
  void launch(CUctx_st* context, Clock::time_point now = Clock::now());
  void finish_all();

  /// Cause and way out, once one GPU was refused; empty: none.
  const std::string& refusal() const { return refusal_; }
  /// Whether a buffer was full at any time.
  bool overflowed() const { return overflowed_; }

  // A killed program loses no more; the buffer holds far longer.
  static constexpr std::chrono::milliseconds kBetweenCollections{500};

 private:
  /// A GPU under sampling, and where its set counts what a sample needs.
  struct Sampled {
    std::unique_ptr<PmSampler> sampler;
    std::size_t read = 0;
    std::size_t written = 0;
    bool is_tied_below = false;
  };

  Sampled started(CUctx_st* context) const;
  void collect(Sampled& sampled);
  void tie(std::uint32_t device, spool::TieSide side, std::uint64_t sample_ns, std::uint64_t cupti_ns);

  RecordSink& sink_;
  std::string folder_;
  std::string refusal_;
  bool overflowed_ = false;
  std::set<CUctx_st*> contexts_;
  std::map<std::uint32_t, Sampled> sampled_;  // by device
  Clock::time_point last_collection_{};
};

}  // namespace dachlast::cupti
