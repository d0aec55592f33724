#pragma once

#include <cstdint>
#include <vector>

#include "core/memory/ggml_scheduler.h"
#include "core/model/gguf_shape.h"
#include "core/model/quantization.h"

namespace dachlast {

/// The programs whose memory layout is known, by the rules they follow.
enum class LlamaCppProgram {
  kScratch,    // llama.cpp before January 2024: one buffer for all intermediate results
  kScheduler,  // llama.cpp since: one compute buffer per device
  kIk          // ik_llama.cpp
};

enum class LlamaCppAttention { kPlain, kFlash };

/// Where the matrices of routed experts lie.
enum class ExpertPlace { kWithLayer, kHost };

/// What layers with a sliding window keep: every token, or what the window reaches (llama.cpp since June 2025).
enum class WindowCache { kFull, kCapped };

/// Values of latent attention: tensors of their own, or a view of the keys (llama.cpp since January 2026, PR 19067;
/// ik_llama.cpp follows its mode instead).
enum class LatentValues { kStored, kViewOfKeys };

/// Several GPUs working on batches in turn keep four of each input (GGML_SCHED_MAX_COPIES). Where matrices are placed by
/// hand llama.cpp gives that up; of ik_llama.cpp people then build it with one copy, as four of the experts fit nowhere.
enum class PipelineCopies { kFour, kOne };

/// What llama.cpp is asked to hold, in its own terms.
struct LlamaCppRun {
  LlamaCppProgram program = LlamaCppProgram::kScheduler;
  std::int64_t n_ctx = 4096;  // tokens of all sequences together
  int n_batch = 2048;
  int n_ubatch = 512;
  int n_sequences = 1;
  LlamaCppAttention attention = LlamaCppAttention::kPlain;
  const GgmlType* type_k = ggml_type("F16");
  const GgmlType* type_v = ggml_type("F16");
  int n_gpus = 0;
  int gpu_layers = 0;         // of n_layers + 1; the last one is the output
  std::vector<double> split;  // share of each GPU; empty: equal
  PipelineCopies copies = PipelineCopies::kFour;
  ExpertPlace experts = ExpertPlace::kWithLayer;
  ExpertOffload expert_offload = ExpertOffload::kBatch;
  WindowCache window_cache = WindowCache::kFull;
  LatentMatrices latent = LatentMatrices::kJoint;
  LatentValues latent_values = LatentValues::kStored;
  // ik_llama.cpp only
  int mla_mode = 0;             // 0: full heads; 1: latent and its transposed copy; 2, 3: latent
  int attention_batch_mib = 0;  // -amb; 0: no limit
  bool fused_experts = false;   // -fmoe
};

/// Sizes after the program's own rounding.
struct LlamaCppSizes {
  std::int64_t n_ctx;     // rounded up, per sequence times sequences
  std::int64_t n_tokens;  // of the largest step
};

/// n_ctx rounded up to 256 tokens (32 without flash attention, where the program does so), the step cut to the context.
/// Source   ggml-org/llama.cpp:src/llama-context.cpp, ikawrakow/ik_llama.cpp:src/llama.cpp
///          (llama_kv_cache_get_padding).
LlamaCppSizes llamacpp_sizes(const LlamaCppRun& run);

/// Device of every layer, and of the output behind the last: GPU 0 … n_gpus - 1, or n_gpus for the host.
/// Layer i of the offloaded ones goes to the first GPU whose cumulated share exceeds i / min(gpu_layers, n_layers + 1).
/// Source   ikawrakow/ik_llama.cpp:src/llama.cpp (llm_load_tensors).
std::vector<int> llamacpp_layer_devices(int n_layers, const LlamaCppRun& run);

}  // namespace dachlast
