#include "core/roofline/op_time.h"

#include <algorithm>
#include <cmath>

namespace dachlast {
namespace {

constexpr double kMicro = 1e-6;
constexpr double kNano = 1e-9;
constexpr double kActivationBytes = 2.0;
constexpr double kTileRows = 128.0;        // of queries, as FlashAttention cuts them
constexpr double kTensorRows = 16.0;       // rows of one matrix instruction
constexpr double kLeastSplitKeys = 256.0;  // below, splitting a cache costs more than it gains
constexpr double kMostSplits = 16.0;
constexpr double kLeastSplitDepth = 512.0;
constexpr double kResidentShare = 0.6;  // of the last-level cache that a re-read KV cache can fill

double join(double p, double a, double b, double c = 0.0) {
  const double most = std::max({a, b, c});
  if (!(most > 0.0)) return 0.0;
  const auto part = [&](double x) { return x > 0.0 ? std::pow(x / most, p) : 0.0; };
  return most * std::pow(part(a) + part(b) + part(c), 1.0 / p);
}

double waves(double units, double tail) {
  return units + tail * (std::ceil(units) - units);
}

struct Tile {
  double rows;
  double columns;
  double halvings;  // of the largest one's area
};
constexpr Tile kTiles[] = {{64, 64, 3}, {64, 128, 2}, {128, 128, 1}, {128, 256, 0}};

double product_seconds(const EfficiencyCurve& curve, const DeviceRates& device, const GemmCall& call) {
  using enum LawConstant;
  double least = 0.0;
  for (const Tile& tile : kTiles) {
    const double units = std::ceil(call.m / tile.rows) * std::ceil(call.n / tile.columns) / device.n_units;
    const double split = std::max(1.0, std::min({kMostSplits, 1.0 / units, call.k / kLeastSplitDepth}));
    const double work = waves(units * split, curve[kTail]) / split * tile.rows * tile.columns * 2.0;
    const double rate = call.peak * curve[kCompute] * std::pow(curve[kSmallTile], tile.halvings);
    const double seconds = work * (call.k + curve[kKOffset]) * device.n_units / rate;
    if (least == 0.0 || seconds < least) least = seconds;
  }
  return least;
}

/// Keys a query sees on average.
double visible_keys(const PrefillCall& call) {
  const double before = call.kv_len - call.q_len;
  const double all = before + (call.q_len + 1.0) / 2.0;
  if (!(call.window > 0.0)) return all;
  const double below = std::clamp(call.window - before, 0.0, call.q_len);
  const double capped =
      (below * (before + (below + 1.0) / 2.0) + (call.q_len - below) * call.window) / std::max(1.0, call.q_len);
  return std::min(all, capped);
}

}  // namespace

double gemm_seconds(const EfficiencyCurve& curve, const DeviceRates& device, const GemmCall& call) {
  using enum LawConstant;
  const double bytes = call.n * call.k * call.weight_bytes + kActivationBytes * call.m * (call.n + call.k);
  const double drawn = curve[kUnitGbS] > 0.0 ? 1e9 * curve[kUnitGbS] * device.n_units : device.bandwidth;
  const double memory = bytes / std::min(device.bandwidth * curve[kMemory], drawn);
  if (call.m <= curve[kVectorRows]) return kMicro * curve[kFloorUs] + memory;
  const double widen = curve[kWidenBytes] * call.n * call.k / (device.bandwidth * curve[kMemory]);
  const double quantize = call.quantizes_input ? curve[kQuantize] * 3.0 * call.m * call.k / device.bandwidth : 0.0;
  return kMicro * curve[kFloorUs] + join(curve[kJoin], product_seconds(curve, device, call), memory) +
         kNano * curve[kPerKNs] * call.k + quantize + widen;
}

double decode_seconds(const EfficiencyCurve& curve, const DeviceRates& device, const DecodeCall& call) {
  using enum LawConstant;
  const double blocks = call.batch * call.kv_heads;
  const double seen = std::max(1.0, call.kv_len);
  const double units = blocks / device.n_units;
  const double cache = blocks * seen * call.row_bytes;
  const bool resident = cache < kResidentShare * device.cache_bytes;
  const double memory = cache / (device.bandwidth * curve[resident ? kCached : kMemory]);
  const double rows = kTensorRows * std::ceil(call.group / kTensorRows);
  const double products = 2.0 * call.dims * rows * blocks * seen / (call.peak * curve[kCompute]);
  const double split = std::max(1.0, std::min(std::floor(2.0 / units), std::ceil(seen / kLeastSplitKeys)));
  const double block = seen / split * call.row_bytes * device.n_units / (device.bandwidth * curve[kBlock]);
  return kMicro * (curve[kFloorUs] + curve[kPerWaveUs] * units) + kNano * curve[kPerSplitNs] * seen / split +
         join(curve[kJoin], memory, products, block);
}

double prefill_seconds(const EfficiencyCurve& curve, const DeviceRates& device, const PrefillCall& call) {
  using enum LawConstant;
  constexpr double kUsualDims = 256.0;  // heads of 128
  const double rate = call.peak * curve[kCompute] * std::pow(call.dims / kUsualDims, curve[kWidth]);
  const double tile = 2.0 * kTileRows * call.dims;
  const double units = call.batch * call.n_heads * std::ceil(call.q_len / kTileRows) / device.n_units;
  const double longest = call.window > 0.0 ? std::min(call.kv_len, call.window) : call.kv_len;
  const double keys = visible_keys(call) + curve[kExtraKeys];
  const double products =
      device.n_units * tile / rate * std::max(waves(units, curve[kTail]) * keys, longest + curve[kExtraKeys]);
  const double kept = call.window > 0.0 ? std::min(call.kv_len, call.window + call.q_len) : call.kv_len;
  const double scores = call.q_len * call.n_heads * visible_keys(call) * curve[kWidenBytes];
  const double moved = call.batch * (call.q_len * call.n_heads * call.dims * kActivationBytes +
                                     kept * call.kv_heads * call.row_bytes + scores);
  return kMicro * (curve[kFloorUs] + curve[kPerWaveUs] * call.batch * call.n_heads / device.n_units) +
         join(curve[kJoin], products, moved / (device.bandwidth * curve[kMemory]));
}

double experts_seconds(const EfficiencyCurve& curve, const DeviceRates& device, const ExpertsCall& call) {
  using enum LawConstant;
  const double weights = call.touched * call.products * call.hidden * call.inter * call.weight_bytes;
  const double flops = 2.0 * call.products * (call.rows + call.touched * curve[kExtraRows]) *
                       (call.hidden + curve[kOffset]) * (call.inter + curve[kOffset]);
  const double moved = call.rows * (2.0 * call.hidden + call.products * call.inter) * kActivationBytes;
  return kMicro * curve[kFloorUs] + kNano * (curve[kPerExpertNs] * call.experts + curve[kPerRowNs] * call.rows) +
         join(curve[kJoin], weights / (device.bandwidth * curve[kMemory]), flops / (call.peak * curve[kCompute])) +
         moved / (device.bandwidth * curve[kActivations]);
}

double stream_seconds(const EfficiencyCurve& curve, const DeviceRates& device, double bytes) {
  using enum LawConstant;
  return kMicro * curve[kFloorUs] + bytes / (device.bandwidth * curve[kMemory]);
}

double message_seconds(const EfficiencyCurve& curve, double bytes) {
  using enum LawConstant;
  return kMicro * (curve[kFloorUs] + curve[kSqrtUs] * std::sqrt(bytes)) + bytes / (1e9 * curve[kGbS]);
}

}  // namespace dachlast
