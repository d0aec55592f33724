#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <span>
#include <stop_token>
#include <vector>

#include "core/engine/engine.h"

namespace dachlast {

/// A prompt and how many tokens are to follow it.
struct BatchRequest {
  std::vector<std::int32_t> prompt;
  int n_generate = 1;
};

/// What became of a request. Times count from the start of the run: all requests are there at once, so TTFT holds the time
/// in the queue.
struct BatchAnswer {
  std::vector<std::int32_t> generated_ids;
  int n_hit_tokens = 0;       // of the prompt, found in the cache when it began for the first time
  int n_preempted = 0;        // times it lost its blocks and began anew
  double ttft_s = 0.0;        // until its first token
  std::vector<double> itl_s;  // each later gap
};

/// Blocks of a request in the cache.
struct RequestBlocks {
  int request = 0;  // place among the requests
  int n_tokens = 0;
  std::vector<std::int32_t> blocks;
};

/// The cache after one step.
struct CacheMoment {
  int step = 0;
  double time_s = 0.0;  // since the beginning
  BlockStatistics statistics;
  std::vector<RequestBlocks> requests;
  std::vector<std::int32_t> cached;
};

/// Moments kept of a run, and block numbers in all of them together: enough to see what happens, few enough for a file.
inline constexpr int kMostMoments = 48;
inline constexpr int kMostMomentBlocks = 100'000;

/// Blocks and slots in use, averaged over steps and at their most.
struct KvUse {
  double mean_block_use = 0.0;       // allocated blocks / blocks
  double mean_token_use = 0.0;       // slots that hold tokens / slots of all blocks
  BlockStatistics fullest;           // after the step with the most allocated blocks
  BlockStatistics last;              // after the last step; what is counted since the beginning is complete here
  std::vector<CacheMoment> moments;  // every so many steps; none of a cache without shared blocks
};

struct BatchResult {
  std::vector<BatchAnswer> answers;  // one per request, in their order; the unfinished ones shorter
  int n_steps = 0;
  double seconds = 0.0;
  KvUse kv;
};

/// Serves requests by continuous batching: as many sequences at once as the engine takes, a new one as soon as another is
/// done. A step holds a piece of each prompt that is still being read and one token of everybody else; a prompt begins
/// with what the cache knows of it. Where blocks run out, the newest sequence gives up its own and begins anew later.
/// Source   iteration-level scheduling, Yu et al. 2022, Orca, OSDI '22; preemption by recomputation, Kwon et al. 2023,
///          arXiv:2309.06180, section 4.5; chunked prefill, Agrawal et al. 2023, arXiv:2308.16369.
class BatchRunner {
 public:
  /// `engine` must outlive the runner and hold no sequences.
  explicit BatchRunner(Engine& engine) : engine_(engine) {}

  /// Errors   throws `Error`: kUsage for a request without prompt or answer, kDoesNotFit where one alone finds no room.
  BatchResult run(const std::vector<BatchRequest>& requests, const std::stop_token& stop = {});

 private:
  /// A request that is being served, or waits to be.
  struct Job {
    const BatchRequest* request = nullptr;
    BatchAnswer* answer = nullptr;
    SequenceId sequence{};
    int n_run = 0;  // tokens in the cache
    double last_token_s = 0.0;

    int n_known() const { return static_cast<int>(request->prompt.size() + answer->generated_ids.size()); }
    bool done() const { return static_cast<int>(answer->generated_ids.size()) == request->n_generate; }
  };

  void admit();
  bool has_room_for(const Job& job);
  void list_entries();
  void preempt_newest();
  void take_tokens(const StepOutcome& outcome);
  void note_use(KvUse& use, int step);
  void keep_moment(KvUse& use, int step);
  void dismiss_done();
  double now_s() const;
  std::span<const std::int32_t> next_ids(const Job& job);

  Engine& engine_;
  std::chrono::steady_clock::time_point start_;
  const BatchRequest* first_ = nullptr;  // of the requests of this run
  int moment_every_ = 1;                 // steps
  std::deque<Job> waiting_;
  std::vector<Job> running_;                      // oldest first
  std::vector<SequenceStep> entries_;             // of the step, as running_
  std::vector<std::vector<std::int32_t>> texts_;  // prompt and answer, as running_
};

}  // namespace dachlast
