#include "kernels/cuda/attention.h"

#include <algorithm>

#include "core/base/error.h"
#include "kernels/cuda/attention_device.h"

namespace dachlast::kernels::cuda {
namespace {

constexpr int kFewRows = 8;  // that "stream" keeps in one block; more are better off on tensor cores

bool has_supported_scales(const CudaAttentionCall& call) {
  return !has_channel_scales(call.pool.layout);
}

int rows_per_kv_head(const CudaAttentionCall& call) {
  return call.longest_q_len * (call.n_heads / call.pool.layout.n_kv_heads);
}

bool suits_many_rows(const CudaAttentionCall& call) {
  return call.pool.layout.format != KvFormat::kF32 && rows_per_kv_head(call) > kFewRows;
}
bool suits_any(const CudaAttentionCall&) {
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
    {{"naive", attention_naive, always_supported, DType::kF32}, has_supported_scales, suits_any, naive_workspace},
};

bool chosen(const CudaAttentionVariant& variant, const CudaAttentionCall& call, std::string_view forced) {
  if (!has_supported_scales(call) || !variant.takes(call)) return false;
  return forced.empty() ? variant.suits(call) : variant.name == forced;
}

}  // namespace

std::span<const CudaAttentionVariant> attention_variants() {
  return kVariants;
}

const CudaAttentionVariant& attention_variant_for(const CudaAttentionCall& call, std::string_view forced) {
  for (const CudaAttentionVariant& variant : kVariants)
    if (chosen(variant, call, forced)) return variant;
  throw Error(ErrorKind::kDevice, "attention on the GPU",
              forced.empty() ? "no CUDA kernel reads keys with scales per channel."
                             : "the CUDA kernel \"" + std::string(forced) + "\" takes no cache of this layout.",
              "Use scales per token, another kernel, or the CPU.");
}

int n_rows(const CudaAttentionCall& call) {
  return static_cast<int>(call.out.size()) / (call.n_heads * call.pool.layout.value_dim);
}

CacheCut cut_of(const CudaAttentionCall& call, int blocks_per_split) {
  constexpr int kLeastStretch = 512, kWantedBlocks = 2 * 132, kWholeTiles = 64;
  const int most = std::max(1, kWantedBlocks / std::max(1, blocks_per_split));
  const int wanted = std::clamp((call.longest_kv_len + kLeastStretch - 1) / kLeastStretch, 1, most);
  const int stretch = (call.longest_kv_len + wanted - 1) / wanted;
  const int whole = std::max(kWholeTiles, (stretch + kWholeTiles - 1) / kWholeTiles * kWholeTiles);
  return {std::max(1, (call.longest_kv_len + whole - 1) / whole), whole};
}

std::size_t state_floats(const CudaAttentionCall& call, const CacheCut& cut) {
  if (cut.n_splits == 1) return 0;
  return static_cast<std::size_t>(cut.n_splits) * static_cast<std::size_t>(n_rows(call)) *
         static_cast<std::size_t>(call.n_heads) * static_cast<std::size_t>(call.pool.layout.value_dim + 2);
}

}  // namespace dachlast::kernels::cuda
