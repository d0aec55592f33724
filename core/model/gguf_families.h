#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/model/gguf_config.h"
#include "core/model/model_spec.h"

namespace dachlast {

enum class GgufBiases { kNone, kQkv, kAll };

/// How layers know the order of tokens.
enum class GgufPositions {
  kRope,
  kRopeIfFinetuned,  // unless rope.scaling.finetuned says false (Granite)
  kLearned,
  kAlibi,
  kNone
};

/// What says how a layer is built.
enum class GgufLayout {
  kUniform,   // keys: attention and an MLP in every layer
  kByTensors  // the names and sizes of its tensors: experts, latents, state spaces, layers that lack a part
};

/// Whether layers may lack a mixer or a feed-forward.
enum class GgufGaps { kNone, kAllowed };

/// Which layers slide where no key lists them: all but each `period`-th; 0: all of them.
struct GgufWindows {
  int default_window = 0;  // where no key states one; 0: none
  int period = 0;
};

/// What general.architecture implies and no key says.
struct GgufFamily {
  std::string_view architecture;
  std::string_view model_type;  // of the same model's config.json
  TensorNaming naming = TensorNaming::kNone;
  BlockWiring wiring = BlockWiring::kSequential;
  NormKind norm = NormKind::kRms;
  bool norm_bias = true;  // of LayerNorm
  Activation activation = Activation::kSilu;
  Gate gate = Gate::kGated;
  GgufBiases biases = GgufBiases::kNone;  // of a file without tensors
  QkNorm qk_norm = QkNorm::kNone;         // likewise
  bool tied = false;                      // likewise
  GgufPositions positions = GgufPositions::kRope;
  GgufLayout layout = GgufLayout::kUniform;
  GgufGaps gaps = GgufGaps::kNone;
  std::optional<GgufWindows> windows = {};  // empty: no layer slides
  double sliding_theta = 0.0;               // of sliding layers where no key states it; 0: as the others
  bool scaled_embeddings = false;
  void (*finish)(GgufConfig&, ModelSpec&) = nullptr;
};

/// Every architecture this program reads from GGUF files, in the order error messages list them.
/// Source   ggml-org/llama.cpp:src/models/*.cpp (load_arch_hparams, load_arch_tensors) and :conversion/*.py, commit
///          0c1e57098; where a file leaves a window or soft cap out, the defaults there hold.
std::span<const GgufFamily> gguf_families();

}  // namespace dachlast
