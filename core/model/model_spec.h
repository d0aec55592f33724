#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/op.h"

namespace dachlast {

/// Positions divided by `factor` (position interpolation).
struct LinearRopeScaling {
  double factor;
};

/// Llama 3.1: low frequencies divided by `factor`, high ones kept, a smooth ramp between.
struct Llama3RopeScaling {
  double factor;
  double low_freq_factor;
  double high_freq_factor;
  int original_context;
};

/// YaRN, Peng et al. 2023, arXiv:2309.00071.
struct YarnRopeScaling {
  double factor;
  double beta_fast;
  double beta_slow;
  double attention_factor;  // multiplies cos and sin
  int original_context;
};

/// Phi-3 LongRoPE: one divisor per frequency, one list up to `original_context` tokens, another beyond it.
struct LongRopeScaling {
  std::vector<double> short_factor;
  std::vector<double> long_factor;
  double attention_factor;
  int original_context;
};

using RopeScaling =
    std::variant<std::monostate, LinearRopeScaling, Llama3RopeScaling, YarnRopeScaling, LongRopeScaling>;

/// Rotary position embedding in rotate-half order: dimension i pairs with i + rotary_dim / 2.
struct RopeSpec {
  double theta = 10000.0;
  int rotary_dim = 0;
  RopeScaling scaling;
};

/// Attention of one layer. MHA, GQA, MQA by n_kv_heads = n_heads, between, 1.
struct AttentionSpec {
  int n_heads = 0;
  int n_kv_heads = 0;
  int head_dim = 0;
  int window = 0;        // 0: all earlier tokens
  double scale = 0.0;    // multiplies q·k; 1/sqrt(head_dim) unless the model says otherwise
  double softcap = 0.0;  // 0: none; else scores become cap · tanh(score / cap)
  bool qkv_bias = false;
  bool o_bias = false;
  bool qk_norm = false;          // RMSNorm over head_dim on q and k before RoPE
  std::optional<RopeSpec> rope;  // empty: learned positions
};

struct MlpSpec {
  int d_ff = 0;
  Activation activation = Activation::kSilu;
  Gate gate = Gate::kGated;
  bool bias = false;
};

/// How attention, MLP, norms and residual are wired.
enum class BlockWiring {
  kSequential,  // x += attn(norm(x)); x += mlp(norm(x))
  kSandwich,    // as kSequential, and each branch is normed again before it is added (Gemma 2 and 3)
  kParallel,    // h = norm(x); x += attn(h); x += mlp(h) (Phi-1.5, Phi-2)
  kPostNorm     // x = norm(x + attn(x)); x = norm(x + mlp(x)) (OPT-350m)
};

struct LayerSpec {
  AttentionSpec attention;
  MlpSpec mlp;
};

struct NormSpec {
  NormKind kind = NormKind::kRms;
  double eps = 1e-5;
  double weight_offset = 0.0;  // 1 where the stored weight w means (1 + w) (Gemma)
};

/// Naming scheme of the tensors in a checkpoint; only `core/model` knows what it stands for.
enum class TensorNaming { kLlama, kGemma, kPhi, kPhi3, kGpt2, kOpt };

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
  bool tied_embeddings = false;
  bool lm_head_bias = false;
  bool final_norm = true;
  double logit_softcap = 0.0;  // 0: none
  BlockWiring wiring = BlockWiring::kSequential;
  NormSpec norm;
  std::vector<LayerSpec> layers;
  DType native_dtype = DType::kF32;  // what the checkpoint is published in
  std::optional<int> bos_token;
  std::optional<int> eos_token;

  int n_layers() const { return static_cast<int>(layers.size()); }
};

}  // namespace dachlast
