#include "core/kv_cache/kv_cache.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

#include "core/base/error.h"
#include "core/kv_cache/ring_placement.h"

namespace dachlast {
namespace {

/// Past this, max_step_tokens is a number.
KvCacheOptions settled(KvCacheOptions options) {
  if (options.max_step_tokens == 0) options.max_step_tokens = options.capacity_tokens;
  return options;
}

KvPoolShape shape_of(const KvCacheOptions& options) {
  return kv_pool_shape(options.spec, {.max_sequences = options.max_sequences,
                                      .capacity_tokens = options.capacity_tokens,
                                      .max_step_tokens = settled(options).max_step_tokens,
                                      .n_blocks = options.n_blocks});
}

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
  const bool paged = options.spec.layout == KvPolicy::kPaged;
  return std::make_unique<BlockManager>(BlockManagerOptions{.n_blocks = shape.n_blocks,
                                                            .block_size = shape.block_size,
                                                            .sharing = paged ? options.sharing : PrefixSharing::kOff});
}

kernels::KvLayout layout_of(const AttentionSpec& attention, const KvCacheOptions& options, int block_size) {
  return {.format = options.format,
          .key_scales = options.spec.key_scales,
          .n_kv_heads = attention.n_kv_heads,
          .block_size = block_size,
          .head_dim = attention.head_dim,
          .value_dim = attention.value_dim()};
}

/// Offsets are kept exact in 64 bits: sizes of a cache that no memory holds must not wrap.
double layer_bytes(const kernels::KvLayout& layout, const KvCacheOptions& options, const KvPoolShape& shape) {
  const double heads = static_cast<double>(shape.n_blocks) * layout.n_kv_heads;
  const auto part = [](double bytes) { return AlignedBuffer::padded_bytes(bytes); };
  return part(heads * static_cast<double>(head_key_bytes(layout))) +
         part(heads * static_cast<double>(head_value_bytes(layout))) +
         part(heads * sizeof(kernels::ScaleWord) * static_cast<double>(head_key_scales(layout))) +
         part(heads * sizeof(kernels::ScaleWord) * static_cast<double>(head_value_scales(layout))) +
         part(1.0 * options.max_sequences * sizeof(BF16) * static_cast<double>(tail_elements(layout)));
}

}  // namespace

double kv_cache_bytes(const ModelSpec& model, const KvCacheOptions& options) {
  const KvPoolShape shape = shape_of(options);
  double bytes = 0.0;
  for (const LayerSpec& layer : model.layers)
    bytes += layer_bytes(layout_of(attention_of(layer), options, shape.block_size), options, shape);
  return bytes;
}

KvCache::Layer KvCache::layer_at(const AttentionSpec& attention, const KvCacheOptions& options,
                                 const KvPoolShape& shape, std::size_t& offset) {
  Layer made{.layout = layout_of(attention, options, shape.block_size)};
  const std::size_t heads = static_cast<std::size_t>(shape.n_blocks) * static_cast<std::size_t>(attention.n_kv_heads);
  const auto reserve = [&](std::size_t bytes) {
    const std::size_t at = offset;
    offset += static_cast<std::size_t>(AlignedBuffer::padded_bytes(static_cast<double>(bytes)));
    return at;
  };
  made.k_bytes = heads * head_key_bytes(made.layout);
  made.v_bytes = heads * head_value_bytes(made.layout);
  made.k_scale_bytes = heads * head_key_scales(made.layout) * sizeof(kernels::ScaleWord);
  made.v_scale_bytes = heads * head_value_scales(made.layout) * sizeof(kernels::ScaleWord);
  made.k_offset = reserve(made.k_bytes);
  made.v_offset = reserve(made.v_bytes);
  made.k_scale_offset = reserve(made.k_scale_bytes);
  made.v_scale_offset = reserve(made.v_scale_bytes);
  made.tail_offset =
      reserve(static_cast<std::size_t>(options.max_sequences) * tail_elements(made.layout) * sizeof(BF16));
  return made;
}

KvCache::KvCache(const ModelSpec& model, const KvCacheOptions& options)
    : options_(settled(options)),
      shape_(shape_of(options_)),
      memory_(kv_cache_bytes(model, options_), "KV cache"),
      placement_(placement_for(options_, shape_)) {
  std::size_t offset = 0;
  for (const LayerSpec& layer : model.layers)
    layers_.push_back(layer_at(attention_of(layer), options_, shape_, offset));
  assert(offset <= memory_.size_bytes());
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
  return id;
}

SequenceId KvCache::fork(SequenceId parent) {
  require_place();
  const Place& from = place_of(parent);
  const SequenceId id = placement_->fork(parent);
  const Place to{.index = take_place(), .tail_block = from.tail_block};
  if (keeps_tails())
    for (const Layer& layer : layers_) std::ranges::copy(tail(layer, from.index), tail(layer, to.index).begin());
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
}

// -------- memory

kernels::MutableKvPool KvCache::pool(const Layer& layer) {
  const std::span<std::byte> memory = memory_.as<std::byte>();
  const auto words = [&](std::size_t offset, std::size_t bytes) {
    return memory_.as<kernels::ScaleWord>().subspan(offset / sizeof(kernels::ScaleWord),
                                                    bytes / sizeof(kernels::ScaleWord));
  };
  return {.layout = layer.layout,
          .k = memory.subspan(layer.k_offset, layer.k_bytes),
          .v = memory.subspan(layer.v_offset, layer.v_bytes),
          .k_scales = words(layer.k_scale_offset, layer.k_scale_bytes),
          .v_scales = words(layer.v_scale_offset, layer.v_scale_bytes)};
}

std::span<BF16> KvCache::tail(const Layer& layer, int place) {
  const std::size_t elements = tail_elements(layer.layout);
  if (elements == 0) return {};
  return memory_.as<BF16>().subspan(layer.tail_offset / sizeof(BF16) + static_cast<std::size_t>(place) * elements,
                                    elements);
}

void KvCache::copy_block(const BlockCopy& copy) {
  const auto n_blocks = static_cast<std::size_t>(shape_.n_blocks);
  for (const Layer& layer : layers_) {
    const std::array parts{std::pair(layer.k_offset, layer.k_bytes), std::pair(layer.v_offset, layer.v_bytes),
                           std::pair(layer.k_scale_offset, layer.k_scale_bytes),
                           std::pair(layer.v_scale_offset, layer.v_scale_bytes)};
    for (const auto& [offset, bytes] : parts) {
      if (bytes == 0) continue;
      const std::size_t block = bytes / n_blocks;
      const auto at = [&](std::int32_t b) {
        return memory_.as<std::byte>().data() + offset + static_cast<std::size_t>(b) * block;
      };
      std::memcpy(at(copy.to), at(copy.from), block);
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
  int first_row = 0;
  for (const KvAppend& entry : entries) {
    const AppendResult result = placement_->append(entry.sequence, entry.token_ids);
    assert(result.done());
    if (result.copy) copy_block(*result.copy);
    show(entry, first_row);
    first_row += static_cast<int>(entry.token_ids.size());
  }
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
