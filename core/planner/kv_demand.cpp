#include "core/planner/kv_demand.h"

#include <algorithm>
#include <cmath>

namespace dachlast {
namespace {

/// With prefix caching, the default, a running request keeps a state at the last block boundary beside the current one.
constexpr double kStatesPerRequest = 2;

/// Blocks of attention grow until one holds as many bytes as a layer's state.
int aligned_block_tokens(const RankLoad& rank, int block_tokens, int alignment) {
  if (rank.n_state_layers == 0 || rank.caches.empty()) return block_tokens;
  const double state_bytes = rank.state_bytes_per_sequence / rank.n_state_layers;
  const double tokens = alignment * std::ceil(state_bytes / (alignment * rank.caches.front().bytes_per_token));
  return std::max(block_tokens, static_cast<int>(std::min(tokens, 1e9)));
}

/// Layers of a group: those of the rarest kind; of the commonest where kinds are nearly equal in number.
int group_layers(const RankLoad& rank) {
  constexpr double kNearlyEqual = 1.25;
  int least = rank.n_state_layers > 0 ? rank.n_state_layers : rank.caches.front().n_layers;
  int most = least;
  for (const CacheGroup& group : rank.caches) {
    least = std::min(least, group.n_layers);
    most = std::max(most, group.n_layers);
  }
  return most < kNearlyEqual * least ? most : least;
}

int groups_for(int n_layers, int per_group) {
  return (n_layers + per_group - 1) / per_group;
}

}  // namespace

KvDemand::KvDemand(const RankLoad& rank, const EngineProfile& engine, int block_tokens, int batched_tokens)
    : block_tokens_(block_tokens), batched_tokens_(batched_tokens) {
  if (engine.hybrid_block_alignment_tokens)
    block_tokens_ = aligned_block_tokens(rank, block_tokens, engine.hybrid_block_alignment_tokens->value);
  if (engine.window_pool_ratio) window_pool_ratio_ = engine.window_pool_ratio->value;
  reports_concurrency_ = engine.tokens_reported && engine.tokens_reported->value == TokenReport::kConcurrency;
  const bool states_in_blocks = engine.hybrid_block_alignment_tokens.has_value() && !rank.caches.empty();
  state_bytes_ = states_in_blocks ? 0.0 : rank.state_bytes_per_sequence;
  if (!rank.caches.empty()) add_groups(rank, engine.window_policy.value);
  if (states_in_blocks && rank.n_state_layers > 0)
    state_blocks_ = kStatesPerRequest * groups_for(rank.n_state_layers, group_layers(rank));
}

void KvDemand::add_groups(const RankLoad& rank, WindowPolicy policy) {
  const bool one_pool = policy == WindowPolicy::kCapped && window_pool_ratio_ == 0.0;
  const int per_group = group_layers(rank);
  const bool several_kinds = rank.caches.size() > 1 || rank.n_state_layers > 0;
  for (const CacheGroup& cache : rank.caches) {
    const int window = policy == WindowPolicy::kCapped ? cache.window : 0;
    const double layer_bytes = cache.bytes_per_token * block_tokens_;
    const bool padded = one_pool && several_kinds;
    groups_.push_back({.block_bytes = layer_bytes * (padded ? per_group : cache.n_layers),
                       .count = padded ? groups_for(cache.n_layers, per_group) : 1,
                       .window_tokens = window});
    (window > 0 ? window_bytes_per_token_ : growing_bytes_per_token_) += cache.bytes_per_token * cache.n_layers;
  }
}

double KvDemand::blocks_of(const Group& group, int context_tokens) const {
  const double all = std::ceil(static_cast<double>(context_tokens) / block_tokens_);
  if (group.window_tokens == 0) return group.count * all;
  // The window moves block by block, so that one more block than its tokens fill is held at times.
  const double reach = static_cast<double>(group.window_tokens) - 1 + batched_tokens_;
  return group.count * std::min(all, std::ceil(reach / block_tokens_) + 1);
}

double KvDemand::bytes_per_sequence(int context_tokens) const {
  double bytes = state_bytes_;
  if (window_pool_ratio_ > 0.0)
    return bytes + context_tokens * (growing_bytes_per_token_ + window_pool_ratio_ * window_bytes_per_token_);
  for (const Group& group : groups_) bytes += group.block_bytes * blocks_of(group, context_tokens);
  return groups_.empty() ? bytes : bytes + state_blocks_ * groups_.front().block_bytes;
}

double KvDemand::tokens_in(double room_bytes, int max_model_len) const {
  if (groups_.empty() || !(room_bytes > 0.0)) return 0.0;
  if (window_pool_ratio_ > 0.0)
    return std::floor(room_bytes / (growing_bytes_per_token_ + window_pool_ratio_ * window_bytes_per_token_));
  if (is_hybrid() && reports_concurrency_) {
    double blocks = state_blocks_;
    for (const Group& group : groups_) blocks += blocks_of(group, max_model_len);
    return std::floor(room_bytes / groups_.front().block_bytes) / blocks * max_model_len;
  }
  double block_bytes = 0.0;
  for (const Group& group : groups_) block_bytes += group.block_bytes * group.count;
  return std::floor(room_bytes / block_bytes) * block_tokens_;
}

}  // namespace dachlast
