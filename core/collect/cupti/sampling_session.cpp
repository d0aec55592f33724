#include "core/collect/cupti/sampling_session.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/collect/cupti/profiler_params.h"

namespace dachlast::cupti {

SamplingSession::Sampled SamplingSession::started(CUctx_st* context) const {
  Sampled sampled;
  sampled.sampler = std::make_unique<PmSampler>(context, folder_);
  const auto read = sampled.sampler->set().index_of("dram_read_bytes");
  const auto written = sampled.sampler->set().index_of("dram_write_bytes");
  if (!read || !written)
    throw Error(ErrorKind::kDevice, std::string(kSamplingSet), "its metrics hold no bytes read and written of DRAM.",
                "Take the metric sets that came with this program.");
  sampled.read = *read;
  sampled.written = *written;
  return sampled;
}

void SamplingSession::launch(CUctx_st* context, Clock::time_point now) {
  if (!refusal_.empty()) return;
  try {
    if (!contexts_.contains(context)) {
      const std::uint32_t device = device_of(context);
      if (!sampled_.contains(device)) sampled_[device] = started(context);
      contexts_.insert(context);
      last_collection_ = now;
    } else if (now - last_collection_ >= kBetweenCollections) {
      last_collection_ = now;
      for (auto& [device, sampled] : sampled_) collect(sampled);
    }
  } catch (const std::exception& error) {
    refusal_ = error.what();
  }
}

void SamplingSession::tie(std::uint32_t device, spool::TieSide side, std::uint64_t sample_ns, std::uint64_t cupti_ns) {
  spool::SampleTie made{};
  made.sample_ns = sample_ns;
  made.cupti_ns = cupti_ns;
  made.side = side;
  made.device = device;
  sink_.take(spool::with_head(made, spool::Kind::kSampleTie).record);
}

void SamplingSession::collect(Sampled& sampled) {
  const PmSampler& sampler = *sampled.sampler;
  const std::vector<PmSample> samples = sampled.sampler->drain();
  overflowed_ = overflowed_ || sampler.overflowed();
  if (samples.empty()) return;
  std::uint64_t first_ns = samples.front().start_ns;
  std::uint64_t last_ns = samples.front().end_ns;
  for (const PmSample& sample : samples) {
    first_ns = std::min(first_ns, sample.start_ns);
    last_ns = std::max(last_ns, sample.end_ns);
    spool::Sample made{};
    made.start_ns = sample.start_ns;
    made.end_ns = sample.end_ns;
    made.read_bytes = sample.values[sampled.read];
    made.written_bytes = sample.values[sampled.written];
    made.device = sampler.device();
    sink_.take(spool::with_head(made, spool::Kind::kSample).record);
  }
  // Samples come in order, so the first collection has the first one.
  if (!std::exchange(sampled.is_tied_below, true))
    tie(sampler.device(), spool::TieSide::kNotBefore, first_ns, sampler.started_after_ns());
  tie(sampler.device(), spool::TieSide::kNotAfter, last_ns, sampler.read_by_ns());
}

void SamplingSession::finish_all() {
  for (auto& [device, sampled] : std::exchange(sampled_, {})) {
    try {
      sampled.sampler->stop();
      collect(sampled);
    } catch (const std::exception& error) {
      refusal_ = error.what();
    }
  }
}

}  // namespace dachlast::cupti
