#include "core/engine/cuda/roof_probes.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <vector>

#include "kernels/cuda/probes.h"

namespace dachlast {
namespace {

using kernels::cuda::DeviceBlock;
using kernels::cuda::DeviceEvent;
using kernels::cuda::DeviceSegment;
using kernels::cuda::EventUse;
using kernels::cuda::GemmType;

DeviceBlock take(CudaContext& context, std::size_t bytes) {
  DeviceBlock block = context.pool.allocate(bytes, DeviceSegment::kWorkspace, context.steps.stream());
  kernels::cuda::zero(block.bytes(), context.steps.stream());
  return block;
}

/// Rates of `amount` a call; the first call warms up and does not count.
RoofSample rates_of(CudaContext& context, double amount, int n_repeats, const std::function<void()>& queue) {
  const DeviceEvent begin(EventUse::kTiming), end(EventUse::kTiming);
  std::vector<double> rates;
  for (int i = 0; i <= n_repeats; ++i) {
    begin.record(context.steps.stream());
    queue();
    end.record(context.steps.stream());
    context.steps.finish();
    if (i > 0) rates.push_back(amount / end.since(begin).value);
  }
  std::ranges::sort(rates);
  return {.median = rates[rates.size() / 2], .min = rates.front(), .max = rates.back(), .n = n_repeats};
}

BandwidthRoof bandwidth(AccessPattern pattern, double bytes, const RoofSample& rates, const char* probe) {
  return {.level = MemoryLevel::kDram,
          .pattern = pattern,
          .n_threads = 1,
          .working_set_bytes = bytes,
          .bytes_per_s = rates,
          .origin = Origin::kMeasured,
          .probe = probe};
}

std::vector<BandwidthRoof> probe_bandwidths(CudaContext& context, const DeviceProbes& probes) {
  const DeviceBlock from = take(context, probes.bytes), to = take(context, probes.bytes);
  const std::span<float> values = elements_of<float>(from);
  const DeviceBlock sums = take(context, kernels::cuda::read_passes_sums(values.size()) * sizeof(float));
  const auto bytes = static_cast<double>(probes.bytes);
  kernels::cuda::Stream stream = context.steps.stream();
  const RoofSample read = rates_of(context, bytes, probes.n_repeats,
                                   [&] { kernels::cuda::read_passes(values, 1, elements_of<float>(sums), stream); });
  // As STREAM counts: what is read and what is written.
  const RoofSample copied = rates_of(context, 2.0 * bytes, probes.n_repeats, [&] {
    kernels::cuda::copy(to.bytes().data(), from.bytes().data(), probes.bytes, stream);
  });
  return {bandwidth(AccessPattern::kRead, bytes, read, "read kernel"),
          bandwidth(AccessPattern::kCopy, 2.0 * bytes, copied, "cudaMemcpyAsync")};
}

/// Zeros are multiplied as fast as anything on these units; they draw less power, so that clocks do not fall: a roof.
ComputeRoof probe_peak(CudaContext& context, const DeviceProbes& probes, GemmType type, DType dtype) {
  const auto side = static_cast<std::size_t>(probes.product_side);
  const std::size_t element = type == GemmType::kBF16 ? 2 : 4;
  const DeviceBlock x = take(context, side * side * element), w = take(context, side * side * element);
  const DeviceBlock y = take(context, side * side * sizeof(float)),
                    workspace = take(context, kernels::cuda::kGemmWorkspaceBytes);
  const double flops = 2.0 * static_cast<double>(side) * static_cast<double>(side) * static_cast<double>(side);
  const RoofSample rates = rates_of(context, flops, probes.n_repeats, [&] {
    context.gemm->run(
        {probes.product_side, probes.product_side, probes.product_side, type},
        {x.bytes().data(), w.bytes().data(), y.bytes().data(), workspace.bytes().data(), workspace.bytes().size()},
        context.steps.stream());
  });
  return {.dtype = dtype, .instruction = "cuBLASLt", .n_threads = 1, .ops_per_s = rates, .origin = Origin::kMeasured};
}

}  // namespace

DeviceRoofs probe_roofs(CudaContext& context, const DeviceProbes& probes) {
  return {.device = context.facts.name,
          .host_id = {},
          .measured_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))),
          .bandwidths = probe_bandwidths(context, probes),
          .computes = {probe_peak(context, probes, GemmType::kBF16, DType::kBF16),
                       probe_peak(context, probes, GemmType::kF32, DType::kF32)}};
}

}  // namespace dachlast
