// Attention kernels on all cores against the roofs, which are probed in turn with them: after every call of a kernel the
// probe of its roof runs on the same threads, and shares are medians of the ratios of neighbours. What is `cached` runs on one
// thread over rows that stay in a cache and is timed by that thread's CPU time: instructions alone. Shapes are those of
// Llama 3.2 1B (32 heads on 8, head_dim 64), Llama 3.1 8B (head_dim 128), Llama 2 7B (32 on 32) and DeepSeek-V3 (MLA).
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "core/base/thread_pool.h"
#include "core/kv_cache/aligned_buffer.h"
#include "kernels/attention.h"
#include "kernels/kv_store.h"
#include "kernels/probe/bandwidth.h"
#include "kernels/probe/peak.h"

namespace dachlast::kernels {
namespace {

/// K and V of one call rotate through at least this much memory, several times a last-level cache, so that decode reads
/// them from DRAM as it does with the layers of a model.
constexpr double kRotationBytes = 256e6;
constexpr int kRepeats = 15;

ThreadPool& pool() {
  static ThreadPool threads(static_cast<int>(std::thread::hardware_concurrency()));
  return threads;
}

template <class Function>
double seconds(const Function& function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// FLOP/s of all threads in the variant's arithmetic.
double probe_peak(DType arithmetic) {
  const PeakVariant& probe = *peak_variant_for(arithmetic);
  constexpr std::int64_t kRounds = 4'000'000;  // about 15 ms
  const double time =
      seconds([&] { pool().run([&](int) { benchmark::DoNotOptimize(probe.run(kRounds, 1.0f, 0.5f)); }); });
  return probe.ops_per_round() * static_cast<double>(kRounds) * pool().n_threads() / time;
}

/// Bytes/s that all threads together read from DRAM.
double probe_read() {
  static const AlignedBuffer memory = [] {
    AlignedBuffer pages(kRotationBytes, "probe");
    std::ranges::fill(pages.as<float>(), 1.0f);  // pages never written share one page of zeros
    return pages;
  }();
  const BandwidthVariant& probe = *bandwidth_variant_for(ProbePattern::kRead, StoreKind::kCached);
  const auto all = memory.as<float>();
  const std::size_t piece = all.size() / static_cast<std::size_t>(pool().n_threads()) / kProbeGranule * kProbeGranule;
  const double time = seconds([&] {
    pool().run([&](int thread) {
      const ProbeArrays arrays{all.subspan(static_cast<std::size_t>(thread) * piece, piece), {}, {}};
      benchmark::DoNotOptimize(probe.run(arrays, 1.0f, 1));
    });
  });
  return static_cast<double>(piece) * sizeof(float) * pool().n_threads() / time;
}

struct Setup {
  const AttentionVariant* variant;
  KvLayout layout;
  int n_heads;
  int q_len;
  int kv_len;
};

/// Small values of both signs; the same number everywhere would let a CPU clock higher than real data does.
std::vector<float> values(std::size_t n) {
  std::vector<float> result(n);
  std::uint32_t state = 1;
  for (float& value : result) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-31f;
  }
  return result;
}

/// Pools that a call after call reads, alike in content.
class Pools {
 public:
  Pools(const KvLayout& layout, int n_blocks, int n_copies) : layout_(layout) {
    const auto heads = static_cast<std::size_t>(n_blocks * layout.n_kv_heads);
    bytes_ = {heads * head_key_bytes(layout), heads * head_value_bytes(layout),
              heads * head_key_scales(layout) * sizeof(ScaleWord),
              heads * head_value_scales(layout) * sizeof(ScaleWord)};
    for (int copy = 0; copy < n_copies; ++copy)
      for (const std::size_t bytes : bytes_) parts_.emplace_back(static_cast<double>(bytes), "KV pool");
  }

  MutableKvPool at(int copy) const {
    return {layout_, part<std::byte>(copy, 0), part<std::byte>(copy, 1), part<ScaleWord>(copy, 2),
            part<ScaleWord>(copy, 3)};
  }
  void copy_first() const {
    for (std::size_t i = bytes_.size(); i < parts_.size(); ++i)
      std::memcpy(parts_[i].as<std::byte>().data(), parts_[i % bytes_.size()].as<std::byte>().data(),
                  bytes_[i % bytes_.size()]);
  }

 private:
  template <class T>
  std::span<T> part(int copy, std::size_t which) const {
    return parts_[static_cast<std::size_t>(copy) * bytes_.size() + which].as<T>().first(bytes_[which] / sizeof(T));
  }

  KvLayout layout_;
  std::array<std::size_t, 4> bytes_{};
  std::vector<AlignedBuffer> parts_;
};

/// Everything a setup needs, and its call on copy after copy of the cache.
class Workload {
 public:
  Workload(const Setup& s, double rotation_bytes)
      : setup_(s),
        n_copies_(s.q_len > 1 ? 1 : std::max(1, static_cast<int>(rotation_bytes / cache_bytes(s)))),
        pools_(s.layout, n_blocks(s), n_copies_),
        q_(values(static_cast<std::size_t>(s.q_len * s.n_heads * s.layout.head_dim))),
        out_(static_cast<std::size_t>(s.q_len * s.n_heads * s.layout.value_dim)),
        states_(attention_state_floats(sizes())) {
    for (int i = 0; i < n_blocks(s); ++i) blocks_.push_back(i);
    std::vector<BF16> tail(tail_elements(s.layout));
    const int width = s.layout.n_kv_heads * std::max(s.layout.head_dim, s.layout.value_dim);
    const std::vector<float> rows = values(static_cast<std::size_t>(s.kv_len * width));
    store_kv({pools_.at(0), blocks_, tail, 0, {}}, rows, rows, width, s.kv_len, {0, s.layout.n_kv_heads});
    pools_.copy_first();
    sequence_ = {blocks_, s.kv_len, {}, {}, s.q_len, s.kv_len - s.q_len, 0};
    scratch_.resize(static_cast<std::size_t>(pool().n_threads()),
                    std::vector<float>(s.variant->scratch_floats(sizes())));
  }

  int n_copies() const { return n_copies_; }
  OpCost cost() const { return attention_cost(call(0)); }

  /// All units of the first copy on the calling thread.
  void run_alone() { setup_.variant->run(call(0), scratch_.front(), {0, attention_units(call(0))}); }

  void run(int copy) {
    const AttentionCall work = call(copy);
    const int n_units = attention_units(work);
    std::atomic<int> next{0};
    pool().run([&](int thread) {
      for (int unit = next++; unit < n_units; unit = next++)
        setup_.variant->run(work, scratch_[static_cast<std::size_t>(thread)], {unit, unit + 1});
    });
    combine_attention(work, {0, combine_units(work)});
  }

 private:
  static int n_blocks(const Setup& s) { return (s.kv_len + s.layout.block_size - 1) / s.layout.block_size; }
  static double cache_bytes(const Setup& s) { return static_cast<double>(block_bytes(s.layout)) * n_blocks(s); }
  AttentionSizes sizes() const {
    const KvLayout& l = setup_.layout;
    return {1, setup_.q_len, setup_.kv_len, setup_.n_heads, l.n_kv_heads, l.head_dim, l.value_dim};
  }
  AttentionCall call(int copy) const {
    const MutableKvPool target = pools_.at(copy);
    const KvPool view{target.layout, target.k, target.v, target.k_scales, target.v_scales};
    const float scale = 1.0f / std::sqrt(static_cast<float>(setup_.layout.head_dim));
    return {setup_.n_heads,          {scale, 0.0f}, {},     q_, setup_.n_heads * setup_.layout.head_dim,
            {view, {&sequence_, 1}}, out_,          states_};
  }

  Setup setup_;
  int n_copies_;
  Pools pools_;
  std::vector<float> q_;
  mutable std::vector<float> out_, states_;
  std::vector<std::int32_t> blocks_;
  KvSequence sequence_;
  std::vector<std::vector<float>> scratch_;
};

enum class Roof { kCompute, kRead };

void attention(benchmark::State& state, const Setup& setup, Roof roof) {
  Workload workload(setup, kRotationBytes);
  const OpCost cost = workload.cost();
  std::vector<double> rates, shares;
  workload.run(0);
  for (auto _ : state) {
    const double time = seconds([&] {
      for (int copy = 0; copy < workload.n_copies(); ++copy) workload.run(copy);
    });
    state.SetIterationTime(time);
    const double work = (roof == Roof::kCompute ? cost.flops.value : cost.kv_read_bytes.value) * workload.n_copies();
    rates.push_back(work / time);
    shares.push_back(rates.back() / (roof == Roof::kCompute ? probe_peak(setup.variant->arithmetic) : probe_read()));
  }
  state.counters[roof == Roof::kCompute ? "GFLOP/s" : "GB/s"] = median(rates) / 1e9;
  state.counters["percent_of_roof"] = 100.0 * median(shares);
}

/// CPU seconds of the calling thread.
double own_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Least time over the repeats, of a cache line of K and V, scales included.
void cached(benchmark::State& state, const Setup& setup) {
  constexpr int kCalls = 50;
  Workload workload(setup, 0.0);
  const double bytes = workload.cost().kv_read_bytes.value;
  double least = 1e9;
  for (auto _ : state) {
    const double start = own_seconds();
    for (int i = 0; i < kCalls; ++i) workload.run_alone();
    const double time = (own_seconds() - start) / kCalls;
    state.SetIterationTime(time);
    least = std::min(least, time);
  }
  state.counters["ns_per_line"] = least * 1e9 / (bytes / 64.0);
  state.counters["GB/s"] = bytes / least / 1e9;
}

void add_cached(const AttentionVariant& variant, const KvLayout& layout) {
  constexpr int kKeys = 1024;
  if (!variant.supported()) return;
  const auto name = fmt::format("cached/{}/{}/heads4on1/dim{}", variant.name, name_of(layout.format), layout.head_dim);
  benchmark::RegisterBenchmark(name.c_str(), cached, Setup{&variant, layout, 4, 1, kKeys})
      ->UseManualTime()
      ->Iterations(kRepeats)
      ->Unit(benchmark::kMicrosecond);
}

/// Rows of K and V stored by one thread, least time over the repeats.
void store(benchmark::State& state, const KvLayout& layout) {
  Pools pools(layout, 1, 1);
  const std::vector<float> rows = values(static_cast<std::size_t>(layout.block_size * layout.head_dim));
  const std::int32_t block = 0;
  double least = 1e9;
  for (auto _ : state) {
    const double start = own_seconds();
    store_kv({pools.at(0), {&block, 1}, {}, 0, {}}, rows, rows, layout.head_dim, layout.block_size, {0, 1});
    const double time = own_seconds() - start;
    state.SetIterationTime(time);
    least = std::min(least, time);
  }
  state.counters["ns_per_row"] = least * 1e9 / (2.0 * layout.block_size);
}

void add_store(const KvLayout& layout) {
  const auto name = fmt::format("store/{}/dim{}", name_of(layout.format), layout.head_dim);
  benchmark::RegisterBenchmark(name.c_str(), store, layout)
      ->UseManualTime()
      ->Iterations(kRepeats)
      ->Unit(benchmark::kMicrosecond);
}

void add(const Setup& s, Roof roof) {
  if (!s.variant->supported()) return;
  const KvLayout& l = s.layout;
  const auto name = fmt::format("{}/{}/{}{}/q{}/kv{}/heads{}on{}/dim{}{}",
                                roof == Roof::kCompute ? "prefill" : "decode", s.variant->name, name_of(l.format),
                                has_channel_scales(l) ? "_channel" : "", s.q_len, s.kv_len, s.n_heads, l.n_kv_heads,
                                l.head_dim, l.block_size < s.kv_len ? fmt::format("/block{}", l.block_size) : "");
  benchmark::RegisterBenchmark(name.c_str(), attention, s, roof)
      ->UseManualTime()
      ->Iterations(kRepeats)
      ->Unit(benchmark::kMillisecond);
}

KvLayout layout_of(KvFormat format, int n_kv_heads, int head_dim, int block_size) {
  return {format, KeyScales::kPerToken, KvValues::kOwnRows, n_kv_heads, block_size, head_dim, head_dim};
}

void add_prefill(const AttentionVariant& variant, KvFormat format) {
  // 512 queries at depth 4096, and 4,096 queries that see themselves alone.
  for (const auto& [q_len, kv_len] : {std::pair{512, 4608}, {4096, 4096}}) {
    add({&variant, layout_of(format, 8, 64, kv_len), 32, q_len, kv_len}, Roof::kCompute);
    add({&variant, layout_of(format, 8, 128, kv_len), 32, q_len, kv_len}, Roof::kCompute);
    add({&variant, layout_of(format, 32, 128, kv_len), 32, q_len, kv_len}, Roof::kCompute);
  }
}

void add_decode(const AttentionVariant& variant, KvFormat format) {
  for (const int kv_len : {8192, 32768})
    for (const int head_dim : {64, 128}) {
      add({&variant, layout_of(format, 8, head_dim, kv_len), 32, 1, kv_len}, Roof::kRead);
      add({&variant, layout_of(format, 8, head_dim, 16), 32, 1, kv_len}, Roof::kRead);
    }
  KvLayout channel = layout_of(format, 8, 128, 64);
  channel.key_scales = KeyScales::kPerChannel;
  if (has_channel_scales(channel)) add({&variant, channel, 32, 1, 8192}, Roof::kRead);
}

const bool kRegistered = [] {
  for (const KvFormat format : kAllKvFormats) add_store(layout_of(format, 1, 128, 1024));
  for (const AttentionVariant& variant : attention_variants()) {
    if (variant.name != "bf16" && variant.name != "tiled") continue;
    for (const KvFormat format : kAllKvFormats) {
      for (const int head_dim : {64, 128}) add_cached(variant, layout_of(format, 1, head_dim, 1024));
      add_prefill(variant, format);
      add_decode(variant, format);
    }
    const KvLayout mla{KvFormat::kBF16, KeyScales::kPerToken, KvValues::kInKeys, 1, 8192, 576, 512};
    add({&variant, mla, 128, 1, 8192}, Roof::kCompute);
  }
  return true;
}();

}  // namespace
}  // namespace dachlast::kernels
