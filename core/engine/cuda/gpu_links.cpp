// Measures what lies between GPUs. Has not run on a GPU.
#include "core/engine/cuda/gpu_links.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/engine/cuda/nccl.h"
#include "core/engine/cuda/roof_clock.h"
#include "kernels/cuda/device_pool.h"
#include "kernels/cuda/probes.h"

namespace dachlast {
namespace {

namespace cuda = kernels::cuda;

std::span<float> floats(const cuda::DeviceBlock& block) {
  return {reinterpret_cast<float*>(block.bytes().data()), block.bytes().size() / sizeof(float)};
}

/// One GPU with room to send from and to receive in. It is current while this is made.
class EndPoint {
 public:
  EndPoint(int index, std::size_t bytes, int n_repeats)
      : index_(index),
        clock_(n_repeats),
        pool_(index),
        sent_(pool_.allocate(bytes, cuda::DeviceSegment::kWorkspace, clock_.stream())),
        received_(pool_.allocate(bytes, cuda::DeviceSegment::kWorkspace, clock_.stream())) {
    cuda::write_probe(floats(sent_), clock_.stream());
    cuda::zero(received_.bytes(), clock_.stream());
    clock_.finish();
  }
  EndPoint(const EndPoint&) = delete;
  EndPoint& operator=(const EndPoint&) = delete;
  ~EndPoint() = default;

  int index() const { return index_; }
  cuda::DevicePool& pool() { return pool_; }
  const RoofClock& clock() const { return clock_; }
  std::byte* sent() const { return sent_.bytes().data(); }
  std::byte* received() const { return received_.bytes().data(); }

 private:
  int index_;
  RoofClock clock_;
  cuda::DevicePool pool_;
  cuda::DeviceBlock sent_;
  cuda::DeviceBlock received_;
};

std::unique_ptr<EndPoint> end_point(int index, const GpuCalibrationPlan& plan) {
  const cuda::OnDevice on(index);
  return std::make_unique<EndPoint>(index, plan.link_bytes, plan.n_repeats);
}

using EndPoints = std::vector<std::unique_ptr<EndPoint>>;

std::vector<ReducePart> parts_of(const EndPoints& points) {
  std::vector<ReducePart> parts;
  for (const auto& point : points)
    parts.push_back({reinterpret_cast<const float*>(point->sent()), reinterpret_cast<float*>(point->received()),
                     point->clock().stream()});
  return parts;
}

void finish_all(const EndPoints& points) {
  for (const auto& point : points) point->clock().finish();
}

/// Every GPU sent ones.
void require_sums(const EndPoints& points, std::size_t n) {
  const auto expected = static_cast<float>(points.size());
  for (const auto& point : points)
    for (const std::size_t at : {std::size_t{0}, n - 1}) {
      float found = 0.0F;
      cuda::copy(&found, point->received() + at * sizeof(float), sizeof found, point->clock().stream());
      point->clock().finish();
      if (found != expected)
        throw Error(
            ErrorKind::kDevice, "all-reduce",
            fmt::format("GPU {} received {} where ones of {} GPUs were summed.", point->index(), found, points.size()));
    }
}

/// Seconds of each repeat on the queue of the first GPU. All begin with idle queues: none waits for work before.
std::vector<double> reduce_times(Nccl& nccl, const EndPoints& points, std::size_t n) {
  const std::vector<ReducePart> parts = parts_of(points);
  const RoofClock& first = points.front()->clock();
  const cuda::DeviceEvent begin(cuda::EventUse::kTiming), end(cuda::EventUse::kTiming);
  std::vector<double> seconds;
  for (int i = 0; i <= first.n_repeats(); ++i) {
    begin.record(first.stream());
    nccl.all_reduce(parts, n);
    end.record(first.stream());
    finish_all(points);
    if (i > 0) seconds.push_back(end.since(begin).value);  // the first one sets connections up
  }
  require_sums(points, n);
  return seconds;
}

}  // namespace

void measure_peer_link(GpuRoofs& roofs, int index, int other, const GpuCalibrationPlan& plan) {
  const auto far = end_point(other, plan), near = end_point(index, plan);
  const bool direct = cuda::peer_path(index, other) == cuda::PeerPath::kDirect &&
                      cuda::peer_path(other, index) == cuda::PeerPath::kDirect;
  if (direct) {
    near->pool().let_in(other);
    far->pool().let_in(index);
  }
  const std::string with = size_text(plan.link_bytes) + (direct ? ", direct" : ", through the host");
  const auto amount = static_cast<double>(plan.link_bytes);
  const cuda::OnDevice here(index);
  near->clock().add_rate(roofs.bandwidths, fmt::format("GPU {} to GPU {}", index, other), with, amount,
                         [&](cuda::Stream stream) {
                           cuda::copy_between(far->received(), other, near->sent(), index, plan.link_bytes, stream);
                         });
  near->clock().add_rate(roofs.bandwidths, fmt::format("GPU {} to GPU {}", other, index), with, amount,
                         [&](cuda::Stream stream) {
                           cuda::copy_between(near->received(), index, far->sent(), other, plan.link_bytes, stream);
                         });
}

void measure_all_reduce(GpuRoofs& roofs, int n_devices, const GpuCalibrationPlan& plan) {
  Nccl nccl(plan.nccl_library, n_devices);
  EndPoints points;
  for (int device = 0; device < n_devices; ++device) points.push_back(end_point(device, plan));
  const cuda::OnDevice first(0);
  const std::string who = fmt::format("{} GPUs, NCCL {}", n_devices, nccl.version());
  const auto rank_share = [&](std::size_t bytes) {
    return 2.0 * (n_devices - 1) / n_devices * static_cast<double>(bytes);
  };
  std::vector<double> rates;
  for (const double seconds : reduce_times(nccl, points, plan.link_bytes / sizeof(float)))
    if (seconds > 0.0) rates.push_back(rank_share(plan.link_bytes) / seconds);
  if (rates.empty()) throw Error(ErrorKind::kDevice, "all-reduce", "It took less than the device's clock resolves.");
  roofs.bandwidths.push_back({"all-reduce", size_text(plan.link_bytes) + ", " + who, roof_sample(rates)});
  const std::size_t small = std::min(plan.small_reduce_bytes, plan.link_bytes);
  roofs.latencies.push_back(
      {"all-reduce", size_text(small) + ", " + who, roof_sample(reduce_times(nccl, points, small / sizeof(float)))});
}

}  // namespace dachlast
