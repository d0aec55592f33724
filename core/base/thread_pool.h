#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace dachlast {

/// Half-open range of work units.
struct IndexRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  constexpr std::int64_t size() const { return end - begin; }
  constexpr bool empty() const { return begin >= end; }
  friend constexpr bool operator==(const IndexRange&, const IndexRange&) = default;
};

/// Piece `part` of `n_units` cut into `n_parts` contiguous pieces whose inner borders are multiples of `grain`. Pieces
/// differ by at most one grain, the larger ones first; late pieces may be empty. Depends on its arguments only.
/// `n_units` >= 0, `grain` and `n_parts` > 0.
IndexRange partition(std::int64_t n_units, std::int64_t grain, int n_parts, int part);

/// A fixed team of threads, the caller being thread 0. A worker that has nothing to do watches for work for
/// `kSpinTime` and then sleeps, so steps that follow each other closely start within about a microsecond and an idle
/// pool burns nothing.
/// Threads  one caller at a time; a running function must not use the pool it runs on.
/// Memory   allocates in the constructor only.
class ThreadPool {
 public:
  /// Thread i is pinned to the hardware thread `core_ids[i]`; threads beyond the list stay where the OS puts them.
  /// Where the OS refuses to pin (containers, foreign masks) the thread stays unpinned. The caller is pinned by its
  /// first `run` and gets its old mask back when it destroys the pool; threads that it starts in between inherit its
  /// one core.
  /// Errors   throws `Error` (kUsage) where `n_threads` < 1, (kFailure) where the OS refuses a thread.
  explicit ThreadPool(int n_threads, std::span<const int> core_ids = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int n_threads() const { return n_threads_; }

  /// Calls `fn(thread_index)` once on every thread and returns when all have returned. What `fn` throws reaches the
  /// caller after that; where several threads throw, the lowest thread's exception.
  template <class Function>
  void run(Function&& fn) {
    using Plain = std::remove_reference_t<Function>;
    run_job({const_cast<void*>(static_cast<const void*>(std::addressof(fn))),
             [](void* function, int thread) { (*static_cast<Plain*>(function))(thread); }});
  }

  /// Calls `fn(range, thread_index)` with `partition(n_units, grain, n_threads(), thread_index)` on every thread whose
  /// piece is not empty. The cut is static: equal calls give each thread the same units. A single grain runs on the
  /// caller without waking anybody.
  template <class Function>
  void parallel_for(std::int64_t n_units, std::int64_t grain, Function&& fn) {
    if (n_units <= grain) {
      pin_caller();
      if (n_units > 0) fn(IndexRange{0, n_units}, 0);
      return;
    }
    run([&](int thread) {
      const IndexRange range = partition(n_units, grain, n_threads_, thread);
      if (!range.empty()) fn(range, thread);
    });
  }

 private:
  /// A borrowed callable: no allocation, lives as long as the call.
  struct Job {
    void* function = nullptr;
    void (*call)(void* function, int thread) = nullptr;
  };

  void run_job(Job job);
  void run_share(int thread);
  void announce();
  void await_workers();
  void work(int thread);
  bool await_work(std::uint32_t seen);
  void finish_share();
  void stop_workers();
  void pin_caller();

  const int n_threads_;
  const std::vector<int> core_ids_;
  std::thread::id pinned_caller_;
  std::vector<std::uint64_t> caller_mask_;  // of `pinned_caller_` before it was pinned, as the OS lays it out

  Job job_;                                   // written before `generation_` moves, read after
  std::atomic<std::uint32_t> generation_{0};  // counts jobs
  std::atomic<int> n_running_{0};             // workers still busy with the current job
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;  // guards the next five, and every wait
  std::condition_variable work_arrived_;
  std::condition_variable work_done_;
  int n_sleeping_ = 0;
  bool caller_sleeps_ = false;
  std::exception_ptr failure_;  // of the lowest thread that threw
  int failed_thread_ = 0;

  std::vector<std::thread> workers_;
};

}  // namespace dachlast
