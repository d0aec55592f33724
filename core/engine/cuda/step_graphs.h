#pragma once

#include <compare>
#include <map>
#include <optional>

#include "core/engine/step_runner.h"
#include "kernels/cuda/device_pool.h"

namespace dachlast {

/// What the launches of a decode step depend on beside what lies in device memory.
struct GraphKey {
  int n_sequences = 0;
  int padded_kv_len = 0;
  OpTimes times = OpTimes::kOff;

  friend constexpr auto operator<=>(const GraphKey&, const GraphKey&) = default;
};

/// Decode steps as graphs. The first step of a kind is queued as it is, the second is captured and launched, all later ones are
/// launched: what comes once is not worth capturing.
class StepGraphs {
 public:
  enum class Mode { kPlain, kCapture, kReplay };

  /// What to do with the step that begins. A capture that was left unfinished by an error ends here.
  Mode begin(const std::optional<GraphKey>& key, kernels::cuda::Stream stream);
  /// All operations have been queued: ends a capture, and launches what was captured. Returns how many operations that graph has;
  /// `n_ops` is how many were queued just now.
  int finish(int n_ops, kernels::cuda::Stream stream);

  /// Ends a capture that no step will finish.
  void abandon() { capture_.reset(); }

  Mode mode() const { return mode_; }

 private:
  struct Graph {
    kernels::cuda::CapturedStep step;
    int n_ops;
  };

  // A sequence that grows by kCutStep tokens changes its key: the last few kinds come again, older ones seldom.
  static constexpr std::size_t kMostGraphs = 16;

  Mode mode_ = Mode::kPlain;
  std::optional<GraphKey> key_;
  std::optional<GraphKey> last_key_;
  std::optional<kernels::cuda::StepCapture> capture_;
  std::map<GraphKey, Graph> graphs_;
};

}  // namespace dachlast
