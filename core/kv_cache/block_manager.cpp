#include "core/kv_cache/block_manager.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/error.h"

namespace dachlast {
namespace {

BlockManagerOptions validated(const BlockManagerOptions& options) {
  const auto require_positive = [](const char* subject, int value) {
    if (value < 1) throw Error(ErrorKind::kUsage, subject, fmt::format("It must be at least 1, not {}.", value));
  };
  require_positive("blocks", options.n_blocks);
  require_positive("block size", options.block_size);
  return options;
}

}  // namespace

BlockManager::BlockManager(const BlockManagerOptions& options)
    : sharing_(validated(options).sharing), pool_(options.n_blocks, options.block_size, options.hash) {}

// -------- sequences

BlockManager::Sequence& BlockManager::known(SequenceId id) {
  return const_cast<Sequence&>(std::as_const(*this).known(id));
}

const BlockManager::Sequence& BlockManager::known(SequenceId id) const {
  const auto found = sequences_.find(id);
  if (found == sequences_.end())
    throw Error(ErrorKind::kUsage, fmt::format("sequence {}", static_cast<std::int64_t>(id)),
                "The KV cache holds no such sequence.", "Add it first; a removed one does not come back.");
  return found->second;
}

SequenceId BlockManager::keep(Sequence sequence) {
  const SequenceId id{next_id_++};
  sequences_.emplace(id, std::move(sequence));
  return id;
}

SequenceId BlockManager::add(int expected_tokens) {
  if (expected_tokens < 0)
    throw Error(ErrorKind::kUsage, "expected tokens", fmt::format("They cannot be {}.", expected_tokens));
  return keep({.table = {}, .n_tokens = 0, .expected_tokens = expected_tokens});
}

SequenceId BlockManager::fork(SequenceId parent) {
  Sequence copy = known(parent);
  for (const std::int32_t block : copy.table) pool_.share(block);
  return keep(std::move(copy));
}

void BlockManager::remove(SequenceId id) {
  truncate(id, 0);
  sequences_.erase(id);
}

void BlockManager::truncate(SequenceId id, int n_tokens) {
  Sequence& sequence = known(id);
  if (n_tokens < 0 || n_tokens > sequence.n_tokens)
    throw Error(ErrorKind::kUsage, "KV cache",
                fmt::format("The sequence holds {} tokens and cannot be cut to {}.", sequence.n_tokens, n_tokens));
  const int kept = (n_tokens + pool_.block_size() - 1) / pool_.block_size();
  // The last block first: what is needed least often is evicted first, and children before their parents.
  while (static_cast<int>(sequence.table.size()) > kept) {
    pool_.release(sequence.table.back());
    sequence.table.pop_back();
  }
  sequence.n_tokens = n_tokens;
}

int BlockManager::adopt_prefix(SequenceId id, std::span<const std::int32_t> token_ids) {
  Sequence& sequence = known(id);
  if (sequence.n_tokens > 0)
    throw Error(ErrorKind::kUsage, "prefix", "Only an empty sequence can begin with known blocks.");
  if (sharing_ == PrefixSharing::kOff) return 0;
  const auto size = static_cast<std::size_t>(pool_.block_size());
  std::int32_t parent = kNoBlock;
  for (std::size_t first = 0; first + size <= token_ids.size(); first += size) {
    const std::int32_t block = pool_.find(parent, token_ids.subspan(first, size));
    if (block == kNoBlock) break;
    pool_.share(block);
    sequence.table.push_back(block);
    parent = block;
  }
  sequence.n_tokens = static_cast<int>(sequence.table.size()) * pool_.block_size();
  n_peak_allocated_ = std::max(n_peak_allocated_, pool_.n_allocated());
  looked_up_tokens_ += static_cast<std::int64_t>(token_ids.size());
  hit_tokens_ += sequence.n_tokens;
  return sequence.n_tokens;
}

// -------- new tokens

bool BlockManager::shares_last_slots(const Sequence& sequence) const {
  return sequence.n_tokens % pool_.block_size() != 0 && pool_.n_users(sequence.table.back()) > 1;
}

int BlockManager::blocks_needed(const Sequence& sequence, std::int64_t n_tokens) const {
  if (n_tokens == 0) return 0;
  const std::int64_t room = static_cast<std::int64_t>(sequence.table.size()) * pool_.block_size() - sequence.n_tokens;
  const std::int64_t beyond = std::max<std::int64_t>(0, n_tokens - room);
  return static_cast<int>((beyond + pool_.block_size() - 1) / pool_.block_size()) + shares_last_slots(sequence);
}

int BlockManager::blocks_needed(SequenceId id, int n_tokens) const {
  if (n_tokens < 0) throw Error(ErrorKind::kUsage, "tokens", fmt::format("There cannot be {} of them.", n_tokens));
  return blocks_needed(known(id), n_tokens);
}

std::int32_t BlockManager::take_block() {
  const std::int32_t block = pool_.take();
  n_peak_allocated_ = std::max(n_peak_allocated_, pool_.n_allocated());
  return block;
}

/// Before the free slots of the last block are written: where others read the block the sequence gets one of its own,
/// where only the index does the block leaves it.
std::optional<BlockCopy> BlockManager::own_last_block(Sequence& sequence) {
  const int n_tokens = sequence.n_tokens % pool_.block_size();
  if (n_tokens == 0) return std::nullopt;
  std::int32_t& last = sequence.table.back();
  if (!shares_last_slots(sequence)) {
    if (pool_.findable(last)) pool_.retract(last);
    return std::nullopt;
  }
  const BlockCopy copy{.from = last, .to = take_block(), .n_tokens = n_tokens};
  std::ranges::copy(pool_.token_ids(copy.from).first(static_cast<std::size_t>(n_tokens)),
                    pool_.token_ids(copy.to).begin());
  pool_.release(copy.from);
  last = copy.to;
  ++n_copied_;
  return copy;
}

void BlockManager::fill(Sequence& sequence, std::span<const std::int32_t> token_ids) {
  while (!token_ids.empty()) {
    const auto used = static_cast<std::size_t>(sequence.n_tokens % pool_.block_size());
    if (used == 0) sequence.table.push_back(take_block());
    const std::span<std::int32_t> slots = pool_.token_ids(sequence.table.back()).subspan(used);
    const std::size_t n_new = std::min(slots.size(), token_ids.size());
    std::ranges::copy(token_ids.first(n_new), slots.begin());
    sequence.n_tokens += static_cast<int>(n_new);
    token_ids = token_ids.subspan(n_new);
    if (n_new == slots.size()) publish_last(sequence);
  }
}

/// A block whose predecessor cannot be found, because another block with the same tokens is, stays out as well.
void BlockManager::publish_last(const Sequence& sequence) {
  if (sharing_ == PrefixSharing::kOff) return;
  const std::size_t n = sequence.table.size();
  const std::int32_t parent = n > 1 ? sequence.table[n - 2] : kNoBlock;
  if (parent == kNoBlock || pool_.findable(parent)) pool_.publish(sequence.table.back(), parent);
}

AppendResult BlockManager::append(SequenceId id, std::span<const std::int32_t> token_ids) {
  Sequence& sequence = known(id);
  const auto n_new = static_cast<std::int64_t>(token_ids.size());
  if (n_new > std::numeric_limits<int>::max() - pool_.block_size() - sequence.n_tokens)
    throw Error(ErrorKind::kUsage, "tokens", "A sequence cannot hold more than a 32-bit count of them.");
  const int needed = blocks_needed(sequence, n_new);
  if (needed > n_available()) return {.n_missing_blocks = needed - n_available(), .copy = {}};
  if (token_ids.empty()) return {};
  AppendResult result{.n_missing_blocks = 0, .copy = own_last_block(sequence)};
  fill(sequence, token_ids);
  return result;
}

// -------- statistics

void BlockManager::count_slots(BlockStatistics& statistics) const {
  const auto n_blocks = static_cast<std::size_t>(pool_.n_blocks());
  std::vector<int> used(n_blocks, 0), wanted(n_blocks, 0);  // slots that some sequence reads, and will write
  const int size = pool_.block_size();
  for (const auto& [id, sequence] : sequences_) {
    statistics.sequence_tokens += sequence.n_tokens;
    statistics.sequence_blocks += static_cast<std::int64_t>(sequence.table.size());
    int first = 0;
    for (const std::int32_t block : sequence.table) {
      const auto b = static_cast<std::size_t>(block);
      used[b] = std::max(used[b], std::min(size, sequence.n_tokens - first));
      wanted[b] = std::max(wanted[b], std::clamp(sequence.expected_tokens - first, 0, size));
      first += size;
    }
  }
  for (std::size_t b = 0; b < n_blocks; ++b) {
    if (used[b] == 0) continue;
    statistics.held_tokens += used[b];
    statistics.reserved_tokens += std::max(0, wanted[b] - used[b]);
    statistics.internal_fragmentation_tokens += size - std::max(wanted[b], used[b]);
  }
}

BlockStatistics BlockManager::statistics() const {
  BlockStatistics statistics{.n_blocks = pool_.n_blocks(),
                             .block_size = pool_.block_size(),
                             .n_free = pool_.n_free(),
                             .n_allocated = pool_.n_allocated(),
                             .n_cached = pool_.n_cached(),
                             .n_peak_allocated = n_peak_allocated_,
                             .looked_up_tokens = looked_up_tokens_,
                             .hit_tokens = hit_tokens_,
                             .n_evicted = pool_.n_evicted(),
                             .n_copied = n_copied_};
  count_slots(statistics);
  return statistics;
}

BlockMap BlockManager::block_map() const {
  BlockMap map;
  for (const auto& [id, sequence] : sequences_) map.sequences.push_back({id, sequence.n_tokens, sequence.table});
  std::ranges::sort(map.sequences, {}, &SequenceBlocks::id);
  for (std::int32_t block = 0; block < pool_.n_blocks(); ++block)
    if (pool_.n_users(block) == 0 && pool_.findable(block)) map.cached.push_back(block);
  return map;
}

}  // namespace dachlast
