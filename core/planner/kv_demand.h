#pragma once

#include "core/planner/engine_profile.h"
#include "core/planner/rank_load.h"

namespace dachlast {

/// What one sequence holds in layers of one kind.
struct KvPart {
  int n_layers = 0;              // layers of padding included
  int n_padding = 0;             // of them
  double bytes_per_token = 0.0;  // of one layer
  double held_tokens = 0.0;      // whole blocks
  int window = 0;                // 0: keeps every token
};

/// How one rank of an engine hands out room for earlier tokens: everything about it that depends on neither context nor
/// batch. Blocks hold `block_tokens` tokens of every layer of a group. Where one pool of equal blocks serves all kinds of layers,
/// groups have equally many layers of one kind, the last one of a kind padded, and kinds whose tokens take fewer bytes keep more of
/// them in a block; else all layers of a kind are one group.
/// Source   vllm-project/vllm:vllm/v1/core/kv_cache_utils.py (get_kv_cache_groups, unify_kv_cache_spec_page_size,
///          get_max_concurrency_for_kv_cache_config),
///          vllm/v1/kv_cache_interface.py (SlidingWindowSpec.max_memory_usage_bytes),
///          vllm/platforms/interface.py (_align_hybrid_block_size)
class KvDemand {
 public:
  /// `batched_tokens`: tokens of the engine's largest step, which a window layer keeps beside its window.
  KvDemand(const RankLoad& rank, const EngineProfile& engine, int block_tokens, int batched_tokens);

  /// Bytes of one sequence of `context_tokens`.
  double bytes_per_sequence(int context_tokens) const;

  /// The same, kind by kind: Σ n_layers · bytes_per_token · held_tokens, and the states.
  std::vector<KvPart> parts(int context_tokens) const;
  double state_bytes_per_sequence() const;
  /// Keys in BF16 that wait for their block to fill, see `CacheFormat`.
  double waiting_bytes_per_sequence() const { return waiting_bytes_; }

  /// Tokens that `room_bytes` hold, as the engine reports them for sequences of `max_model_len` tokens; see
  /// `TokenReport`.
  double tokens_in(double room_bytes, int max_model_len) const;

  /// Bytes one more token takes in the layers that keep every token.
  double growing_bytes_per_token() const { return growing_bytes_per_token_; }

  int block_tokens() const { return block_tokens_; }

 private:
  struct Group {
    double block_bytes = 0.0;  // of the layers of one group, padding included
    int block_tokens = 0;
    int count = 0;          // groups of this kind
    int window_tokens = 0;  // 0: all
    int n_layers = 0;       // of one group, padding included
    int n_padding = 0;      // of all groups of this kind
  };

  void add_groups(const RankLoad& rank, const EngineProfile& engine);
  double blocks_of(const Group& group, int context_tokens) const;
  bool is_hybrid() const { return groups_.size() > 1 || state_blocks_ > 0; }

  std::vector<Group> groups_;
  double state_bytes_ = 0.0;  // of one sequence, where states have no blocks
  double waiting_bytes_ = 0.0;
  double state_blocks_ = 0.0;  // of one sequence, where they have
  double growing_bytes_per_token_ = 0.0;
  double window_bytes_per_token_ = 0.0;
  double window_pool_ratio_ = 0.0;  // 0: windows have no pool of their own
  int block_tokens_;
  int batched_tokens_;
  int straddled_blocks_;  // a window's tokens may begin amid a block: held beside those they would fill
  bool reports_concurrency_ = false;
};

}  // namespace dachlast
