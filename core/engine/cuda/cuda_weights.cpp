#include "core/engine/cuda/cuda_weights.h"

#include "core/base/overloaded.h"

namespace dachlast {

CudaWeights::CudaWeights(CudaContext& context, const ModelSpec& model, const Weights& weights, std::span<const Op> ops)
    : context_(context) {
  extend(model, weights, ops);
  positions_ = upload(weights.positions());
  context_.steps.finish();  // the host's memory is the caller's again
}

void CudaWeights::extend(const ModelSpec& model, const Weights& weights, std::span<const Op> ops) {
  for (const Op& op : ops) {
    if (op.weight == WeightRole::kNone) continue;
    take(weights, op.weight, op.layer);
    if (op.kind != OpKind::kQkNorm) continue;
    const LayerSpec& layer = model.layers[static_cast<std::size_t>(op.layer)];
    if (const auto* latent = std::get_if<MlaSpec>(&layer.mixer)) {
      take_latent_norms(weights, *latent, op.layer);
    } else if (!attention_of(layer).shares_kv_with) {
      take(weights, WeightRole::kKNorm, op.layer);
    }
  }
  context_.steps.finish();
}

void CudaWeights::take_latent_norms(const Weights& weights, const MlaSpec& a, int layer) {
  for (const WeightRole role : {WeightRole::kQDown, WeightRole::kKvDown})
    if (role == WeightRole::kKvDown || a.q_lora_rank > 0)
      norms_[{role, layer}] = std::get<std::span<const float>>(upload(WeightMatrix(weights.norm(role, layer))));
}

std::span<const float> CudaWeights::bias(WeightRole role, int layer) const {
  const auto found = biases_.find({role, layer});
  return found == biases_.end() ? std::span<const float>() : found->second;
}

void CudaWeights::take(const Weights& weights, WeightRole role, int layer) {
  if (!matrices_.try_emplace({role, layer}, upload(weights.matrix(role, layer))).second) return;
  const std::span<const float> bias = weights.bias(role, layer);
  if (!bias.empty()) biases_[{role, layer}] = std::get<std::span<const float>>(upload(WeightMatrix(bias)));
}

WeightMatrix CudaWeights::upload(const WeightMatrix& matrix) {
  return std::visit(Overloaded{[this](const PackedMatrix& packed) -> WeightMatrix {
                                 PackedMatrix copy = packed;
                                 copy.bytes = {upload(packed.bytes), packed.bytes.size()};
                                 return copy;
                               },
                               [this]<class T>(std::span<const T> rows) -> WeightMatrix {
                                 const std::byte* const copy = upload(std::as_bytes(rows));
                                 return std::span(reinterpret_cast<const T*>(copy), rows.size());
                               }},
                    matrix);
}

const std::byte* CudaWeights::upload(std::span<const std::byte> bytes) {
  if (bytes.empty()) return nullptr;
  const auto [place, is_new] = copied_.try_emplace(bytes.data(), nullptr);
  if (!is_new) return place->second;
  kernels::cuda::Stream stream = context_.steps.stream();
  blocks_.push_back(context_.pool.allocate(bytes.size(), kernels::cuda::DeviceSegment::kWeights, stream));
  kernels::cuda::copy(blocks_.back().bytes().data(), bytes.data(), bytes.size(), stream);
  bytes_ += static_cast<double>(bytes.size());
  return place->second = blocks_.back().bytes().data();
}

}  // namespace dachlast
