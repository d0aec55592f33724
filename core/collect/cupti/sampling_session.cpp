#include "core/collect/cupti/sampling_session.h"

#include <fmt/core.h>

#include <exception>
#include <numeric>
#include <utility>
#include <vector>

#include "core/collect/cupti/profiler_params.h"

namespace dachlast::cupti {

void SamplingSession::launch(CUctx_st* context, Clock::time_point now) {
  if (!refusal_.empty()) return;
  try {
    if (!contexts_.contains(context)) {
      const std::uint32_t device = device_of(context);
      if (!samplers_.contains(device)) samplers_[device] = std::make_unique<PmSampler>(context, folder_);
      contexts_.insert(context);
      last_collection_ = now;
    } else if (now - last_collection_ >= kBetweenCollections) {
      last_collection_ = now;
      for (auto& [device, sampler] : samplers_) collect(*sampler);
    }
  } catch (const std::exception& error) {
    refusal_ = error.what();
  }
}

void SamplingSession::collect(PmSampler& sampler) {
  const std::vector<PmSample> samples = sampler.drain();
  overflowed_ = overflowed_ || sampler.overflowed();
  if (samples.empty()) return;
  const auto write = [&](std::string_view role, double value) {
    spool::Counter counter{};
    counter.value = value;
    counter.range = n_written_;
    counter.kernel = sink_.name_of(fmt::format("[GPU {}, sampled]", sampler.device()));
    counter.metric = sink_.name_of(role);
    sink_.take(spool::with_head(counter, spool::Kind::kCounter).record);
  };
  double time_ns = 0.0;
  for (const PmSample& sample : samples) time_ns += static_cast<double>(sample.end_ns - sample.start_ns);
  write("time_ns", time_ns);
  for (std::size_t i = 0; i < sampler.set().metrics.size(); ++i)
    write(sampler.set().metrics[i].role,
          std::accumulate(samples.begin(), samples.end(), 0.0,
                          [i](double sum, const PmSample& sample) { return sum + sample.values[i]; }));
  ++n_written_;
}

void SamplingSession::finish_all() {
  for (auto& [device, sampler] : std::exchange(samplers_, {})) {
    try {
      sampler->stop();
      collect(*sampler);
    } catch (const std::exception& error) {
      refusal_ = error.what();
    }
  }
}

}  // namespace dachlast::cupti
