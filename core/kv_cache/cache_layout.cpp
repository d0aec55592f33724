#include "core/kv_cache/cache_layout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace dachlast {
namespace {

bool reads_another_cache(const LayerSpec& layer) {
  const auto* attention = std::get_if<AttentionSpec>(&layer.mixer);
  return attention != nullptr && attention->shares_kv_with.has_value();
}

/// Latents are their own values, and one row serves all heads.
kernels::KvLayout layout_of(const MlaSpec& latent, const KvCacheOptions& options, int block_size) {
  return {.format = options.format,
          .key_scales = options.spec.key_scales,
          .values = kernels::KvValues::kInKeys,
          .n_kv_heads = 1,
          .block_size = block_size,
          .head_dim = latent.latent_width(),
          .value_dim = latent.kv_lora_rank};
}

kernels::KvLayout layout_of(const LayerSpec& layer, const KvCacheOptions& options, int block_size) {
  if (const auto* latent = std::get_if<MlaSpec>(&layer.mixer)) return layout_of(*latent, options, block_size);
  const AttentionSpec& attention = attention_of(layer);
  return {.format = options.format,
          .key_scales = options.spec.key_scales,
          .n_kv_heads = attention.n_kv_heads,
          .block_size = block_size,
          .head_dim = attention.head_dim,
          .value_dim = attention.value_dim()};
}

/// Sizes are kept as doubles until memory is found for them: those of a cache that no memory holds must not wrap.
double pool_bytes(const kernels::KvLayout& layout, const KvPoolShape& shape) {
  const double heads = static_cast<double>(shape.n_blocks) * layout.n_kv_heads;
  const auto part = [](double bytes) { return AlignedBuffer::padded_bytes(bytes); };
  return part(heads * static_cast<double>(head_key_bytes(layout))) +
         part(heads * static_cast<double>(head_value_bytes(layout))) +
         part(heads * sizeof(kernels::ScaleWord) * static_cast<double>(head_key_scales(layout))) +
         part(heads * sizeof(kernels::ScaleWord) * static_cast<double>(head_value_scales(layout)));
}

double tail_bytes(const kernels::KvLayout& layout, const KvCacheOptions& options) {
  return AlignedBuffer::padded_bytes(1.0 * options.max_sequences * sizeof(BF16) *
                                     static_cast<double>(tail_elements(layout)));
}

KvRoom room_of(const KvCacheOptions& options) {
  return {.max_sequences = options.max_sequences,
          .capacity_tokens = options.capacity_tokens,
          .max_step_tokens = settled(options).max_step_tokens,
          .n_blocks = options.n_blocks};
}

double n_records(const KvCacheOptions& options) {
  return kv_tier_records(options.spec, room_of(options));
}

/// A block as the tier keeps it, filled up to what the tier moves at once.
double record_bytes(const kernels::KvLayout& layout, const KvCacheOptions& options) {
  const double unit = kv_tier_alignment(options.spec.tier);
  return std::ceil(static_cast<double>(kernels::block_bytes(layout)) / unit) * unit;
}

/// Of the memory that layers lie in, one behind the other.
class Room {
 public:
  std::size_t reserve(std::size_t bytes) {
    const std::size_t at = used_;
    used_ += static_cast<std::size_t>(AlignedBuffer::padded_bytes(static_cast<double>(bytes)));
    return at;
  }

 private:
  std::size_t used_ = 0;
};

LayerPool pool_at(const LayerSpec& layer, const KvCacheOptions& options, const KvPoolShape& shape, Room& room) {
  LayerPool made{.index = 0, .layout = layout_of(layer, options, shape.block_size)};
  const std::size_t heads = static_cast<std::size_t>(shape.n_blocks) * static_cast<std::size_t>(made.layout.n_kv_heads);
  made.k_bytes = heads * head_key_bytes(made.layout);
  made.v_bytes = heads * head_value_bytes(made.layout);
  made.k_scale_bytes = heads * head_key_scales(made.layout) * sizeof(kernels::ScaleWord);
  made.v_scale_bytes = heads * head_value_scales(made.layout) * sizeof(kernels::ScaleWord);
  made.k_offset = room.reserve(made.k_bytes);
  made.v_offset = room.reserve(made.v_bytes);
  made.k_scale_offset = room.reserve(made.k_scale_bytes);
  made.v_scale_offset = room.reserve(made.v_scale_bytes);
  return made;
}

/// The most that `bytes_of` says of any layer's layout.
template <class Function>
double largest_layer(const ModelSpec& model, const KvCacheOptions& options, Function&& bytes_of) {
  const int block_size = shape_of(options).block_size;
  double most = 0.0;
  for (const LayerSpec& layer : model.layers) most = std::max(most, bytes_of(layout_of(layer, options, block_size)));
  return most;
}

StageLayer stage_layer(const LayerPool& pool, const KvCacheOptions& options, int n_blocks) {
  const auto part = [&](std::size_t offset, std::size_t bytes) {
    return StagePart{offset, bytes / static_cast<std::size_t>(n_blocks)};
  };
  return {.parts = {part(pool.k_offset, pool.k_bytes), part(pool.v_offset, pool.v_bytes),
                    part(pool.k_scale_offset, pool.k_scale_bytes), part(pool.v_scale_offset, pool.v_scale_bytes)},
          .tier_offset = 0,
          .record_bytes = static_cast<std::size_t>(record_bytes(pool.layout, options))};
}

}  // namespace

KvCacheOptions settled(KvCacheOptions options) {
  if (options.max_step_tokens == 0) options.max_step_tokens = options.capacity_tokens;
  return options;
}

KvPoolShape shape_of(const KvCacheOptions& options) {
  return kv_pool_shape(options.spec, room_of(options));
}

double held_bytes(const ModelSpec& model, const KvCacheOptions& options) {
  const KvPoolShape shape = shape_of(options);
  double bytes = 0.0;
  for (const LayerSpec& layer : model.layers) {
    if (reads_another_cache(layer)) continue;
    const kernels::KvLayout layout = layout_of(layer, options, shape.block_size);
    bytes += tail_bytes(layout, options);
    if (!options.spec.staged()) bytes += pool_bytes(layout, shape);
  }
  return bytes;
}

double kv_tier_bytes(const ModelSpec& model, const KvCacheOptions& options) {
  if (!options.spec.staged()) return 0.0;
  const KvPoolShape shape = shape_of(options);
  double bytes = 0.0;
  for (const LayerSpec& layer : model.layers)
    bytes += n_records(options) * record_bytes(layout_of(layer, options, shape.block_size), options);
  return bytes;
}

double kv_device_bytes(const ModelSpec& model, const KvCacheOptions& options) {
  double slot = 0.0;
  if (options.spec.staged())
    slot = largest_layer(model, options,
                         [&](const kernels::KvLayout& layout) { return pool_bytes(layout, shape_of(options)); });
  return held_bytes(model, options) + KvStage::kSlots * AlignedBuffer::padded_bytes(slot);
}

double kv_cache_bytes(const ModelSpec& model, const KvCacheOptions& options) {
  double bytes = held_bytes(model, options);
  if (!options.spec.staged()) return bytes;
  const KvPoolShape shape = shape_of(options);
  const double slot = largest_layer(model, options, [&](const auto& layout) { return pool_bytes(layout, shape); });
  const double record =
      largest_layer(model, options, [&](const auto& layout) { return record_bytes(layout, options); });
  bytes += LayerStage::memory_bytes(slot, record, kv_tier_alignment(options.spec.tier));
  if (options.spec.tier != KvTier::kFile) bytes += AlignedBuffer::padded_bytes(kv_tier_bytes(model, options));
  return bytes;
}

std::vector<LayerPool> lay_out_layers(const ModelSpec& model, const KvCacheOptions& options) {
  const KvPoolShape shape = shape_of(options);
  std::vector<LayerPool> layers;
  Room all, tails;
  for (const LayerSpec& layer : model.layers) {
    if (reads_another_cache(layer)) {  // has no pool: nobody asks for it
      layers.push_back({.index = static_cast<int>(layers.size()), .layout = {}});
      continue;
    }
    Room slot;
    LayerPool made = pool_at(layer, options, shape, options.spec.staged() ? slot : all);
    made.index = static_cast<int>(layers.size());
    made.tail_offset =
        (options.spec.staged() ? tails : all)
            .reserve(static_cast<std::size_t>(options.max_sequences) * tail_elements(made.layout) * sizeof(BF16));
    layers.push_back(made);
  }
  return layers;
}

StageOptions stage_options(const ModelSpec& model, const KvCacheOptions& options) {
  const KvPoolShape shape = shape_of(options);
  StageOptions stage{.layers = {},
                     .slot_bytes = 0.0,
                     .bounce_alignment = static_cast<std::size_t>(kv_tier_alignment(options.spec.tier)),
                     .patience = options.tier.patience};
  std::int64_t offset = 0;
  for (const LayerPool& pool : lay_out_layers(model, options)) {
    StageLayer layer = stage_layer(pool, options, shape.n_blocks);
    layer.tier_offset = offset;
    offset += static_cast<std::int64_t>(n_records(options)) * static_cast<std::int64_t>(layer.record_bytes);
    stage.layers.push_back(layer);
    stage.slot_bytes = std::max(stage.slot_bytes, pool_bytes(pool.layout, shape));
  }
  return stage;
}

std::unique_ptr<TierMemory> make_tier(const ModelSpec& model, const KvCacheOptions& options) {
  const double bytes = kv_tier_bytes(model, options);
  if (options.spec.tier != KvTier::kFile) return make_host_tier(bytes);
  const std::filesystem::path folder = options.tier.scratch.empty() ? default_scratch_folder() : options.tier.scratch;
  return make_file_tier(folder, bytes, options.tier.calls.value_or(FileCalls::of_system()));
}

}  // namespace dachlast
