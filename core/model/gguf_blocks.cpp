#include "core/model/gguf_blocks.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/model/config_object.h"
#include "core/model/gguf_rope.h"

namespace dachlast {
namespace {

// -------- windows

std::vector<bool> sliding_blocks(GgufConfig& config, const GgufWindows& windows, const GgufBlocks& blocks) {
  constexpr const char* kKey = "attention.sliding_window_pattern";
  std::vector<bool> sliding;
  if (const auto flags = config.layer_list(kKey, blocks.n_blocks)) {
    for (const std::int64_t flag : *flags) sliding.push_back(flag != 0);
    return sliding;
  }
  const int period = config.size_if_any(kKey, size_limit::kLayers).value_or(windows.period);
  for (int i = 0; i < blocks.n_blocks; ++i)
    sliding.push_back(i < blocks.n_layers() && (period == 0 || (i + 1) % period != 0));
  return sliding;
}

/// A window no shorter than the context is none.
std::vector<int> read_windows(GgufConfig& config, const GgufFamily& family, const GgufBlocks& blocks, int max_context) {
  std::vector<int> windows(static_cast<std::size_t>(blocks.n_blocks), 0);
  if (!family.windows) return windows;
  const int window = config.count_or("attention.sliding_window", family.windows->default_window, size_limit::kContext);
  const std::vector<bool> sliding = sliding_blocks(config, *family.windows, blocks);
  if (window >= max_context) return windows;
  for (std::size_t i = 0; i < windows.size(); ++i) windows[i] = sliding[i] ? window : 0;
  return windows;
}

// -------- heads

int first_attending(const std::vector<int>& counts) {
  const auto found = std::ranges::find_if(counts, [](int n) { return n > 0; });
  return found == counts.end() ? 0 : *found;
}

/// The converter states widths of the latent where heads share one: those are read with it.
GgufHeadSizes read_head_sizes(GgufConfig& config, int n_heads, const ModelSpec& spec) {
  const auto key = config.size_if_any("attention.key_length", size_limit::kHeadDim);
  const auto value = config.size_if_any("attention.value_length", size_limit::kHeadDim);
  if (n_heads == 0) return {};
  if ((!key || !value) && spec.d_model % n_heads != 0)
    config.fail("attention.head_count", fmt::format("is {}, which does not divide {}", n_heads, spec.d_model));
  const int share = std::max(spec.d_model / n_heads, 1);
  return {.key = key.value_or(share), .value = value.value_or(share)};
}

GgufHeadSizes read_sliding_head_sizes(GgufConfig& config, const GgufHeadSizes& full) {
  return {.key = config.size_if_any("attention.key_length_swa", size_limit::kHeadDim).value_or(full.key),
          .value = config.size_if_any("attention.value_length_swa", size_limit::kHeadDim).value_or(full.value)};
}

void read_heads(GgufConfig& config, const GgufFamily& family, const ModelSpec& spec, GgufBlocks& blocks) {
  const bool uniform = family.layout == GgufLayout::kUniform;
  const auto counts = [&](const char* key) {
    return uniform ? config.layer_sizes(key, blocks.n_blocks, size_limit::kHeads)
                   : config.layer_counts(key, blocks.n_blocks, size_limit::kHeads);
  };
  blocks.n_heads = counts("attention.head_count");
  blocks.n_kv_heads = config.has("attention.head_count_kv") ? counts("attention.head_count_kv") : blocks.n_heads;
  blocks.full = read_head_sizes(config, first_attending(blocks.n_heads), spec);
  blocks.sliding = read_sliding_head_sizes(config, blocks.full);
}

// -------- positions

bool rotates(GgufConfig& config, GgufPositions positions) {
  if (positions == GgufPositions::kRopeIfFinetuned) return config.flag_or("rope.scaling.finetuned", true);
  return positions == GgufPositions::kRope;
}

/// Under multi-head latent attention only a part of each key is rotated; that part has its own length.
int rotated_width(GgufConfig& config, const GgufBlocks& blocks) {
  if (!config.has("attention.kv_lora_rank")) return blocks.full.key;
  return config.size("rope.dimension_count", size_limit::kHeadDim);
}

void read_ropes(GgufConfig& config, const GgufFamily& family, ModelSpec& spec, GgufBlocks& blocks) {
  if (!rotates(config, family.positions) || blocks.full.key == 0) {
    config.ignore({"rope.dimension_count", "rope.freq_base", "rope.scaling.finetuned"});
    return;
  }
  blocks.rope = read_gguf_rope(config, spec, rotated_width(config, blocks));
  blocks.sliding_rope = read_gguf_sliding_rope(config, *blocks.rope, blocks.sliding.key, family.sliding_theta);
}

void check_heads(const GgufConfig& config, const AttentionSpec& a) {
  if (a.n_heads % a.n_kv_heads != 0)
    config.fail("attention.head_count_kv", fmt::format("is {}, which does not divide {}", a.n_kv_heads, a.n_heads));
  const int widest = std::max(a.head_dim, a.value_dim());
  if (a.n_heads + 2 * a.n_kv_heads > size_limit::kRows / widest)
    config.fail("attention.head_count", fmt::format("of {} × {} is beyond every known model", a.n_heads, widest));
}

}  // namespace

GgufBlocks read_gguf_blocks(GgufConfig& config, const GgufFamily& family, ModelSpec& spec) {
  GgufBlocks blocks;
  blocks.n_blocks = config.size("block_count", size_limit::kLayers);
  blocks.n_mtp = config.count_or("nextn_predict_layers", 0, size_limit::kLayers);
  if (blocks.n_mtp >= blocks.n_blocks)
    config.fail("nextn_predict_layers", fmt::format("is {} of {} blocks", blocks.n_mtp, blocks.n_blocks),
                "Give the file of the whole model.");
  read_heads(config, family, spec, blocks);
  read_ropes(config, family, spec, blocks);
  blocks.windows = read_windows(config, family, blocks, spec.max_context);
  return blocks;
}

AttentionSpec gguf_attention(const GgufConfig& config, const GgufBlocks& blocks, std::size_t block) {
  const GgufHeadSizes& head = blocks.head(block);
  AttentionSpec attention{.n_heads = blocks.n_heads[block],
                          .n_kv_heads = blocks.n_kv_heads[block],
                          .head_dim = head.key,
                          .window = blocks.windows[block],
                          .scale = 1.0 / std::sqrt(head.key),
                          .rope = blocks.rope_of(block)};
  if (attention.n_heads == 0 || attention.n_kv_heads == 0)
    config.fail("attention.head_count_kv",
                fmt::format("is 0 for block {}, whose tensors are those of attention", block));
  if (head.value != head.key) attention.v_head_dim = head.value;
  check_heads(config, attention);
  return attention;
}

}  // namespace dachlast
