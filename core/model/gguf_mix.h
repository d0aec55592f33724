#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/gguf_shape.h"
#include "core/model/quantization.h"

namespace dachlast {

/// How sure the types of a mix are.
enum class MixOrigin {
  kRules,       // as the quantizer program chooses them without options
  kConvention,  // as publishers choose them with options; the file type names only the most frequent type
  kFile         // as the file itself states
};

/// What a file type ("Q4_K_M") says about the types of a file's tensors.
struct GgufMix {
  std::string name;                // as llama.h spells it: "Q4_K_M"
  const GgmlType* type = nullptr;  // of most matrices
};

/// Reads a file type as programs print it: "Q4_K - Medium", "Q4_K_M", "IQ3_S mix - 3.66 bpw", "all F32", "mostly Q4_0".
/// Empty where no type of that name is known.
std::optional<GgufMix> gguf_mix(std::string_view file_type);

/// A tensor with its type.
struct GgufTypedTensor {
  GgufTensorShape shape;
  const GgmlType* type;

  std::int64_t bytes() const;
};

/// The weights of a GGUF file, at hand or not.
struct GgufWeights {
  std::vector<GgufTypedTensor> tensors;  // in the order of `gguf_tensor_shapes`
  MixOrigin origin = MixOrigin::kRules;
  /// What the tensors' names are views of where they come from a file; else these are constants.
  std::shared_ptr<const std::set<std::string>> names = {};

  std::int64_t bytes() const;
  std::int64_t embedding_bytes() const;  // tables of tokens and positions: kept in host memory
  std::int64_t layer_bytes(int layer) const;
  std::int64_t head_bytes() const;  // output matrix and its norm
  double element_bytes() const;     // the mean over all tensors
};

/// Types and bytes of every tensor of `shape` in a file of type `mix`. Vectors and routers stay F32.
/// Source   ggml-org/llama.cpp:src/llama-quant.cpp (llama_tensor_get_type),
///          ikawrakow/ik_llama.cpp:src/llama.cpp (the same, commit bb8ff4e9f).
GgufWeights gguf_weights(const GgufShape& shape, const GgufMix& mix, LatentMatrices latent = LatentMatrices::kJoint);

/// Tables that are looked up by token or position, which llama.cpp keeps in host memory.
/// Source   ggml-org/llama.cpp:src/llama-arch.cpp (LLM_TENSOR_LAYER_INPUT)
bool is_gguf_table(std::string_view tensor);

}  // namespace dachlast
