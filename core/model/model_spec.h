#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/op.h"
#include "core/model/layer_spec.h"
#include "core/model/weight_format.h"

namespace dachlast {

/// How mixer, feed-forward, norms and residual are wired. A block that lacks one of the two lacks its norms too.
enum class BlockWiring {
  kSequential,        // x += attn(norm(x)); x += mlp(norm(x))
  kSandwich,          // as kSequential, and each branch is normed again before it is added (Gemma 2 and 3)
  kParallel,          // h = norm(x); x += attn(h); x += mlp(h) (Phi-1.5, Phi-2, Cohere, Falcon 7B)
  kPostNorm,          // x = norm(x + attn(x)); x = norm(x + mlp(x)) (OPT-350m)
  kParallelTwoNorms,  // x += attn(norm(x)) + mlp(norm'(x)) (GPT-NeoX, Falcon 40B)
  kBranchNorm         // x += norm(attn(x)); x += norm(mlp(x)) (OLMo 2)
};

struct NormSpec {
  NormKind kind = NormKind::kRms;
  double eps = 1e-5;
  double weight_offset = 0.0;  // 1 where the stored weight w means (1 + w) (Gemma)
  bool layer_bias = true;      // of LayerNorm; Cohere and DBRX leave it out
};

/// Naming scheme of the tensors in a checkpoint; only `core/model` knows what it stands for. Models that are planned
/// and not run have none.
enum class TensorNaming { kLlama, kGemma, kPhi, kPhi3, kGpt2, kOpt, kNone };

/// Inputs of each layer's own, looked up by token and kept beside the residual (Gemma 3n and 4).
struct PerLayerInputSpec {
  int vocab_size = 0;
  int d_input = 0;  // per layer
};

/// Layers that predict tokens beyond the next one, used for drafting. They lie in the checkpoint after the others.
struct MtpSpec {
  std::vector<LayerSpec> layers;
  bool own_embeddings = false;  // a copy of token embeddings and head is stored with each (DeepSeek V3)
  bool one_head_norm = true;    // a norm before the head
};

/// Equal tensors of a tower.
struct TowerTensor {
  std::int64_t rows = 0;
  std::int64_t columns = 1;  // 1 for vectors
  std::int64_t count = 1;
};

/// What a model has beside its text part: eyes, ears, and the projections from them. Counted, never run.
struct TowerSpec {
  std::string name;  // "vision tower"
  std::vector<TowerTensor> tensors;
};

/// A decoder-only transformer: all that op list, cost functions, engine and planner know of a model. Made by
/// `read_model_spec`, which validates; past that point every size is positive and consistent.
struct ModelSpec {
  std::string name;          // preset name or folder, for people
  std::string architecture;  // `model_type` of the config
  TensorNaming naming = TensorNaming::kLlama;
  int d_model = 0;
  int vocab_size = 0;
  int max_context = 0;              // tokens; the limit the model was trained for
  int n_learned_positions = 0;      // rows of the position table, offset included; 0 where RoPE is used
  int learned_position_offset = 0;  // OPT keeps two rows for padding
  double embed_scale = 1.0;         // Gemma multiplies embeddings by sqrt(d_model)
  double residual_scale = 1.0;      // Granite multiplies each branch before it is added
  double logit_scale = 1.0;         // Cohere and Granite multiply logits
  bool tied_embeddings = false;
  bool lm_head_bias = false;
  bool embedding_norm = false;  // BLOOM norms embeddings
  bool final_norm = true;
  double logit_softcap = 0.0;  // 0: none
  BlockWiring wiring = BlockWiring::kSequential;
  NormSpec norm;
  std::vector<LayerSpec> layers;
  DType native_dtype = DType::kF32;               // what the checkpoint is published in
  std::optional<WeightFormat> quantized_weights;  // as its config states it; empty: all in native_dtype
  std::optional<int> bos_token;
  std::optional<int> eos_token;

  std::optional<PerLayerInputSpec> per_layer_inputs;
  std::optional<MtpSpec> mtp;
  std::vector<TowerSpec> towers;

  int n_layers() const { return static_cast<int>(layers.size()); }
};

/// Why the engine cannot run this model, "it has no kernels for routed experts yet"; empty where it can. Planning needs
/// no kernels.
std::optional<std::string> missing_kernels(const ModelSpec& model);

}  // namespace dachlast
