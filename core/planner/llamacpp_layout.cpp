#include "core/planner/llamacpp_layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace dachlast {
namespace {

const GgmlType* cache_type(const CacheFormat& cache) {
  if (const GgmlType* type = ggml_type(cache.name)) return type;
  throw Error(ErrorKind::kUsage, fmt::format("KV cache in {}", cache.title), "is none of llama.cpp's types.",
              "Use f32, f16, bf16, q8_0 or q4_0.");
}

/// Beyond, its integers would overflow. 16 TiB of cache for Llama 3.1 8B: no device is near.
constexpr int kMostTokens = 1 << 27;
constexpr int kLeastCells = 256;  // of a sequence

/// A file that holds the up-projections of latents split by heads lets the latents themselves be cached; one that holds
/// their product, as all did before April 2025, keys and values of all heads.
/// Source   ggml-org/llama.cpp:src/models/deepseek2.cpp (is_mla), commit 0c1e57098
LatentMatrices latents_in(const GgufWeights& weights) {
  const bool joint = std::ranges::any_of(
      weights.tensors, [](const GgufTypedTensor& tensor) { return tensor.shape.name == "attn_kv_b"; });
  return joint ? LatentMatrices::kJoint : LatentMatrices::kSplit;
}

/// As many of `batch_size` sequences as the layout can count.
int countable_sequences(int context_tokens, int batch_size) {
  return std::clamp(kMostTokens / std::max(context_tokens, kLeastCells), 1, batch_size);
}

}  // namespace

LlamaCppLayout::LlamaCppLayout(const ModelSpec& model, GgufWeights weights, const CacheFormat& cache, int n_devices,
                               int step_tokens)
    : shape_(gguf_shape(model)), weights_(std::move(weights)) {
  run_.program = LlamaCppProgram::kScheduler;
  run_.n_ubatch = step_tokens;
  run_.n_batch = std::max(run_.n_batch, step_tokens);
  run_.attention = LlamaCppAttention::kFlash;
  run_.latent = latents_in(weights_);
  run_.type_k = cache_type(cache);
  run_.type_v = run_.type_k;
  run_.n_gpus = n_devices;
  run_.gpu_layers = model.n_layers() + 1;
  run_.window_cache = WindowCache::kCapped;
  run_.latent = LatentMatrices::kSplit;
  run_.latent_values = LatentValues::kViewOfKeys;
}

DeviceMemory LlamaCppLayout::at(int context_tokens, int batch_size) const {
  LlamaCppRun run = run_;
  run.n_sequences = countable_sequences(context_tokens, batch_size);
  run.n_ctx = static_cast<std::int64_t>(context_tokens) * run.n_sequences;
  const double grown = static_cast<double>(batch_size) / run.n_sequences;
  const LlamaCppMemory memory = llamacpp_memory(shape_, weights_, run);
  DeviceMemory fullest;
  for (std::size_t device = 0; device < static_cast<std::size_t>(run.n_gpus); ++device) {
    const DeviceMemory candidate{.weights = static_cast<double>(memory.weight_bytes[device]),
                                 .kv_cache = grown * static_cast<double>(memory.kv.device_bytes[device]),
                                 .activations = grown * static_cast<double>(memory.compute_bytes[device])};
    if (candidate.total() > fullest.total()) fullest = candidate;
  }
  return fullest;
}

}  // namespace dachlast
