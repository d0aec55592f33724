#include "core/base/thread_pool.h"

#include <fmt/core.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <system_error>

#include "core/base/error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace dachlast {
namespace {

// Longer than the gap between two operations of a step (below 10 µs) and than most imbalances between threads, so that
// a running model never pays the 5 to 50 µs a sleeping thread takes to wake; short enough that an idle pool is idle.
constexpr std::chrono::microseconds kSpinTime{50};

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

/// Watches `ready` for at most `kSpinTime`. The clock is read once in 32 looks: it costs as much as several of them.
template <class Condition>
bool spin_until(Condition ready) {
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return ready();
}

/// Core ids beyond this cannot be pinned to; 1024 words cover 65,536 hardware threads.
constexpr std::size_t kMaxMaskWords = 1024;

/// The calling thread's affinity mask; empty where the OS does not tell.
std::vector<std::uint64_t> current_mask() {
  for (std::size_t n_words = 16; n_words <= kMaxMaskWords; n_words *= 2) {
    std::vector<std::uint64_t> words(n_words);
    auto* mask = reinterpret_cast<cpu_set_t*>(words.data());
    if (pthread_getaffinity_np(pthread_self(), n_words * sizeof(std::uint64_t), mask) == 0) return words;
  }
  return {};
}

void set_mask(const std::vector<std::uint64_t>& words) {
  if (words.empty()) return;
  const auto* mask = reinterpret_cast<const cpu_set_t*>(words.data());
  // A refusal is tolerated: the thread then runs where the OS puts it, which is slower and still right.
  (void)pthread_setaffinity_np(pthread_self(), words.size() * sizeof(std::uint64_t), mask);
}

void pin_to(int core_id) {
  if (core_id < 0 || static_cast<std::size_t>(core_id) >= kMaxMaskWords * 64) return;
  const auto bit = static_cast<std::size_t>(core_id);
  std::vector<std::uint64_t> words(bit / 64 + 1);
  words[bit / 64] = std::uint64_t{1} << (bit % 64);
  set_mask(words);
}

}  // namespace

IndexRange partition(std::int64_t n_units, std::int64_t grain, int n_parts, int part) {
  const std::int64_t n_grains = (n_units + grain - 1) / grain;
  const std::int64_t share = n_grains / n_parts;
  const std::int64_t n_larger = n_grains % n_parts;  // pieces that hold one grain more
  const std::int64_t first = share * part + std::min<std::int64_t>(part, n_larger);
  const std::int64_t last = first + share + (part < n_larger ? 1 : 0);
  return {std::min(first * grain, n_units), std::min(last * grain, n_units)};
}

ThreadPool::ThreadPool(int n_threads, std::span<const int> core_ids)
    : n_threads_(n_threads), core_ids_(core_ids.begin(), core_ids.end()) {
  if (n_threads < 1)
    throw Error(ErrorKind::kUsage, "threads",
                fmt::format("The number of threads must be at least 1, not {}.", n_threads));
  workers_.reserve(static_cast<std::size_t>(n_threads - 1));
  try {
    for (int thread = 1; thread < n_threads; ++thread) workers_.emplace_back([this, thread] { work(thread); });
  } catch (const std::system_error& refusal) {
    stop_workers();
    throw Error(ErrorKind::kFailure, "threads",
                fmt::format("The system refused thread {} of {} ({}).", workers_.size() + 2, n_threads, refusal.what()),
                "Use fewer threads or raise the limit of processes (ulimit -u).");
  }
}

ThreadPool::~ThreadPool() {
  stop_workers();
  if (pinned_caller_ == std::this_thread::get_id()) set_mask(caller_mask_);
}

void ThreadPool::stop_workers() {
  stopping_.store(true);
  announce();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::pin_caller() {
  if (core_ids_.empty() || pinned_caller_ == std::this_thread::get_id()) return;
  pinned_caller_ = std::this_thread::get_id();
  caller_mask_ = current_mask();
  pin_to(core_ids_[0]);
}

void ThreadPool::run_job(Job job) {
  pin_caller();
  job_ = job;
  failure_ = nullptr;
  failed_thread_ = n_threads_;
  assert(n_running_.load() == 0 && "a function running on the pool used the pool");
  n_running_.store(n_threads_ - 1, std::memory_order_relaxed);
  if (n_threads_ > 1) announce();
  run_share(0);
  if (n_threads_ > 1) await_workers();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::run_share(int thread) {
  try {
    job_.call(job_.function, thread);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (thread < failed_thread_) {
      failed_thread_ = thread;
      failure_ = std::current_exception();
    }
  }
}

void ThreadPool::announce() {
  bool wake = false;
  {
    // Under the lock, so that no worker can fall asleep between its last look at `generation_` and its wait.
    const std::lock_guard lock(mutex_);
    generation_.fetch_add(1, std::memory_order_release);
    wake = n_sleeping_ > 0;
  }
  if (wake) work_arrived_.notify_all();
}

void ThreadPool::await_workers() {
  const auto done = [this] { return n_running_.load(std::memory_order_acquire) == 0; };
  if (spin_until(done)) return;
  std::unique_lock lock(mutex_);
  caller_sleeps_ = true;
  work_done_.wait(lock, done);
  caller_sleeps_ = false;
}

void ThreadPool::work(int thread) {
  if (static_cast<std::size_t>(thread) < core_ids_.size()) pin_to(core_ids_[static_cast<std::size_t>(thread)]);
  for (std::uint32_t seen = 0; await_work(seen); ++seen) {
    run_share(thread);
    finish_share();
  }
}

/// Waits until `generation_` differs from `seen`; false when the pool ends.
bool ThreadPool::await_work(std::uint32_t seen) {
  const auto arrived = [this, seen] { return generation_.load(std::memory_order_acquire) != seen; };
  if (!spin_until(arrived)) {
    std::unique_lock lock(mutex_);
    ++n_sleeping_;
    work_arrived_.wait(lock, arrived);
    --n_sleeping_;
  }
  return !stopping_.load();
}

void ThreadPool::finish_share() {
  if (n_running_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // Only the last worker gets here. The lock orders this after the caller's decision to sleep.
  const std::lock_guard lock(mutex_);
  if (caller_sleeps_) work_done_.notify_one();
}

}  // namespace dachlast
