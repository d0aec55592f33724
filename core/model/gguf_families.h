#pragma once

#include <span>
#include <string_view>

#include "core/model/gguf_config.h"
#include "core/model/model_spec.h"

namespace dachlast {

enum class GgufBiases { kNone, kQkv, kAll };

/// What general.architecture implies and no key says.
struct GgufFamily {
  std::string_view architecture;
  std::string_view model_type;  // of the same model's config.json
  TensorNaming naming;
  BlockWiring wiring = BlockWiring::kSequential;
  NormKind norm = NormKind::kRms;
  Activation activation = Activation::kSilu;
  Gate gate = Gate::kGated;
  GgufBiases biases = GgufBiases::kNone;  // of a file without tensors
  bool qk_norm = false;                   // likewise
  bool tied = false;                      // likewise
  bool learned_positions = false;
  bool scaled_embeddings = false;
  void (*finish)(GgufConfig&, ModelSpec&) = nullptr;
};

/// Every architecture this program reads from GGUF files, in the order error messages list them.
/// Source   ggml-org/llama.cpp:src/llama-model.cpp; where a file leaves a window or soft cap out, its defaults hold.
std::span<const GgufFamily> gguf_families();

}  // namespace dachlast
