#include "core/memory/llamacpp_run.h"

#include <algorithm>
#include <numeric>

namespace dachlast {
namespace {

std::int64_t padded(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::vector<double> cumulated_shares(const LlamaCppRun& run) {
  std::vector<double> shares(static_cast<std::size_t>(run.n_gpus), 1.0);
  for (std::size_t i = 0; i < std::min(shares.size(), run.split.size()); ++i) shares[i] = run.split[i];
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  double so_far = 0;
  for (double& share : shares) share = (so_far += share) / sum;
  return shares;
}

}  // namespace

LlamaCppSizes llamacpp_sizes(const LlamaCppRun& run) {
  const bool flash = run.attention == LlamaCppAttention::kFlash;
  const std::int64_t multiple = run.program == LlamaCppProgram::kIk && !flash ? 32 : 256;
  const std::int64_t n_ctx = padded(run.n_ctx, run.program == LlamaCppProgram::kScratch ? 1 : multiple);
  const std::int64_t n_batch = std::min<std::int64_t>(run.n_batch, n_ctx);
  return {.n_ctx = n_ctx, .n_tokens = std::min<std::int64_t>(run.n_ubatch, n_batch)};
}

std::vector<int> llamacpp_layer_devices(int n_layers, const LlamaCppRun& run) {
  std::vector<int> devices(static_cast<std::size_t>(n_layers) + 1, run.n_gpus);
  if (run.n_gpus == 0) return devices;
  const std::vector<double> shares = cumulated_shares(run);
  const int offloaded = std::min(run.gpu_layers, n_layers + 1);
  const int first = std::max(n_layers - run.gpu_layers, 0);
  const auto gpu_of = [&](int position) {
    const auto share = std::ranges::upper_bound(shares, static_cast<double>(position) / offloaded);
    return std::min(static_cast<int>(share - shares.begin()), run.n_gpus - 1);
  };
  for (int i = first; i < n_layers; ++i) devices[static_cast<std::size_t>(i)] = gpu_of(i - first);
  if (run.gpu_layers > n_layers) devices.back() = gpu_of(offloaded - 1);
  return devices;
}

}  // namespace dachlast
