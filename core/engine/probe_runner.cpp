#include "core/engine/probe_runner.h"

#include <fmt/core.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "core/base/error.h"

namespace dachlast {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kArrayOffset = 5 * kernels::kProbeAlignment / sizeof(float);
constexpr int kMostArrays = 3;

/// Lets the threads of a team leave together. Spins: they arrive within microseconds of each other, each on a core of
/// its own; gives the core up now and then in case they do not.
class StartLine {
 public:
  explicit StartLine(int n_threads) : n_missing_(n_threads) {}

  void wait() {
    n_missing_.fetch_sub(1);
    for (int looks = 1; n_missing_.load(std::memory_order_acquire) > 0; ++looks)
      if (looks % 4096 == 0) sched_yield();
  }

 private:
  std::atomic<int> n_missing_;
};

/// Start and end of one thread's work, alone on its cache line.
struct alignas(64) Stopwatch {
  Clock::time_point start;
  Clock::time_point end;
};

}  // namespace

void ProbeMemory::Unmap::operator()(void* mapping) const {
  munmap(mapping, n_bytes);
}

ProbeMemory::ProbeMemory(std::size_t n_bytes) {
  const std::size_t rounded = (n_bytes + kHugePage - 1) / kHugePage * kHugePage;
  const std::size_t mapped = rounded + kHugePage;  // room to start on a huge page
  void* mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED)
    throw Error(ErrorKind::kDoesNotFit, "calibration",
                fmt::format("The system refused {:.2f} GiB of memory.", static_cast<double>(mapped) / kGiB),
                "Close other programs or raise the limit of address space (ulimit -v).");
  mapping_ = {mapping, Unmap{mapped}};
  const auto address = reinterpret_cast<std::uintptr_t>(mapping);
  const std::size_t skip = (kHugePage - address % kHugePage) % kHugePage;
  std::byte* start = static_cast<std::byte*>(mapping) + skip;
  (void)madvise(start, rounded, MADV_HUGEPAGE);  // a refusal costs speed only
  start_ = reinterpret_cast<float*>(start);
  n_floats_ = rounded / sizeof(float);
}

std::size_t probe_memory_bytes(std::size_t n_bytes) {
  const std::size_t least = kMostArrays * kernels::kProbeGranule * sizeof(float);
  return std::max(n_bytes, least) + (kMostArrays - 1) * kArrayOffset * sizeof(float);
}

kernels::ProbeArrays cut_arrays(std::span<float> memory, kernels::ProbePattern pattern, std::size_t n_bytes) {
  const auto n_arrays = static_cast<std::size_t>(kernels::probe_arrays(pattern));
  const std::size_t granules = n_bytes / sizeof(float) / n_arrays / kernels::kProbeGranule;
  const std::size_t n = std::max<std::size_t>(granules, 1) * kernels::kProbeGranule;
  const auto array = [&](std::size_t index) {
    return index < n_arrays ? memory.subspan(index * (n + kArrayOffset), n) : std::span<float>{};
  };
  return {array(0), array(1), array(2)};
}

ProbeRunner::ProbeRunner(std::span<const int> core_ids, std::span<const int> team_sizes,
                         std::span<const std::size_t> memory_bytes) {
  for (const int size : team_sizes) teams_.push_back(std::make_unique<ThreadPool>(size, core_ids));
  for (const std::size_t n_bytes : memory_bytes) memory_.emplace_back(probe_memory_bytes(n_bytes));
  std::atomic<bool> pinned = true;
  teams_.back()->run([&](int thread) {
    const auto t = static_cast<std::size_t>(thread);
    if (sched_getcpu() != core_ids[t]) pinned = false;
    // Ones: sums and triads of them stay normal numbers.
    const std::span<float> floats = memory_[t].floats();
    std::fill(floats.begin(), floats.end(), 1.0f);
  });
  is_pinned_ = pinned;
}

ThreadPool& ProbeRunner::team(int n_threads) {
  const auto has_size = [n_threads](const auto& team) { return team->n_threads() == n_threads; };
  const auto found = std::find_if(teams_.begin(), teams_.end(), has_size);
  if (found == teams_.end())
    throw Error(ErrorKind::kFailure, "calibration", fmt::format("There is no team of {} threads.", n_threads));
  return **found;
}

template <class Work>
Seconds ProbeRunner::time_team(int n_threads, Work work) {
  std::vector<Stopwatch> watches(static_cast<std::size_t>(n_threads));
  StartLine start_line(n_threads);
  team(n_threads).run([&](int thread) {
    Stopwatch& watch = watches[static_cast<std::size_t>(thread)];
    start_line.wait();
    watch.start = Clock::now();
    work(static_cast<std::size_t>(thread));
    watch.end = Clock::now();
  });
  const auto first = std::min_element(watches.begin(), watches.end(),
                                      [](const Stopwatch& a, const Stopwatch& b) { return a.start < b.start; });
  const auto last = std::max_element(watches.begin(), watches.end(),
                                     [](const Stopwatch& a, const Stopwatch& b) { return a.end < b.end; });
  return {std::chrono::duration<double>(last->end - first->start).count()};
}

Seconds ProbeRunner::time_passes(const kernels::BandwidthVariant& probe, int n_threads, std::size_t n_bytes,
                                 std::int64_t n_passes) {
  return time_team(n_threads, [&](std::size_t thread) {
    probe.run(cut_arrays(memory_[thread].floats(), probe.pattern, n_bytes), 1.0f, n_passes);
  });
}

Seconds ProbeRunner::time_rounds(const kernels::PeakVariant& probe, int n_threads, std::int64_t n_rounds) {
  return time_team(n_threads, [&](std::size_t) { probe.run(n_rounds, 1.0f, 1.0f); });
}

}  // namespace dachlast
