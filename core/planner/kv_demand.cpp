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

/// Only engines that grow attention blocks to the size of a state serve all kinds of layers from one pool.
bool has_one_pool(const EngineProfile& engine) {
  return engine.hybrid_block_alignment_tokens.has_value() && engine.window_policy.value == WindowPolicy::kCapped;
}

/// Blocks of one pool have the bytes of its widest layer. Narrower ones hold a multiple of the tokens where that fills them, and else
/// leave the rest of a block unused.
int tokens_of_equal_blocks(double bytes_per_token, double widest, int block_tokens) {
  const double times = widest / bytes_per_token;
  return times == std::floor(times) && times < 1e6 ? block_tokens * static_cast<int>(times) : block_tokens;
}

int groups_for(int n_layers, int per_group) {
  return (n_layers + per_group - 1) / per_group;
}

}  // namespace

KvDemand::KvDemand(const RankLoad& rank, const EngineProfile& engine, int block_tokens, int batched_tokens)
    : block_tokens_(block_tokens),
      batched_tokens_(batched_tokens),
      // Engines without a budget allocate a window once, as a ring.
      straddled_blocks_(engine.budget.value == BudgetRule::kWholeDevice ? 0 : 1) {
  if (engine.hybrid_block_alignment_tokens)
    block_tokens_ = aligned_block_tokens(rank, block_tokens, engine.hybrid_block_alignment_tokens->value);
  if (engine.window_pool_ratio) window_pool_ratio_ = engine.window_pool_ratio->value;
  reports_concurrency_ = engine.tokens_reported && engine.tokens_reported->value == TokenReport::kConcurrency;
  const bool states_in_blocks = engine.hybrid_block_alignment_tokens.has_value() && !rank.caches.empty();
  state_bytes_ = states_in_blocks ? 0.0 : rank.state_bytes_per_sequence;
  waiting_bytes_ = rank.waiting_bytes_per_sequence;
  if (!rank.caches.empty()) add_groups(rank, engine);
  if (states_in_blocks && rank.n_state_layers > 0)
    state_blocks_ = kStatesPerRequest * groups_for(rank.n_state_layers, group_layers(rank));
}

void KvDemand::add_groups(const RankLoad& rank, const EngineProfile& engine) {
  const bool several_kinds = rank.caches.size() > 1 || rank.n_state_layers > 0;
  const bool padded = several_kinds && has_one_pool(engine);
  double widest = 0.0;
  for (const CacheGroup& cache : rank.caches) widest = std::max(widest, cache.bytes_per_token);
  for (const CacheGroup& cache : rank.caches) {
    const int window = engine.window_policy.value == WindowPolicy::kCapped ? cache.window : 0;
    const int per_group = padded ? group_layers(rank) : cache.n_layers;
    const int count = groups_for(cache.n_layers, per_group);
    const double in_block = padded ? widest : cache.bytes_per_token;
    groups_.push_back(
        {.block_bytes = in_block * block_tokens_ * per_group,
         .block_tokens = padded ? tokens_of_equal_blocks(cache.bytes_per_token, widest, block_tokens_) : block_tokens_,
         .count = count,
         .window_tokens = window,
         .n_layers = per_group,
         .n_padding = count * per_group - cache.n_layers});
    (window > 0 ? window_bytes_per_token_ : growing_bytes_per_token_) += cache.bytes_per_token * cache.n_layers;
  }
}

double KvDemand::blocks_of(const Group& group, int context_tokens) const {
  const double all = std::ceil(static_cast<double>(context_tokens) / group.block_tokens);
  if (group.window_tokens == 0) return group.count * all;
  const double reach = static_cast<double>(group.window_tokens) - 1 + batched_tokens_;
  return group.count * std::min(all, std::ceil(reach / group.block_tokens) + straddled_blocks_);
}

double KvDemand::bytes_per_sequence(int context_tokens) const {
  double bytes = state_bytes_per_sequence() + waiting_bytes_;
  if (window_pool_ratio_ > 0.0)
    return bytes + context_tokens * (growing_bytes_per_token_ + window_pool_ratio_ * window_bytes_per_token_);
  for (const Group& group : groups_) bytes += group.block_bytes * blocks_of(group, context_tokens);
  return bytes;
}

std::vector<KvPart> KvDemand::parts(int context_tokens) const {
  std::vector<KvPart> parts;
  for (const Group& group : groups_) {
    const double pooled = context_tokens * (group.window_tokens > 0 ? window_pool_ratio_ : 1.0);
    const double in_blocks = blocks_of(group, context_tokens) / group.count * group.block_tokens;
    parts.push_back({.n_layers = group.n_layers * group.count,
                     .n_padding = group.n_padding,
                     .bytes_per_token = group.block_bytes / group.block_tokens / group.n_layers,
                     .held_tokens = window_pool_ratio_ > 0.0 ? pooled : in_blocks,
                     .window = group.window_tokens});
  }
  return parts;
}

double KvDemand::state_bytes_per_sequence() const {
  return groups_.empty() ? state_bytes_ : state_bytes_ + state_blocks_ * groups_.front().block_bytes;
}

double KvDemand::tokens_in(double room_bytes, int max_model_len) const {
  if (groups_.empty() || !(room_bytes > 0.0)) return 0.0;
  if (window_pool_ratio_ > 0.0)
    return std::floor(room_bytes / (growing_bytes_per_token_ + window_pool_ratio_ * window_bytes_per_token_));
  if (is_hybrid() && reports_concurrency_) {
    double blocks = state_blocks_;
    for (const Group& group : groups_) blocks += blocks_of(group, max_model_len);
    return std::floor(std::floor(room_bytes / groups_.front().block_bytes) / blocks * max_model_len);
  }
  double block_bytes = 0.0;
  for (const Group& group : groups_) block_bytes += group.block_bytes * group.count;
  return std::floor(room_bytes / block_bytes) * block_tokens_;
}

}  // namespace dachlast
