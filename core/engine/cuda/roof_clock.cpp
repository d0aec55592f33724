#include "core/engine/cuda/roof_clock.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/statistics.h"

namespace dachlast {

namespace cuda = kernels::cuda;

std::vector<double> RoofClock::times_of(const Work& work) const {
  work(stream());
  finish();
  std::vector<double> seconds;
  const cuda::DeviceEvent begin(cuda::EventUse::kTiming), end(cuda::EventUse::kTiming);
  for (int i = 0; i < n_repeats_; ++i) {
    begin.record(stream());
    work(stream());
    end.record(stream());
    finish();
    seconds.push_back(end.since(begin).value);
  }
  return seconds;
}

void RoofClock::add_rate(std::vector<GpuRoof>& list, const std::string& what, const std::string& with, double amount,
                         const Work& work) const {
  std::vector<double> rates;
  for (const double seconds : times_of(work))
    if (seconds > 0.0) rates.push_back(amount / seconds);
  if (rates.empty()) throw Error(ErrorKind::kDevice, what, "It took less than the device's clock resolves.");
  list.push_back({what, with, roof_sample(rates)});
}

RoofSample roof_sample(const std::vector<double>& values) {
  return {median(values), *std::ranges::min_element(values), *std::ranges::max_element(values),
          static_cast<int>(values.size())};
}

}  // namespace dachlast
