#include "core/memory/memory_model.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/base/error.h"
#include "core/memory/amount_text.h"
#include "core/memory/staged_cache.h"
#include "core/model/latent_room.h"
#include "core/model/layer_cache.h"
#include "core/model/weight_slots.h"
#include "core/model/weights.h"
#include "kernels/attention.h"
#include "kernels/cost.h"
#include "kernels/kv_view.h"
#include "kernels/packed_linear.h"

namespace dachlast {
namespace {

constexpr double kFloatBytes = 4;    // activations are float whatever the weights are
constexpr double kIdBytes = 4;       // token ids are int32
constexpr double kElementBytes = 4;  // of every activation buffer, floats and ids

using BufferBytes = std::array<double, kBufferCount>;

double& of(BufferBytes& bytes, Buffer buffer) {
  return bytes[static_cast<std::size_t>(buffer)];
}

Step largest_step(const MemoryScenario& scenario) {
  return {.phase = Phase::kPrefill,
          .batch_size = scenario.batch_size,
          .q_len = std::min(longest_step(scenario.kv, scenario.max_step_tokens), scenario.capacity_tokens),
          .kv_len = scenario.capacity_tokens,
          .logits = scenario.logits,
          .latent = LatentForm::kAbsorbed};
}

/// Operations of the largest step, and where attention is to latents also those of the largest one that is absorbed.
std::vector<std::vector<Op>> largest_lists(const ModelSpec& model, const MemoryScenario& scenario) {
  Step step = largest_step(scenario);
  std::vector<std::vector<Op>> lists;
  if (may_rebuild_latents(model) && scenario.kv.recompute_keep == 0) {
    step.latent = LatentForm::kRebuilt;
    lists.push_back(build_op_list(model, step, scenario.precision));
    step.latent = LatentForm::kAbsorbed;
    step.q_len = std::min(step.q_len, most_absorbed_tokens(model));
  }
  lists.push_back(build_op_list(model, step, scenario.precision));
  return lists;
}

void take_outputs(const std::vector<Op>& ops, int batch_size, BufferBytes& bytes) {
  double beside = 0.0;  // parts that lie before this one in its buffer
  for (const Op& op : ops) {
    double& room = of(bytes, op.out);
    // Keys and values are raised from the latents of one sequence after the other, which lie where those of the step did.
    const bool by_sequence = op.weight == WeightRole::kKvUp && std::holds_alternative<LinearShape>(op.shape);
    const double elements = kernels::output_elements(op.shape) / (by_sequence ? batch_size : 1) + beside;
    room = std::max(room, kElementBytes * elements);
    beside = adds_a_part(op.kind) ? elements : 0.0;
    const auto* wide = std::get_if<WideAttentionShape>(&op.shape);
    if (wide == nullptr || kernels::rebuilt_elements(*wide) == 0.0) continue;
    double& latents = of(bytes, Buffer::kLatent);
    latents = std::max(latents, kElementBytes * wide->kv_len * wide->row_elements);
  }
}

BufferBytes buffer_bytes(const ModelSpec& model, const MemoryScenario& scenario) {
  const Step step = largest_step(scenario);
  BufferBytes bytes{};
  of(bytes, Buffer::kTokenIds) = kIdBytes * step.batch_size * step.q_len;
  for (const std::vector<Op>& ops : largest_lists(model, scenario)) take_outputs(ops, step.batch_size, bytes);
  return bytes;
}

/// Layers whose caches are equally wide, in order of first appearance.
struct KvGroup {
  int n_layers = 0;
  std::string width;  // elements per token, as a product: "2 × {} layers × 8 KV heads × 128"
};

/// What one of the layers keeps per token; `{}` stands for how many there are. Empty where it keeps nothing.
std::string width_text(const LayerSpec& layer) {
  const LayerCache cache = layer_cache(layer);
  if (cache.elements_per_token() == 0.0) return {};
  if (const auto* mla = std::get_if<MlaSpec>(&layer.mixer))
    return fmt::format("{{}} layers × (latent {} + RoPE key {}{})", mla->kv_lora_rank, mla->qk_rope_head_dim,
                       mla->indexer ? fmt::format(" + index key {}", mla->indexer->head_dim) : "");
  const AttentionSpec& a = attention_of(layer);
  if (a.value_dim() == a.head_dim) return fmt::format("2 × {{}} layers × {} KV heads × {}", a.n_kv_heads, a.head_dim);
  return fmt::format("{{}} layers × {} KV heads × ({} + {})", a.n_kv_heads, a.head_dim, a.value_dim());
}

std::vector<KvGroup> kv_groups(const ModelSpec& model) {
  std::vector<KvGroup> groups;
  for (const LayerSpec& layer : model.layers) {
    const std::string width = width_text(layer);
    if (width.empty()) continue;
    const auto same = std::ranges::find(groups, width, &KvGroup::width);
    if (same == groups.end())
      groups.push_back({1, width});
    else
      ++same->n_layers;
  }
  return groups;
}

/// cos and sin of every position, once per kind of RoPE in the model.
double rope_table_bytes(const ModelSpec& model, double n_tokens) {
  std::vector<std::pair<double, int>> kinds;
  for (const LayerSpec& layer : model.layers) {
    const RopeSpec* rope = rope_of(layer);
    if (rope == nullptr) continue;
    const std::pair kind{rope->theta, rope->rotary_dim};
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  }
  double bytes = 0.0;
  for (const auto& [theta, rotary_dim] : kinds) bytes += kFloatBytes * n_tokens * rotary_dim;
  return bytes;
}

struct AttentionMemory {
  double scratch = 0.0;  // bytes of all threads together
  double states = 0.0;   // bytes of partial results
  double rebuilt = 0.0;  // bytes of K and V rebuilt from latents
};

void take_attention(const std::vector<Op>& ops, const MemoryScenario& scenario, AttentionMemory& most) {
  for (const Op& op : ops) {
    if (op.kind != OpKind::kAttention) continue;
    const auto* wide = std::get_if<WideAttentionShape>(&op.shape);
    const kernels::AttentionSizes sizes =
        wide != nullptr ? kernels::sizes_of(*wide) : kernels::sizes_of(std::get<AttentionShape>(op.shape));
    const KvFormat cache = scenario.precision.kv.format;
    const double rebuilt = wide != nullptr ? kernels::rebuilt_elements(*wide) : 0.0;
    const KvFormat format = rebuilt > 0.0 && cache != KvFormat::kF32 ? KvFormat::kBF16 : cache;
    most.rebuilt = std::max(most.rebuilt, rebuilt * kernels::rebuilt_element_bytes(cache));
    const auto floats = static_cast<double>(kernels::planned_scratch_floats(format, sizes, scenario.attention_variant));
    most.scratch = std::max(most.scratch, kFloatBytes * floats * scenario.n_threads);
    most.states = std::max(most.states, kFloatBytes * static_cast<double>(kernels::attention_state_floats(sizes)));
  }
}

AttentionMemory attention_memory(const ModelSpec& model, const MemoryScenario& scenario) {
  AttentionMemory most;
  for (const std::vector<Op>& ops : largest_lists(model, scenario)) take_attention(ops, scenario, most);
  return most;
}

/// What a pool of blocks of every layer takes.
struct PoolBytes {
  double per_block = 0.0;
  double tail_per_sequence = 0.0;
};

PoolBytes pool_bytes(const ModelSpec& model, const KvStorage& storage, int block_size) {
  PoolBytes bytes;
  for (const LayerSpec& layer : model.layers) {
    const LayerCache cache = layer_cache(layer);
    if (cache.n_kv_heads == 0) continue;
    const kernels::KvLayout layout = pool_layout(cache, storage, block_size);
    bytes.per_block += static_cast<double>(block_bytes(layout));
    bytes.tail_per_sequence += static_cast<double>(tail_elements(layout) * sizeof(BF16));
  }
  return bytes;
}

/// The plain type whose elements are as wide; formats with scales state their bytes instead.
DType plain_element(KvFormat format) {
  return format == KvFormat::kF32 ? DType::kF32 : DType::kBF16;
}

/// Parameters by how they are kept. What is kept as f32 along with f32 matrices counts as matrices.
struct WeightCount {
  double matrix_elements = 0;
  double matrix_bytes = 0;
  double vector_elements = 0;
  double latent_elements = 0;  // up projections of latents beside quantized matrices
  double filling_bytes = 0;    // of plain matrices in panels, beyond their elements
};

WeightCount weight_count(const ModelSpec& model, const WeightStorage& storage) {
  WeightCount count;
  for (const WeightSlot& slot : fused_weight_slots(model)) {
    const auto elements = static_cast<double>(slot.size());
    if (storage_of(slot, storage).type != storage.type) {
      (slot.role == WeightRole::kKvUp ? count.latent_elements : count.vector_elements) += elements;
      continue;
    }
    count.matrix_elements += elements;
    count.matrix_bytes += bytes_of(slot, storage);
  }
  if (storage.type.plain()) count.filling_bytes = count.matrix_bytes - count.matrix_elements * storage.type.bits() / 8;
  return count;
}

/// Activations as the largest projection reads them, where its weights lie in panels.
double packed_rows_bytes(const ModelSpec& model, const MemoryScenario& scenario) {
  double bytes = 0.0;
  if (kernels::weight_storage(scenario.precision.weights).layout == WeightLayout::kRows) return bytes;
  for (const Op& op : build_op_list(model, largest_step(scenario), scenario.precision))
    if (const auto* shape = std::get_if<LinearShape>(&op.shape))
      bytes = std::max(bytes, static_cast<double>(kernels::RowTiles(*shape).bytes()));
  return bytes;
}

void require_positive(std::string_view name, int value) {
  if (value > 0) return;
  throw Error(ErrorKind::kUsage, std::string(name), fmt::format("{} is not a positive number.", value),
              "Give 1 or more.");
}

}  // namespace

Bytes kv_bytes_per_token(const ModelSpec& model, DType kv) {
  double elements = 0.0;
  for (const LayerSpec& layer : model.layers) elements += layer_cache(layer).elements_per_token();
  return Bytes{elements * size_of(kv)};
}

std::string kv_formula(const ModelSpec& model, DType kv) {
  std::string text;
  for (const KvGroup& group : kv_groups(model)) {
    if (!text.empty()) text += " + ";
    text += fmt::format("{} × {} B", fmt::format(fmt::runtime(group.width), group.n_layers), size_of(kv));
  }
  if (text.empty()) return "no layer keeps anything that grows with the context";
  return fmt::format("{} = {} per token", text, binary_amount(kv_bytes_per_token(model, kv)));
}

MemorySegment weight_segment(const ModelSpec& model, WeightType weights) {
  const WeightStorage storage = kernels::weight_storage(weights);
  const WeightCount count = weight_count(model, storage);
  std::string formula;
  if (weights.quantized())
    formula = fmt::format("{} weights × {:.4g} bits with scales", grouped(count.matrix_elements),
                          8.0 * count.matrix_bytes / count.matrix_elements);
  else
    formula = fmt::format("{} parameters × {} B", grouped(count.matrix_elements), weights.bits() / 8);
  if (count.latent_elements > 0.0)
    formula += fmt::format(" + {} in up projections of latents × 2 B", grouped(count.latent_elements));
  if (count.vector_elements > 0.0)
    formula += fmt::format(" + {} in norms and biases × 4 B", grouped(count.vector_elements));
  if (!weights.quantized() && count.filling_bytes > 0.0)
    formula += fmt::format(" + {} that fill up panels of 32 rows", binary_amount(Bytes{count.filling_bytes}));
  return {"weights", Bytes{weight_bytes(model, storage)}, Origin::kExact, std::move(formula)};
}

MemorySegment kv_cache_segment(const ModelSpec& model, const MemoryScenario& scenario) {
  const KvPoolShape shape = kv_pool_shape(scenario.kv, {.max_sequences = scenario.batch_size,
                                                        .capacity_tokens = scenario.capacity_tokens,
                                                        .max_step_tokens = largest_step(scenario).q_len,
                                                        .n_blocks = scenario.kv_blocks});
  const PoolBytes pool = pool_bytes(model, storage_of(scenario.kv, scenario.precision.kv.format), shape.block_size);
  const double tails = pool.tail_per_sequence * scenario.batch_size;
  std::string formula = fmt::format("{} × {} tokens; {}", grouped(shape.n_blocks), grouped(shape.block_size),
                                    kv_formula(model, plain_element(scenario.precision.kv.format)));
  if (has_scales(scenario.precision.kv.format))
    formula = fmt::format("{} × {} tokens; {} per token in {}, scales included", grouped(shape.n_blocks),
                          grouped(shape.block_size), binary_amount(Bytes{pool.per_block / shape.block_size}),
                          display_name_of(scenario.precision.kv.format));
  if (tails > 0.0) formula += fmt::format("; keys of last blocks in BF16 {}", binary_amount(Bytes{tails}));
  return {"KV cache", Bytes{pool.per_block * shape.n_blocks + tails}, Origin::kExact, std::move(formula)};
}

MemorySegment activation_segment(const ModelSpec& model, const MemoryScenario& scenario) {
  const BufferBytes bytes = buffer_bytes(model, scenario);
  double sum = 0.0;
  for (int i = 0; i < static_cast<int>(Buffer::kLogits); ++i) sum += bytes[static_cast<std::size_t>(i)];
  const Step step = largest_step(scenario);
  const double n_tokens = 1.0 * step.batch_size * step.q_len;
  return {"activations", Bytes{sum}, Origin::kExact,
          fmt::format("{} tokens × {} in the buffers of one layer, reused by every layer", grouped(n_tokens),
                      binary_amount(Bytes{sum / n_tokens}))};
}

MemorySegment workspace_segment(const ModelSpec& model, const MemoryScenario& scenario) {
  BufferBytes bytes = buffer_bytes(model, scenario);
  const double logits = of(bytes, Buffer::kLogits) + of(bytes, Buffer::kNextIds);
  const AttentionMemory attention = attention_memory(model, scenario);
  const double rope = rope_table_bytes(model, scenario.capacity_tokens);
  const double packed = packed_rows_bytes(model, scenario);
  std::string formula = fmt::format("logits {}", binary_amount(Bytes{logits}));
  if (packed > 0.0) formula += fmt::format(" + packed activations {}", binary_amount(Bytes{packed}));
  formula +=
      fmt::format(" + attention scratch of {} threads {}", scenario.n_threads, binary_amount(Bytes{attention.scratch}));
  if (attention.states > 0.0)
    formula += fmt::format(" + its partial results {}", binary_amount(Bytes{attention.states}));
  if (attention.rebuilt > 0.0)
    formula += fmt::format(" + keys and values rebuilt from latents {}", binary_amount(Bytes{attention.rebuilt}));
  formula += fmt::format(" + RoPE tables {}", binary_amount(Bytes{rope}));
  return {"workspace", Bytes{logits + packed + attention.scratch + attention.states + attention.rebuilt + rope},
          Origin::kEstimated, std::move(formula)};
}

std::vector<MemorySegment> memory_segments(const ModelSpec& model, const MemoryScenario& scenario) {
  require_positive("batch size", scenario.batch_size);
  require_positive("capacity in tokens", scenario.capacity_tokens);
  require_positive("tokens per step", scenario.max_step_tokens);
  require_positive("threads", scenario.n_threads);
  std::vector<MemorySegment> segments{weight_segment(model, scenario.precision.weights)};
  if (scenario.kv.staged())
    std::ranges::move(staged_cache_segments(model, scenario), std::back_inserter(segments));
  else
    segments.push_back(kv_cache_segment(model, scenario));
  segments.push_back(activation_segment(model, scenario));
  segments.push_back(workspace_segment(model, scenario));
  return segments;
}

Bytes total_bytes(const std::vector<MemorySegment>& segments) {
  Bytes sum;
  for (const MemorySegment& segment : segments) sum += segment.bytes;
  return sum;
}

}  // namespace dachlast
