#pragma once

#include "core/planner/engine_profile.h"
#include "core/planner/rank_load.h"

namespace dachlast {

/// How one rank of an engine hands out room for earlier tokens: everything about it that depends on neither context nor
/// batch. Blocks hold `block_tokens` tokens of every layer of a group; groups have `group_layers` layers of one kind, the last
/// one of a kind padded, so that one pool of equal blocks serves all of them.
/// Source   vllm-project/vllm:vllm/v1/core/kv_cache_utils.py (get_kv_cache_groups, get_max_concurrency_for_kv_cache_config),
///          vllm/v1/kv_cache_interface.py (SlidingWindowSpec.max_memory_usage_bytes),
///          vllm/platforms/interface.py (_align_hybrid_block_size)
class KvDemand {
 public:
  /// `batched_tokens`: tokens of the engine's largest step, which a window layer keeps beside its window.
  KvDemand(const RankLoad& rank, const EngineProfile& engine, int block_tokens, int batched_tokens);

  /// Bytes of one sequence of `context_tokens`.
  double bytes_per_sequence(int context_tokens) const;

  /// Tokens that `room_bytes` hold, as the engine reports them for sequences of `max_model_len` tokens; see
  /// `TokenReport`.
  double tokens_in(double room_bytes, int max_model_len) const;

  /// Bytes one more token takes in the layers that keep every token.
  double growing_bytes_per_token() const { return growing_bytes_per_token_; }

  int block_tokens() const { return block_tokens_; }

 private:
  struct Group {
    double block_bytes = 0.0;  // of the layers of one group, padding included
    int count = 0;             // groups of this kind
    int window_tokens = 0;     // 0: all
  };

  void add_groups(const RankLoad& rank, WindowPolicy policy);
  double blocks_of(const Group& group, int context_tokens) const;
  bool is_hybrid() const { return groups_.size() > 1 || state_blocks_ > 0; }

  std::vector<Group> groups_;
  double state_bytes_ = 0.0;   // of one sequence, where states have no blocks
  double state_blocks_ = 0.0;  // of one sequence, where they have
  double growing_bytes_per_token_ = 0.0;
  double window_bytes_per_token_ = 0.0;
  double window_pool_ratio_ = 0.0;  // 0: windows have no pool of their own
  int block_tokens_;
  int batched_tokens_;
  bool reports_concurrency_ = false;
};

}  // namespace dachlast
