#pragma once

#include <cstdint>
#include <optional>

#include "core/planner/step_time.h"

namespace dachlast {

/// How requests reach an engine.
enum class Arrival : std::uint8_t {
  kStatic,  // one batch: all prompts in one go, then all tokens step by step
  kClosed,  // so many clients; each sends its next request when the last one is answered
  kAtOnce,  // all requests at the start
  kRate     // at random intervals, so many a second
};

/// What is asked of an engine.
struct ServingLoad {
  double input_tokens = 0.0;
  double output_tokens = 1.0;
  Arrival arrival = Arrival::kClosed;
  int n_clients = 1;   // static: sequences of the batch
  int n_requests = 0;  // altogether; 0: so many that the start no longer counts
  double requests_per_s = 0.0;
  double length_spread = 0.0;     // lengths lie between (1 − spread) and 1 of the two above
  double prefix_hit_share = 0.0;  // of each prompt that the cache already holds and no pass reads again
};

/// How an engine admits work.
struct ServingLimits {
  int max_num_seqs = 256;
  int max_num_batched_tokens = 8192;
  double kv_tokens = 1e18;  // room of the cache of one attention group
  /// Decode passes between two looks at what has arrived; a pass that read prompts is followed by a look.
  /// Source   sgl-project/sglang:python/sglang/srt/managers/scheduler_recv_skipper.py (--scheduler-recv-interval)
  int poll_passes = 1;
};

struct ServingTime {
  double ttft_s = 0.0;           // mean
  double tpot_s = 0.0;           // mean; 0 for one output token
  double output_tokens_s = 0.0;  // of all devices
  double total_tokens_s = 0.0;
  double mean_batch = 0.0;  // sequences that decode together
};

/// Plays a benchmark through, pass by pass: requests wait for room, prompts are read in pieces within the limit of tokens, beside
/// decoding or before it as the engine does it, and every running sequence gets a token a pass. Passes between two events are taken
/// in one stride at their mean cost. Groups of attention data parallelism share the requests evenly; one is played.
/// Numbers  lengths are drawn from a fixed seed: equal questions get equal answers.
ServingTime serving_time(const StepTimer& timer, const ServingLoad& load, const ServingLimits& limits);

}  // namespace dachlast
