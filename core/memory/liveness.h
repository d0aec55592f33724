#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/op_list.h"

namespace dachlast {

/// When the memory of what an operation wrote is free again.
enum class BufferRelease : std::uint8_t {
  kAtLastRead,  // behind the last operation that reads it
  kAtReturn,    // when the function returns that names it, see `live_peak`
  kNever        // every `Buffer` has memory of its own, which all layers share
};

/// Where a norm behind a residual sum, and that sum, are written.
enum class ResidualNorm : std::uint8_t {
  kInPlace,  // one kernel: the sum onto the residual, its norm onto the branch (RMSNorm alone)
  kNew       // tensors of their own
};

/// How the tensors inside the experts share memory.
enum class ExpertRooms : std::uint8_t {
  kSeparate,  // not at all
  kPooled,    // what up and down projections write shares one room; both rooms live until the weighted sum
  kKept       // the same, the room of the activation as large as the output at least, both kept from the first use on
};

/// Where the weighted sum of experts and the sum over ranks are written.
enum class SumPlace : std::uint8_t { kInPlace, kNew };

/// When a shared expert runs.
enum class SharedExpert : std::uint8_t { kFirst, kLast };

/// Whether prefill of latent attention joins the rotated key to those of all heads in a tensor of its own.
enum class LatentKeys : std::uint8_t { kInPlace, kJoined };

/// Which of the tensors of a step an engine keeps, reuses, or writes in place.
struct BufferRules {
  double element_bytes = 2;
  BufferRelease release = BufferRelease::kAtReturn;
  ResidualNorm residual_norm = ResidualNorm::kInPlace;
  ExpertRooms experts = ExpertRooms::kPooled;
  SumPlace expert_sum = SumPlace::kNew;
  SumPlace all_reduce = SumPlace::kNew;
  SharedExpert shared_expert = SharedExpert::kFirst;
  LatentKeys latent_keys = LatentKeys::kJoined;
  int expert_chunk_tokens = 0;               // experts take a step in pieces of so many; 0: whole
  std::vector<std::string> renames_up = {};  // architectures whose MLP gives up gate and up before its down projection
};

/// A tensor of a step on one rank, from its first write to its last read.
struct LiveTensor {
  std::string_view name;  // "mlp_up"
  int layer = -1;         // that wrote it
  double elements = 0.0;  // per token
  double n_tokens = 0.0;
  double bytes = 0.0;
  int first = 0;  // operations, the last one included
  int last = 0;
};

/// The operation of a step at which most bytes live.
struct LivePeak {
  OpKind op = OpKind::kEmbed;
  int layer = -1;
  double n_tokens = 0.0;
  double element_bytes = 0.0;
  double bytes = 0.0;
  double kept_bytes = 0.0;          // that the step leaves behind: rooms of experts, see `ExpertRooms`
  std::vector<LiveTensor> tensors;  // what lives there, the largest first
};

/// Walks the op list of a prefill step of `n_tokens` up to the final norm and returns the peak of Σ live bytes: an output lives from
/// the operation that writes it to the last one that reads it, or as long as `rules` say. `model` is what one rank holds;
/// `n_ranks` of them sum the outputs of mixers and feed-forwards. Logits, the cache and what kernels keep inside are left out.
///
/// Under `kAtReturn` a tensor lives as long as a function of the model names it: what a mixer or feed-forward computes until
/// that returns, its input likewise, because the layer calls it by that name, and the input of a layer until the
/// layer returns, because the loop over layers does.
/// Source   CPython frees at the last reference; vllm-project/vllm PR 10339 ("multiple names will cause both to be refcounted"),
///          vllm-project/vllm:vllm/model_executor/models/llama.py, qwen2.py
LivePeak live_peak(const ModelSpec& model, const BufferRules& rules, double n_tokens, int n_ranks);

/// "8,192 tokens × 2 B × (mlp_up 28,672 + mlp_hidden 14,336 + 2 × normed 4,096 + residual 4,096) at mlp_act of layer 1".
std::string formula_of(const LivePeak& peak);

}  // namespace dachlast
