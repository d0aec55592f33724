#include "core/workbench/listed_roofs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"

namespace dachlast {
namespace {

constexpr std::pair<ComputeType, DType> kListedTypes[] = {{ComputeType::kFp32, DType::kF32},
                                                          {ComputeType::kFp16, DType::kF16},
                                                          {ComputeType::kBf16, DType::kBF16},
                                                          {ComputeType::kInt8, DType::kI8}};

std::optional<DeviceSpec> known_device(const std::string& name) {
  try {
    if (!name.empty()) return per_device(find_device(name));
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): an unknown name is no fault; there are no listed roofs then
  }
  return std::nullopt;
}

RoofSample listed_rate(double rate) {
  return {.median = rate, .min = rate, .max = rate, .n = 1};
}

/// The number of threads that the measured roofs of this run are looked up by: listed ones stand beside them.
int threads_of(const Run& run) {
  int best = 0;
  for (const BandwidthRoof& roof : run.roofs.bandwidths)
    if (roof.n_threads <= run.n_threads) best = std::max(best, roof.n_threads);
  return best > 0 ? best : run.n_threads;
}

/// Order decides: lookups take what stands first.
template <class Roof>
void arrange(std::vector<Roof>& roofs, const std::vector<Roof>& listed, RoofSource source) {
  std::erase_if(roofs, [](const Roof& roof) { return roof.origin == Origin::kDatasheet; });
  roofs.insert(source == RoofSource::kListed ? roofs.begin() : roofs.end(), listed.begin(), listed.end());
}

}  // namespace

std::optional<DeviceRoofs> listed_roofs(const std::string& device, int n_threads) {
  const std::optional<DeviceSpec> spec = known_device(device);
  if (!spec) return std::nullopt;
  DeviceRoofs roofs;
  roofs.device = device;
  if (const auto bandwidth = spec->main_memory().bandwidth)
    roofs.bandwidths.push_back({.level = MemoryLevel::kDram,
                                .pattern = AccessPattern::kRead,
                                .n_threads = n_threads,
                                .working_set_bytes = 0.0,
                                .bytes_per_s = listed_rate(bandwidth->value),
                                .origin = Origin::kDatasheet});
  for (const auto& [type, dtype] : kListedTypes)
    if (const auto peak = spec->peak(type))
      roofs.computes.push_back({.dtype = dtype,
                                .instruction = "dense, " + spec->name,
                                .n_threads = n_threads,
                                .ops_per_s = listed_rate(peak->value),
                                .origin = Origin::kDatasheet});
  if (roofs.bandwidths.empty() && roofs.computes.empty()) return std::nullopt;
  return roofs;
}

Run held_against(Run run, RoofSource source) {
  const DeviceRoofs listed = listed_roofs(run.roofs.device, threads_of(run)).value_or(DeviceRoofs{});
  arrange(run.roofs.bandwidths, listed.bandwidths, source);
  arrange(run.roofs.computes, listed.computes, source);
  return run;
}

}  // namespace dachlast
