#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <variant>

#include "core/base/half.h"
#include "core/base/packed_matrix.h"
#include "core/model/model_spec.h"
#include "core/model/op_list.h"

namespace dachlast {

using WeightMatrix = std::variant<std::span<const float>, std::span<const BF16>, PackedMatrix>;

/// The weights of one model in the layout the op list asks for: [n, k] matrices in rows or in panels, q/k/v and gate/up rows
/// below each other, Conv1D checkpoints transposed, f16 widened to f32. Matrices that already lie so in a mapped file are
/// views of it; the others are copies made once.
class Weights {
 public:
  virtual ~Weights() = default;

  /// Matrix of a role, or its vector where it has no matrix; `layer` is -1 outside the layers. Matrices come as the
  /// weights were opened to be kept; norm weights are always float.
  virtual WeightMatrix matrix(WeightRole role, int layer) const = 0;
  /// Weights of the norm of a role, that behind its projection where it has both; empty span where the model has none.
  virtual std::span<const float> norm(WeightRole role, int layer) const = 0;
  /// Bias of a role; empty span where the model has none.
  virtual std::span<const float> bias(WeightRole role, int layer) const = 0;
  /// Learned position table in rows, f32 where matrices are quantized; empty where RoPE is used.
  virtual WeightMatrix positions() const = 0;
  /// Bytes resident for these weights, mapped ones included.
  virtual double resident_bytes() const = 0;
  /// "model.safetensors", or "random, seed 42".
  virtual std::string description() const = 0;
  virtual bool random() const = 0;
};

/// Opens the weights of a checkpoint folder or file (model.safetensors, sharded with index), memory-mapped, validated
/// against the spec: every tensor present, of the right shape, of a known dtype.
/// Quantized types are quantized while reading (core/base/packed_matrix.h has the law), a few panels at a time.
/// Errors   throws `Error` (kInput) naming file and tensor, also where a value to be quantized is not finite.
std::unique_ptr<Weights> open_weights(const ModelSpec& model, const std::filesystem::path& path,
                                      const WeightStorage& storage);

/// Seeded random weights of sane scale: normal with standard deviation 1/sqrt(k) for matrices, norms near 1. The same seed gives
/// the same bits on every computer and for every thread count.
std::unique_ptr<Weights> random_weights(const ModelSpec& model, std::uint64_t seed, const WeightStorage& storage);

/// Bytes that `open_weights` or `random_weights` will need, before any of it is allocated.
double weight_bytes(const ModelSpec& model, const WeightStorage& storage);

/// Parameters, counted from the spec: tied embeddings once.
double parameter_count(const ModelSpec& model);

/// Parameters that one token passes: all but the experts it is not routed to. Embeddings and router count whole.
double active_parameter_count(const ModelSpec& model);

/// Parameters of MTP layers and towers, which `parameter_count` leaves out.
double extra_parameter_count(const ModelSpec& model);

}  // namespace dachlast
