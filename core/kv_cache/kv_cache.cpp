#include "core/kv_cache/kv_cache.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "core/base/error.h"
#include "core/kv_cache/cache_layout.h"
#include "core/kv_cache/layer_stage.h"
#include "core/kv_cache/ring_placement.h"

namespace dachlast {
namespace {

RingOptions ring_options(const KvCacheOptions& options, const KvPoolShape& shape) {
  return {.max_sequences = shape.n_blocks,
          .n_slots = shape.block_size,
          .n_sinks = options.spec.n_sinks,
          .window = options.spec.window,
          .max_step_tokens = options.max_step_tokens,
          .capacity_tokens = options.capacity_tokens};
}

std::unique_ptr<TokenPlacement> placement_for(const KvCacheOptions& options, const KvPoolShape& shape) {
  if (options.spec.is_ring()) return std::make_unique<RingPlacement>(ring_options(options, shape));
  // A contiguous sequence is one block, which never fills before its end: there is nothing to share.
  // What is recomputed lies nowhere.
  const bool shares = options.spec.layout == KvPolicy::kPaged && options.spec.recompute_keep == 0;
  return std::make_unique<BlockManager>(BlockManagerOptions{.n_blocks = shape.n_blocks,
                                                            .block_size = shape.block_size,
                                                            .sharing = shares ? options.sharing : PrefixSharing::kOff});
}

std::unique_ptr<KvMemory> memory_for(const ModelSpec& model, const KvCacheOptions& options, KvDevice* device) {
  const double bytes = held_bytes(model, options);
  return device == nullptr ? make_host_kv_memory(bytes) : device->allocate(bytes);
}

std::unique_ptr<KvStage> stage_for(const ModelSpec& model, const KvCacheOptions& options, KvDevice* device) {
  if (device != nullptr) {
    auto file = options.spec.tier == KvTier::kFile ? make_tier(model, options) : nullptr;
    return device->make_stage(stage_options(model, options), std::move(file), kv_tier_bytes(model, options));
  }
  return std::make_unique<LayerStage>(make_tier(model, options), stage_options(model, options));
}

}  // namespace

KvCache::KvCache(const ModelSpec& model, const KvCacheOptions& options, KvDevice* device)
    : options_(settled(options)),
      shape_(shape_of(options_)),
      memory_(memory_for(model, options_, device)),
      stage_(options_.spec.staged() ? stage_for(model, options_, device) : nullptr),
      placement_(placement_for(options_, shape_)) {
  if (options_.spec.recompute_keep > 0)
    recompute_ = RecomputePlan(options_.max_sequences, std::min(options_.spec.recompute_keep, options_.capacity_tokens),
                               shape_.block_size);
  layers_ = lay_out_layers(model, options_);
  for (int place = options_.max_sequences - 1; place >= 0; --place) free_places_.push_back(place);
}

double KvCache::block_bytes() const {
  double bytes = 0.0;
  for (const Layer& layer : layers_) bytes += static_cast<double>(kernels::block_bytes(layer.layout));
  return bytes;
}

// -------- sequences

const KvCache::Place& KvCache::place_of(SequenceId id) const {
  const auto found = places_.find(id);
  if (found == places_.end())
    throw Error(ErrorKind::kUsage, fmt::format("sequence {}", static_cast<std::int64_t>(id)),
                "The KV cache holds no such sequence.", "Add it first; a removed one does not come back.");
  return found->second;
}

void KvCache::require_place() const {
  if (!free_places_.empty()) return;
  throw Error(ErrorKind::kDoesNotFit, "KV cache",
              fmt::format("It has room for {} sequences at once.", options_.max_sequences), "Remove one first.");
}

int KvCache::take_place() {
  const int place = free_places_.back();
  free_places_.pop_back();
  return place;
}

SequenceId KvCache::add(int expected_tokens) {
  require_place();
  const SequenceId id = placement_->add(expected_tokens);
  places_[id] = {.index = take_place()};
  if (options_.spec.recompute_keep > 0) recompute_.reset(places_[id].index);
  return id;
}

SequenceId KvCache::fork(SequenceId parent) {
  require_place();
  if (options_.spec.recompute_keep > 0)
    throw Error(ErrorKind::kUsage, "fork", "Sequences that are recomputed share nothing.", "Use a paged cache.");
  const Place& from = place_of(parent);
  const SequenceId id = placement_->fork(parent);
  const Place to{.index = take_place(), .tail_block = from.tail_block};
  if (keeps_tails()) copy_tails(to.index, from.index);
  places_[id] = to;
  return id;
}

int KvCache::adopt_prefix(SequenceId id, std::span<const std::int32_t> token_ids) {
  return placement_->adopt_prefix(id, token_ids);
}

void KvCache::remove(SequenceId id) {
  const int place = place_of(id).index;
  placement_->remove(id);
  places_.erase(id);
  free_places_.push_back(place);
}

void KvCache::truncate(SequenceId id, int n_tokens) {
  const Place& place = place_of(id);
  if (keeps_tails() && n_tokens >= 0 && n_tokens < placement_->n_tokens(id) && n_tokens % shape_.block_size != 0 &&
      place.tail_block != n_tokens / shape_.block_size)
    throw Error(
        ErrorKind::kUsage, "KV cache",
        fmt::format("The keys of its tokens around {} have scales along channels by now, and their block cannot "
                    "be continued.",
                    n_tokens),
        fmt::format("Cut at a multiple of {} tokens.", shape_.block_size));
  placement_->truncate(id, n_tokens);
  if (options_.spec.recompute_keep > 0) recompute_.truncate(place.index, n_tokens);
}

// -------- memory

std::span<std::byte> KvCache::memory_of(const Layer& layer) {
  return stage_ ? stage_->slot(layer.index) : memory_->bytes();
}

kernels::MutableKvPool KvCache::pool(const Layer& layer) {
  const std::span<std::byte> memory = memory_of(layer);
  const auto words = [&](std::size_t offset, std::size_t bytes) {
    return std::span(reinterpret_cast<kernels::ScaleWord*>(memory.data() + offset), bytes / sizeof(kernels::ScaleWord));
  };
  return {.layout = layer.layout,
          .k = memory.subspan(layer.k_offset, layer.k_bytes),
          .v = memory.subspan(layer.v_offset, layer.v_bytes),
          .k_scales = words(layer.k_scale_offset, layer.k_scale_bytes),
          .v_scales = words(layer.v_scale_offset, layer.v_scale_bytes)};
}

std::span<BF16> KvCache::tails_of(const Layer& layer) {
  const std::size_t elements = tail_elements(layer.layout);
  if (elements == 0) return {};
  return {reinterpret_cast<BF16*>(memory_->bytes().data() + layer.tail_offset),
          static_cast<std::size_t>(options_.max_sequences) * elements};
}

std::span<BF16> KvCache::tail(const Layer& layer, int place) {
  const std::size_t elements = tail_elements(layer.layout);
  if (elements == 0) return {};
  return tails_of(layer).subspan(static_cast<std::size_t>(place) * elements, elements);
}

void KvCache::copy_tails(int to_place, int from_place) {
  for (const Layer& layer : layers_) {
    const std::size_t bytes = tail_elements(layer.layout) * sizeof(BF16);
    const auto at = [&](int place) { return layer.tail_offset + static_cast<std::size_t>(place) * bytes; };
    if (bytes > 0) memory_->copy(at(to_place), at(from_place), bytes);
  }
}

void KvCache::copy_block(const BlockCopy& copy) {
  if (stage_) return stage_->copy(copy.from, copy.to);
  const auto n_blocks = static_cast<std::size_t>(shape_.n_blocks);
  for (const Layer& layer : layers_) {
    const std::array parts{std::pair(layer.k_offset, layer.k_bytes), std::pair(layer.v_offset, layer.v_bytes),
                           std::pair(layer.k_scale_offset, layer.k_scale_bytes),
                           std::pair(layer.v_scale_offset, layer.v_scale_bytes)};
    for (const auto& [offset, bytes] : parts) {
      if (bytes == 0) continue;
      const std::size_t block = bytes / n_blocks;
      const auto at = [&](std::int32_t b) { return offset + static_cast<std::size_t>(b) * block; };
      memory_->copy(at(copy.to), at(copy.from), block);
    }
  }
}

// -------- a step

int KvCache::missing_blocks(std::span<const KvAppend> entries, int n_new_tokens) const {
  int needed = n_new_tokens > 0 ? placement_->blocks_for_new(n_new_tokens) : 0;
  for (const KvAppend& entry : entries)
    needed += placement_->blocks_needed(entry.sequence, static_cast<int>(entry.token_ids.size()));
  return std::max(0, needed - placement_->n_available());
}

int KvCache::begin_step(std::span<const KvAppend> entries) {
  if (const int n_missing = missing_blocks(entries); n_missing > 0) return n_missing;
  step_.clear();
  step_places_.clear();
  step_slots_.clear();
  first_slot_of_.clear();
  n_before_.clear();
  int first_row = 0;
  for (const KvAppend& entry : entries) {
    n_before_.push_back(placement_->n_tokens(entry.sequence));
    const AppendResult result = placement_->append(entry.sequence, entry.token_ids);
    assert(result.done());
    if (result.copy) copy_block(*result.copy);
    show(entry, first_row);
    first_row += static_cast<int>(entry.token_ids.size());
  }
  if (stage_) stage_step(entries, first_row);
  return 0;
}

/// Remembers what kernels are to see of a sequence whose tokens have just been appended.
void KvCache::show(const KvAppend& entry, int first_row) {
  const auto q_len = static_cast<int>(entry.token_ids.size());
  const int n_tokens = placement_->n_tokens(entry.sequence);
  const SlotMap slots = placement_->slots(entry.sequence);
  step_.push_back({.blocks = placement_->block_table(entry.sequence),
                   .kv_len = slots.n_slots,
                   .positions = slots.positions,
                   .tail = {},
                   .q_len = q_len,
                   .first_position = n_tokens - q_len,
                   .first_row = first_row});
  Place& place = places_.at(entry.sequence);
  place.tail_block = n_tokens == 0 ? -1 : (n_tokens - 1) / shape_.block_size;
  step_places_.push_back(place.index);
  first_slot_of_.push_back(step_slots_.size());
  if (slots.positions.empty()) return;
  for (int position = n_tokens - q_len; position < n_tokens; ++position)
    step_slots_.push_back(placement_->slot_of(position));
}

/// Says what is to be moved and what to be computed anew; rows of the latter come behind the `n_rows` of the entries.
void KvCache::stage_step(std::span<const KvAppend> entries, int n_rows) {
  recomputed_.clear();
  std::vector<StagedSequence> sequences;
  for (std::size_t i = 0; i < entries.size(); ++i)
    sequences.push_back({.place = step_places_[i],
                         .blocks = step_[i].blocks,
                         .n_before = n_before_[i],
                         .n_after = placement_->n_tokens(entries[i].sequence)});
  if (options_.spec.recompute_keep == 0) return stage_->begin_step(offload_lists(sequences, shape_.block_size));
  StageLists lists;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const int n_anew = recompute_.take(sequences[i], entries[i].token_ids, lists);
    if (n_anew == 0) continue;
    show_recomputed(sequences[i], static_cast<int>(i), n_anew, n_rows);
    n_rows += n_anew;
  }
  stage_->begin_step(std::move(lists));
}

/// The first tokens of a sequence as if they were new: they see each other only, and lie in its own blocks.
void KvCache::show_recomputed(const StagedSequence& sequence, int entry, int n_tokens, int first_row) {
  recomputed_.push_back(
      {.entry = entry, .token_ids = recompute_.ids(sequence.place).first(static_cast<std::size_t>(n_tokens))});
  n_recomputed_tokens_ += n_tokens;
  step_.push_back({.blocks = sequence.blocks,
                   .kv_len = n_tokens,
                   .positions = {},
                   .tail = {},
                   .q_len = n_tokens,
                   .first_position = 0,
                   .first_row = first_row});
  step_places_.push_back(sequence.place);
  first_slot_of_.push_back(step_slots_.size());
}

void KvCache::enter_layer(int layer_index) {
  if (stage_) stage_->enter(layer_index);
}

void KvCache::leave_layer(int layer_index) {
  if (stage_) stage_->leave(layer_index);
}

void KvCache::finish_step() {
  if (stage_) stage_->finish_step();
}

std::optional<KvTraffic> KvCache::traffic() {
  if (!stage_) return std::nullopt;
  KvTraffic sum = stage_->traffic();
  sum.n_recomputed_tokens = n_recomputed_tokens_;
  return sum;
}

std::string KvCache::tier_description() const {
  return stage_ ? stage_->tier_description() : std::string();
}

kernels::KvView KvCache::view(int layer_index) {
  const Layer& shown = layer(layer_index);
  if (keeps_tails())
    for (std::size_t entry = 0; entry < step_.size(); ++entry) step_[entry].tail = tail(shown, step_places_[entry]);
  const kernels::MutableKvPool memory = pool(shown);
  return {.pool = {.layout = memory.layout,
                   .k = memory.k,
                   .v = memory.v,
                   .k_scales = memory.k_scales,
                   .v_scales = memory.v_scales},
          .sequences = step_};
}

std::span<BF16> KvCache::tails(int layer_index) {
  return tails_of(layer(layer_index));
}

kernels::KvTarget KvCache::target(int layer_index, int entry) {
  const auto index = static_cast<std::size_t>(entry);
  const kernels::KvSequence& sequence = step_[index];
  std::span<const std::int32_t> slots;
  if (!sequence.positions.empty())
    slots = std::span(step_slots_).subspan(first_slot_of_[index], static_cast<std::size_t>(sequence.q_len));
  return {.pool = pool(layer(layer_index)),
          .blocks = sequence.blocks,
          .tail = tail(layer(layer_index), step_places_[index]),
          .first_slot = sequence.first_position,
          .slots = slots};
}

}  // namespace dachlast
