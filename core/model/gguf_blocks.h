#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/model/gguf_families.h"
#include "core/model/model_spec.h"

namespace dachlast {

/// Widths of one head.
struct GgufHeadSizes {
  int key = 0;
  int value = 0;
};

/// What the metadata says of each block. llama.cpp counts the layers of the text model and, behind them, those that
/// predict tokens beyond the next one as blocks of one list.
struct GgufBlocks {
  int n_blocks = 0;
  int n_mtp = 0;                // of them, the last ones
  std::vector<int> n_heads;     // 0: the block does not attend
  std::vector<int> n_kv_heads;  // likewise
  std::vector<int> windows;     // 0: all earlier tokens
  GgufHeadSizes full;
  GgufHeadSizes sliding;
  std::optional<RopeSpec> rope;  // empty where nothing is rotated
  std::optional<RopeSpec> sliding_rope;

  int n_layers() const { return n_blocks - n_mtp; }
  bool slides(std::size_t block) const { return windows[block] > 0; }
  const GgufHeadSizes& head(std::size_t block) const { return slides(block) ? sliding : full; }
  const std::optional<RopeSpec>& rope_of(std::size_t block) const { return slides(block) ? sliding_rope : rope; }
};

/// `spec` knows its width and context already; YaRN may raise the latter.
GgufBlocks read_gguf_blocks(GgufConfig& config, const GgufFamily& family, ModelSpec& spec);

/// Attention of one block as keys describe it; what its tensors say is left at its default.
/// Errors   throws `Error` naming the key where KV heads do not divide the heads, or widths are absurd.
AttentionSpec gguf_attention(const GgufConfig& config, const GgufBlocks& blocks, std::size_t block);

}  // namespace dachlast
