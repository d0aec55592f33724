#pragma once

#include <string>
#include <vector>

#include "core/base/units.h"
#include "core/hardware/device_roofs.h"
#include "core/model/kv_spec.h"
#include "core/model/model_spec.h"
#include "core/model/op_list.h"

namespace dachlast {

/// What the engine is asked to hold at once.
struct MemoryScenario {
  Precision precision;
  int batch_size = 1;
  int capacity_tokens = 1;  // KV cache room per sequence
  int max_step_tokens = 1;  // tokens per sequence of the largest step; a longer prompt is cut
  LogitsFor logits = LogitsFor::kLastToken;
  int n_threads = 1;
  std::string attention_variant;  // empty: fastest
  KvSpec kv = {};                 // kind of cache; its format is precision.kv
  int kv_blocks = 0;              // of a paged cache; 0: enough for every sequence
};

/// One line of a memory breakdown.
struct MemorySegment {
  std::string name;  // "weights", "KV cache", "activations", "workspace"
  Bytes bytes;
  Origin origin = Origin::kExact;
  std::string formula;  // with numbers filled in
};

/// KV cache bytes one token of one sequence takes: Σ over layers of what `layer_cache` states · bytes per element.
Bytes kv_bytes_per_token(const ModelSpec& model, DType kv);

/// The same sum as text, layers of equal shape together: "2 × 32 layers × 8 KV heads × 128 × 2 B = 128 KiB per token".
std::string kv_formula(const ModelSpec& model, DType kv);

/// Parameters of the model as the engine keeps them on this computer: matrices in `weights`, scales and the rows that fill
/// up the last panel included, vectors in f32.
MemorySegment weight_segment(const ModelSpec& model, WeightType weights);

/// The pool of blocks of a cache of this kind, see `kv_pool_shape`: contiguous, every sequence owns room for
/// `capacity_tokens` in every layer, sliding-window layers too. With scales along channels also the bf16 keys of each
/// sequence's last block.
MemorySegment kv_cache_segment(const ModelSpec& model, const MemoryScenario& scenario);

/// Activation buffers of the largest step. The engine gives each `Buffer` its own memory and reuses it in every layer,
/// so the peak is the sum over buffers of the largest output an operation writes into it.
MemorySegment activation_segment(const ModelSpec& model, const MemoryScenario& scenario);

/// Logits, chosen ids, packed activations, attention scratch per thread and RoPE tables of the largest step. Estimated: libraries behind
/// the kernels may keep buffers of their own.
MemorySegment workspace_segment(const ModelSpec& model, const MemoryScenario& scenario);

/// All segments, in that order; of a staged cache those of `staged_cache_segments`. Left out: code, stacks and allocator loss, a few tens of MiB.
/// Errors   throws `Error` (kUsage) where a size of the scenario is not positive or exceeds the model's context.
std::vector<MemorySegment> memory_segments(const ModelSpec& model, const MemoryScenario& scenario);

Bytes total_bytes(const std::vector<MemorySegment>& segments);

}  // namespace dachlast
