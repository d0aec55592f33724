// The projections of one layer of Llama 3.2 1B on all cores, weights in panels, against the roofs: after every pass
// the probes of both roofs run on the same threads, and shares are medians of the ratios of neighbours.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

#include "core/base/statistics.h"
#include "core/base/thread_pool.h"
#include "core/model/weight_store.h"
#include "kernels/linear.h"
#include "kernels/packed_linear.h"
#include "kernels/probe/bandwidth.h"
#include "kernels/probe/peak.h"

namespace dachlast::kernels {
namespace {

/// Weights of one pass: several times a last-level cache, so that they come from DRAM as in a model.
constexpr double kRotationBytes = 512e6;
/// One pass of prefill takes 100 ms and more; two layers do.
constexpr double kPrefillBytes = 60e6;
constexpr int kManyRows = 512;
constexpr int kRepeats = 15;

/// qkv_proj, o_proj, mlp_up and mlp_down as [n, k].
constexpr struct {
  int n;
  int k;
} kProjections[] = {{3072, 2048}, {2048, 2048}, {16384, 2048}, {2048, 8192}};

ThreadPool& pool() {
  static ThreadPool threads(static_cast<int>(std::thread::hardware_concurrency()));
  return threads;
}

Slice slice_of(IndexRange range) {
  return {static_cast<int>(range.begin), static_cast<int>(range.end)};
}

template <class Function>
double seconds(const Function& function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// FLOP/s of all threads in the variant's arithmetic.
double probe_peak(DType arithmetic) {
  const PeakVariant& probe = *peak_variant_for(arithmetic);
  constexpr std::int64_t kRounds = 8'000'000;  // about 25 ms
  const double time =
      seconds([&] { pool().run([&](int) { benchmark::DoNotOptimize(probe.run(kRounds, 1.0F, 0.5F)); }); });
  return probe.ops_per_round() * static_cast<double>(kRounds) * pool().n_threads() / time;
}

/// Bytes/s that all threads together read of `memory`.
double probe_read(std::span<std::byte> memory) {
  const BandwidthVariant& probe = *bandwidth_variant_for(ProbePattern::kRead, StoreKind::kCached);
  const std::span<float> all(reinterpret_cast<float*>(memory.data()), memory.size() / sizeof(float));
  const std::size_t piece = all.size() / static_cast<std::size_t>(pool().n_threads()) / kProbeGranule * kProbeGranule;
  const double time = seconds([&] {
    pool().run([&](int thread) {
      const ProbeArrays arrays{all.subspan(static_cast<std::size_t>(thread) * piece, piece), {}, {}};
      benchmark::DoNotOptimize(probe.run(arrays, 1.0F, 1));
    });
  });
  return static_cast<double>(piece) * sizeof(float) * pool().n_threads() / time;
}

/// Layers of random weights, one after the other.
class Layers {
 public:
  Layers(WeightType type, int m) : type_(type), m_(m) {
    const double wanted = m >= kManyRows ? kPrefillBytes : kRotationBytes;
    n_layers_ = std::max(1, static_cast<int>(wanted / cost().weight_bytes.value));
    arena_ = WeightArena(n_layers_ * (cost().weight_bytes.value + 4 * WeightArena::kAlignmentBytes));
    for (int layer = 0; layer < n_layers_; ++layer)
      for (const auto [n, k] : kProjections) matrices_.push_back(random_matrix(n, k));
    x_.assign(static_cast<std::size_t>(m) * 8192, 0.0F);
    std::uint32_t state = 1;
    for (float& value : x_) {
      state = state * 1664525U + 1013904223U;
      value = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-32F;
    }
    y_.resize(static_cast<std::size_t>(m) * 16384);
    packed_.resize(RowTiles({m, 32, 8192, type}).bytes() + WeightArena::kAlignmentBytes);
  }

  /// Of one layer.
  OpCost cost() const {
    OpCost sum;
    for (const auto [n, k] : kProjections) sum += linear_cost({m_, n, k, type_});
    return sum;
  }

  double time_of_layer() {
    return seconds([&] {
             for (const PackedMatrix& w : matrices_) multiply(w);
           }) /
           n_layers_;
  }

 private:
  PackedMatrix random_matrix(int n, int k) {
    const WeightStorage storage(type_, WeightLayout::kPanels);
    const std::span<std::byte> bytes = arena_.take(matrix_bytes(storage, n, k));
    // Small numbers of both signs whatever the type: patterns of bytes, since nobody looks at the results.
    std::uint32_t state = 7;
    for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      state = state * 1664525U + 1013904223U;
      const std::uint32_t kept = (state & 0x80ff80ffU) | 0x3c003c00U;
      std::memcpy(bytes.data() + i, &kept, 4);
    }
    return {type_, n, k, bytes};
  }

  void multiply(const PackedMatrix& w) {
    const LinearShape shape{m_, w.rows, w.columns, type_};
    const PackedLinearVariant& variant = packed_linear_variant_for(type_);
    const RowTiles tiles(shape);
    void* start = packed_.data();
    std::size_t room = packed_.size();
    std::align(WeightArena::kAlignmentBytes, tiles.bytes(), start, room);
    const std::span<std::byte> packed(static_cast<std::byte*>(start), tiles.bytes());
    pool().parallel_for(tiles.n_tiles(), 1,
                        [&](IndexRange range, int) { variant.pack_rows(shape, x_, packed, slice_of(range)); });
    pool().parallel_for(w.n_panels(), 1,
                        [&](IndexRange range, int) { variant.run(shape, packed, w, {}, y_, slice_of(range)); });
  }

  WeightType type_;
  int m_;
  int n_layers_ = 1;
  WeightArena arena_;
  std::vector<PackedMatrix> matrices_;
  std::vector<float> x_;
  std::vector<float> y_;
  std::vector<std::byte> packed_;
};

/// CPU seconds of the calling thread.
double own_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// One thread, four panels of 2,048 columns that stay in a cache: instructions alone. Least time over the repeats.
void cached(benchmark::State& state, WeightType type, int m) {
  constexpr int kColumns = 2048, kPanels = 4, kCalls = 30;
  const std::size_t panel_bytes = PanelLayout(type, kColumns).panel_bytes();
  WeightArena arena(kPanels * static_cast<double>(panel_bytes) + 65536.0);  // what is fetched ahead lies there too
  const std::span<std::byte> panels = arena.take(static_cast<double>(kPanels * panel_bytes));
  std::vector<float> rows(std::size_t{kPanelRows} * kColumns), y(static_cast<std::size_t>(m) * kPanels * kPanelRows);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = std::sin(static_cast<float>(i));
  for (int panel = 0; panel < kPanels; ++panel)
    pack_panel(type, kColumns, rows, panels.subspan(static_cast<std::size_t>(panel) * panel_bytes, panel_bytes));
  const LinearShape shape{m, kPanels * kPanelRows, kColumns, type};
  const PackedMatrix w{type, shape.n, shape.k, panels};
  const std::vector<float> x(static_cast<std::size_t>(m) * kColumns, 0.3F);
  const RowTiles tiles(shape);
  WeightArena packed_arena(static_cast<double>(tiles.bytes()));
  const std::span<std::byte> packed = packed_arena.take(static_cast<double>(tiles.bytes()));
  const PackedLinearVariant& variant = packed_linear_variant_for(type);
  variant.pack_rows(shape, x, packed, {0, tiles.n_tiles()});
  double least = 1e9;
  for (auto _ : state) {
    const double start = own_seconds();
    for (int i = 0; i < kCalls; ++i) variant.run(shape, packed, w, {}, y, {0, kPanels});
    const double time = (own_seconds() - start) / kCalls;
    state.SetIterationTime(time);
    least = std::min(least, time);
  }
  state.counters["ns_per_line"] = least * 1e9 / (static_cast<double>(panels.size()) / 64.0);
  state.counters["GOP/s"] = linear_cost(shape).flops.value / least / 1e9;
}

/// Least time of a layer at the roofs of the moment.
double least_time(const OpCost& cost, double peak, double read) {
  return std::max(cost.flops.value / peak, cost.weight_bytes.value / read);
}

void projections(benchmark::State& state, WeightType type, int m) {
  Layers layers(type, m);
  const OpCost cost = layers.cost();
  WeightArena probed(kRotationBytes);
  const std::span<std::byte> memory = probed.take(kRotationBytes);
  std::memset(memory.data(), 1, memory.size());  // pages never written share one page of zeros
  std::vector<double> times, peaks, reads, shares;
  double read_before = probe_read(memory);
  for (auto _ : state) {
    const double time = layers.time_of_layer();
    state.SetIterationTime(time);
    const double peak = probe_peak(packed_linear_variant_for(type).arithmetic);
    const double read_after = probe_read(memory);
    const double read = (read_before + read_after) / 2;  // before and after: other programs share the memory
    times.push_back(time);
    peaks.push_back(peak);
    reads.push_back(read);
    shares.push_back(least_time(cost, peak, read) / time);
    read_before = read_after;
  }
  state.counters["GFLOP/s"] = cost.flops.value / median(times) / 1e9;
  state.counters["GB/s"] = cost.weight_bytes.value / median(times) / 1e9;
  state.counters["peak"] = median(peaks) / 1e9;
  state.counters["read"] = median(reads) / 1e9;
  state.counters["of_roof"] = median(shares);
}

const bool kRegistered = [] {
  for (const WeightType type : {WeightType(DType::kBF16), kInt8Rows, kInt8Groups32, kInt4Groups32, kInt4Groups128}) {
    if (peak_variant_for(packed_linear_variant_for(type).arithmetic) == nullptr) continue;
    for (const int m : {1, 8, 32})
      benchmark::RegisterBenchmark(fmt::format("cached/{}/m{}", name_of(type), m).c_str(), cached, type, m)
          ->Unit(benchmark::kMicrosecond)
          ->UseManualTime()
          ->Iterations(kRepeats);
    for (const int m : {1, 8, 32, kManyRows})
      benchmark::RegisterBenchmark(fmt::format("projections/{}/m{}", name_of(type), m).c_str(), projections, type, m)
          ->Unit(benchmark::kMillisecond)
          ->UseManualTime()
          ->Iterations(kRepeats);
  }
  return true;
}();

}  // namespace
}  // namespace dachlast::kernels
