#pragma once

#include <map>
#include <utility>
#include <vector>

#include "core/engine/cuda/cuda_context.h"
#include "core/engine/engine_device.h"
#include "core/model/weights.h"

namespace dachlast {

/// All weights of a model in the memory of a GPU, as they lie on the host: matrices in rows for products of cuBLASLt, in panels
/// for the GEMV of our own. What shares memory there (tied embeddings) shares it here.
class CudaWeights final : public DeviceWeights {
 public:
  /// `ops` names what is needed: any step's.
  CudaWeights(CudaContext& context, const ModelSpec& model, const Weights& weights, std::span<const Op> ops);

  /// Uploads what these operations need beyond what is here: those of the same model with a what-if, or without.
  void extend(const ModelSpec& model, const Weights& weights, std::span<const Op> ops);

  double bytes() const override { return bytes_; }
  WeightMatrix matrix(WeightRole role, int layer) const { return matrices_.at({role, layer}); }
  std::span<const float> vector(WeightRole role, int layer) const {
    return std::get<std::span<const float>>(matrix(role, layer));
  }
  std::span<const float> bias(WeightRole role, int layer) const;
  /// Of the latents that a matrix gives.
  std::span<const float> norm(WeightRole role, int layer) const { return norms_.at({role, layer}); }
  WeightMatrix positions() const { return positions_; }

 private:
  using Key = std::pair<WeightRole, int>;

  void take(const Weights& weights, WeightRole role, int layer);
  void take_latent_norms(const Weights& weights, const MlaSpec& a, int layer);
  WeightMatrix upload(const WeightMatrix& matrix);
  const std::byte* upload(std::span<const std::byte> bytes);

  CudaContext& context_;
  std::vector<kernels::cuda::DeviceBlock> blocks_;
  std::map<const std::byte*, const std::byte*> copied_;  // host → device
  std::map<Key, WeightMatrix> matrices_;
  std::map<Key, std::span<const float>> biases_;
  std::map<Key, std::span<const float>> norms_;
  WeightMatrix positions_;
  double bytes_ = 0.0;
};

}  // namespace dachlast
