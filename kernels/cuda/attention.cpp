#include "kernels/cuda/attention.h"

#include <algorithm>

#include "core/base/error.h"
#include "kernels/cuda/attention_device.h"

namespace dachlast::kernels::cuda {
namespace {

int rows_per_kv_head(const CudaAttentionCall& call) {
  return call.longest_q_len * (call.n_heads / call.pool.layout.n_kv_heads);
}

bool suits_many_rows(const CudaAttentionCall& call) {
  return call.pool.layout.format != KvFormat::kF32 &&
         rows_per_kv_head(call) > kStreamRows;  // more than it keeps in one block are better off on tensor cores
}
bool suits_any(const CudaAttentionCall&) {
  return true;
}
bool takes_any(const CudaAttentionCall&) {
  return true;
}

std::size_t no_workspace(const CudaAttentionCall&) {
  return 0;
}
std::size_t latent_workspace(const CudaAttentionCall& call) {
  return state_floats(call, latent_cut(call));
}
std::size_t stream_workspace(const CudaAttentionCall& call) {
  return state_floats(call, stream_cut(call));
}
std::size_t naive_workspace(const CudaAttentionCall& call) {
  return call.sequences.size() * static_cast<std::size_t>(call.n_heads) * static_cast<std::size_t>(call.longest_q_len) *
         static_cast<std::size_t>(call.longest_kv_len);
}

constexpr CudaAttentionVariant kVariants[] = {
    {{"tensor", attention_tensor, always_supported, DType::kBF16}, tensor_takes, suits_many_rows, no_workspace},
    {{"latent", attention_latent, always_supported, DType::kBF16}, latent_takes, suits_any, latent_workspace},
    {{"stream", attention_stream, always_supported, DType::kF32}, stream_takes, suits_any, stream_workspace},
    {{"naive", attention_naive, always_supported, DType::kF32}, takes_any, suits_any, naive_workspace},
};

bool chosen(const CudaAttentionVariant& variant, const CudaAttentionCall& call, std::string_view forced) {
  if (!variant.takes(call)) return false;
  return forced.empty() ? variant.suits(call) : variant.name == forced;
}

/// Positions that the queries of a sequence may see from first to last; sinks make them all.
int visible_len(const CudaAttentionCall& call) {
  if (call.mask.window == 0 || call.mask.n_sinks > 0) return call.longest_kv_len;
  return std::min(call.longest_kv_len, call.mask.window + call.longest_q_len - 1);
}

constexpr int kWantedBlocks = 2 * 132;  // of all splits together

/// A cache is cut only while its blocks are fewer than wanted, and each block keeps up to so many rows: however many
/// sequences and queries a step has, splits · rows · heads are at most wanted blocks · rows of a block.
std::size_t most_state_floats(const KvLayout& layout, const AttentionSizes& most, int rows_of_block) {
  if (padded_kv_len(most.kv_len) <= kCutStep) return 0;
  return static_cast<std::size_t>(kWantedBlocks * rows_of_block) * static_cast<std::size_t>(layout.value_dim + 2);
}

}  // namespace

std::size_t planned_workspace_floats(const KvLayout& layout, const AttentionSizes& most, std::string_view forced) {
  CudaAttentionCall any{};
  any.pool.layout = layout;
  const bool nothing_else = !stream_takes(any) && !latent_takes(any);
  if (forced == "tensor") return 0;
  if (forced == "naive" || nothing_else)
    return static_cast<std::size_t>(most.batch_size) * static_cast<std::size_t>(most.n_heads) *
           static_cast<std::size_t>(most.q_len) * static_cast<std::size_t>(padded_kv_len(most.kv_len));
  return most_state_floats(layout, most, layout.values == KvValues::kInKeys ? kLatentRows : kStreamRows);
}

std::span<const CudaAttentionVariant> attention_variants() {
  return kVariants;
}

const CudaAttentionVariant& attention_variant_for(const CudaAttentionCall& call, std::string_view forced) {
  for (const CudaAttentionVariant& variant : kVariants)
    if (chosen(variant, call, forced)) return variant;
  throw Error(ErrorKind::kDevice, "attention on the GPU",
              "the CUDA kernel \"" + std::string(forced) + "\" takes no cache of this layout.",
              "Use another kernel, or the CPU.");
}

int n_rows(const CudaAttentionCall& call) {
  return static_cast<int>(call.out.size()) / (call.n_heads * call.pool.layout.value_dim);
}

CacheCut cut_of(const CudaAttentionCall& call, int blocks_per_split) {
  const int len = visible_len(call);
  constexpr int kLeastStretch = kCutStep, kWholeTiles = 64;
  const int most = std::max(1, kWantedBlocks / std::max(1, blocks_per_split));
  const int wanted = std::clamp((len + kLeastStretch - 1) / kLeastStretch, 1, most);
  const int stretch = (len + wanted - 1) / wanted;
  const int whole = std::max(kWholeTiles, (stretch + kWholeTiles - 1) / kWholeTiles * kWholeTiles);
  return {std::max(1, (len + whole - 1) / whole), whole};
}

std::size_t state_floats(const CudaAttentionCall& call, const CacheCut& cut) {
  if (cut.n_splits == 1) return 0;
  return static_cast<std::size_t>(cut.n_splits) * static_cast<std::size_t>(n_rows(call)) *
         static_cast<std::size_t>(call.n_heads) * static_cast<std::size_t>(call.pool.layout.value_dim + 2);
}

}  // namespace dachlast::kernels::cuda
