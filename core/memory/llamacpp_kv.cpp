#include "core/memory/llamacpp_kv.h"

#include <algorithm>
#include <variant>

#include "core/memory/ggml_scheduler.h"

namespace dachlast {
namespace {

constexpr std::int64_t kRecurrentBytes = 4;  // states are kept as F32

std::int64_t bytes_in(int device, const LlamaCppRun& run, const GgmlType& type, const GgmlExtents& extents) {
  return device < run.n_gpus ? ggml_gpu_bytes(type, extents) : ggml_bytes(type, extents);
}

class KvSum {
 public:
  KvSum(const GgufShape& shape, const LlamaCppRun& run)
      : run_(run), n_ctx_(llamacpp_sizes(run).n_ctx), window_cells_(llamacpp_window_cells(shape, run)) {
    const std::vector<int> devices = llamacpp_layer_devices(shape.n_layers(), run);
    kv_.device_bytes.assign(static_cast<std::size_t>(run.n_gpus) + 1, 0);
    for (std::size_t i = 0; i < shape.layers.size(); ++i) {
      device_ = devices[i];
      std::visit([this](const auto& mixer) { add(mixer); }, shape.layers[i].mixer);
    }
  }

  LlamaCppKv result() const { return kv_; }

 private:
  void add(std::monostate) {}

  void add(const GgufAttention& a) {
    if (a.reads_other_cache) return;
    const std::int64_t before = kv_.k_bytes;
    add_heads(a.n_kv_heads, a.k_head_dim, a.n_kv_heads * a.v_head_dim, a.window > 0 ? window_cells_ : n_ctx_);
    if (a.window > 0) kv_.window_k_bytes += kv_.k_bytes - before;
  }

  void add(const GgufLatentAttention& a) {
    const bool ik = run_.program == LlamaCppProgram::kIk;
    const bool compressed = ik ? run_.mla_mode > 0 : run_.latent == LatentMatrices::kSplit;
    const int width = a.kv_lora_rank + a.rope_head_dim;
    if (!compressed) return add_heads(a.n_heads, a.nope_head_dim + a.rope_head_dim, a.n_heads * a.v_head_dim, n_ctx_);
    const bool plain = run_.attention == LlamaCppAttention::kPlain;
    const bool in_v_type = ik && plain && run_.mla_mode > 1;
    add_tensor(kv_.k_bytes, in_v_type ? *run_.type_v : *run_.type_k, {width, n_ctx_, 1, 1});
    // A transposed copy for the values, where nothing reads the latents by columns. llama.cpp before flash attention
    // could read latents keeps it as well.
    if (!ik && run_.latent_values == LatentValues::kViewOfKeys) return;
    if (plain && (!ik || run_.mla_mode == 1)) add_tensor(kv_.v_bytes, *run_.type_v, {a.kv_lora_rank * n_ctx_, 1, 1, 1});
    if (!plain && !ik) add_tensor(kv_.v_bytes, *run_.type_v, {a.kv_lora_rank, n_ctx_, 1, 1});
  }

  void add(const GgufRecurrent& r) {
    const std::int64_t bytes = (r.conv_elements + r.state_elements) * kRecurrentBytes * run_.n_sequences;
    kv_.state_bytes += bytes;
    kv_.device_bytes[static_cast<std::size_t>(device_)] += bytes;
  }

  /// ik_llama.cpp keeps keys in rows of one head, llama.cpp in rows of all heads; values stand in one row.
  void add_heads(int n_kv_heads, int k_head_dim, int v_elements, std::int64_t cells) {
    const bool ik = run_.program == LlamaCppProgram::kIk;
    const std::int64_t k_elements = std::int64_t{n_kv_heads} * k_head_dim;
    const GgmlExtents k_rows =
        ik ? GgmlExtents{k_head_dim, n_kv_heads * cells, 1, 1} : GgmlExtents{k_elements, cells, 1, 1};
    add_tensor(kv_.k_bytes, *run_.type_k, k_rows);
    const GgmlExtents v_rows = ik ? GgmlExtents{v_elements * cells, 1, 1, 1} : GgmlExtents{v_elements, cells, 1, 1};
    add_tensor(kv_.v_bytes, *run_.type_v, v_rows);
  }

  void add_tensor(std::int64_t& sum, const GgmlType& type, const GgmlExtents& extents) {
    sum += ggml_bytes(type, extents);
    kv_.device_bytes[static_cast<std::size_t>(device_)] += bytes_in(device_, run_, type, extents);
  }

  const LlamaCppRun& run_;
  std::int64_t n_ctx_;
  std::int64_t window_cells_;
  int device_ = 0;
  LlamaCppKv kv_;
};

}  // namespace

std::int64_t llamacpp_window_cells(const GgufShape& shape, const LlamaCppRun& run) {
  const LlamaCppSizes sizes = llamacpp_sizes(run);
  if (run.window_cache == WindowCache::kFull) return sizes.n_ctx;
  std::int64_t window = 0;
  for (const GgufLayer& layer : shape.layers)
    if (const auto* attention = std::get_if<GgufAttention>(&layer.mixer))
      window = std::max<std::int64_t>(window, attention->window);
  if (window == 0) return sizes.n_ctx;
  const std::int64_t per_sequence = sizes.n_ctx / run.n_sequences;
  const std::int64_t cells = std::min(per_sequence, window + std::min<std::int64_t>(run.n_ubatch, per_sequence));
  return (cells + 255) / 256 * 256 * run.n_sequences;
}

LlamaCppKv llamacpp_kv(const GgufShape& shape, const LlamaCppRun& run) {
  return KvSum(shape, run).result();
}

}  // namespace dachlast
