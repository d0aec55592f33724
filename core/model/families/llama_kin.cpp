#include <algorithm>

#include "core/model/families/common.h"
#include "core/model/families/family.h"

// Families built like Llama that differ in a bias, a norm, a window or the order of norms. Planned, not run: none has
// tensor names here.
namespace dachlast {
namespace {

/// Layers of one kind with a bias where `attention_bias` and `output_bias` say so.
void fill_with_bias(ConfigObject& config, ModelSpec& spec, DenseBlock block, bool attention_bias, bool output_bias) {
  block.attention.qkv_bias = attention_bias;
  block.attention.o_bias = output_bias;
  fill_layers(spec, read_n_layers(config), block.attention, block.mlp);
}

/// Both branches normed behind and not before.
void norm_behind(ModelSpec& spec) {
  spec.wiring = BlockWiring::kBranchNorm;
}

constexpr int kFullEvery = 4;  // of four layers three slide or keep RoPE: EXAONE 4, OLMo 3, SmolLM 3

/// Takes RoPE from the layers that know no positions.
void drop_rope(ModelSpec& spec, const std::vector<bool>& without) {
  for (std::size_t i = 0; i < spec.layers.size(); ++i)
    if (without[i]) attention_of(spec.layers[i]).rope.reset();
}

/// SmolLM 3: "no_rope_layers" holds 1 for layers with RoPE and 0 for those without.
std::vector<bool> read_layers_without_rope(ConfigObject& config, int n_layers) {
  const int interval = config.size_or("no_rope_layer_interval", kFullEvery, size_limit::kLayers);
  std::vector<bool> without;
  for (int i = 0; i < n_layers; ++i) without.push_back((i + 1) % interval == 0);
  if (!config.has_value("no_rope_layers")) return without;
  const std::vector<int> with = config.count_list("no_rope_layers", 1);
  if (with.size() < without.size()) config.fail("no_rope_layers", "lists fewer layers than there are");
  for (std::size_t i = 0; i < without.size(); ++i) without[i] = with[i] == 0;
  return without;
}

}  // namespace

/// Source internlm/internlm-7b:{configuration,modeling}_internlm.py: q, k, v and o have a bias unless the config says no.
void read_internlm(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 103168, .max_context = 2048, .tied_embeddings = false}, spec);
  const DenseBlock block = read_rms_block(config, spec, {});
  const bool bias = config.flag_or("bias", true);
  fill_with_bias(config, spec, block, bias, bias);
}

/// Source internlm/internlm2-7b:{configuration,modeling}_internlm2.py: q, k and v are one matrix, grouped.
void read_internlm2(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 103168, .max_context = 2048, .tied_embeddings = false}, spec);
  const DenseBlock block = read_rms_block(config, spec, {});
  const bool bias = config.flag_or("bias", true);
  fill_with_bias(config, spec, block, bias, bias);
}

/// Source vllm-project/vllm:vllm/model_executor/models/baichuan.py: the models 4,096 wide have RoPE, the wider ones
/// ALiBi; Baichuan 2 norms the rows of its head, which stores nothing.
void read_baichuan(ConfigObject& config, ModelSpec& spec) {
  constexpr int kWidthWithRope = 4096;
  read_basics(config, {.vocab_size = 125696, .max_context = 4096, .tied_embeddings = false}, spec);
  config.ignore("model_max_length");
  DenseBlock block = read_rms_block(config, spec, {});
  block.attention.alibi = spec.d_model != kWidthWithRope;
  if (block.attention.alibi) block.attention.rope.reset();
  fill_layers(spec, read_n_layers(config), block.attention, block.mlp);
}

/// Source Qwen/Qwen-7B:{configuration,modeling}_qwen.py: "intermediate_size" counts gate and up projection together;
/// q, k and v have a bias, all else has one only where "no_bias" is false.
void read_qwen(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 151936, .max_context = 8192, .tied_embeddings = false}, spec);
  ignore_keys(config, {"seq_length", "use_dynamic_ntk", "use_logn_attn", "bf16", "fp16", "fp32", "attn_dropout_prob",
                       "emb_dropout_prob", "scale_attn_weights", "softmax_in_fp32", "use_cache_quantization",
                       "use_cache_kernel", "rotary_pct", "onnx_safe"});
  DenseBlock block = read_rms_block(config, spec, {}, {.theta = config.positive_or("rotary_emb_base", 10000.0)});
  if (block.mlp.d_ff % 2 != 0) config.fail("intermediate_size", "is odd: gate and up projection are half of it each");
  block.mlp.d_ff /= 2;
  block.mlp.bias = !config.flag_or("no_bias", true);
  fill_with_bias(config, spec, block, true, block.mlp.bias);
}

/// Defaults of src/transformers/models/seed_oss/configuration_seed_oss.py.
void read_seed_oss(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 155136, .max_context = 524288, .tied_embeddings = false}, spec);
  DenseBlock block = read_rms_block(config, spec, {.n_heads = {}, .n_kv_heads = 8, .head_dim = 128});
  block.mlp.bias = config.flag_or("mlp_bias", false);
  const bool bias = config.flag_or("attention_bias", true);
  fill_with_bias(config, spec, block, bias, config.flag_or("attention_out_bias", false));
}

/// Defaults of src/transformers/models/smollm3/configuration_smollm3.py: every fourth layer has no positions.
void read_smollm3(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 128256, .max_context = 32768, .tied_embeddings = true}, spec);
  refuse_if_set(config, "use_sliding_window", "a sliding window in SmolLM 3");
  ignore_keys(config, {"sliding_window", "max_window_layers", "layer_types"});
  DenseBlock block = read_rms_block(config, spec, {.n_heads = {}, .n_kv_heads = 4, .head_dim = {}}, {.theta = 2e6});
  block.mlp.bias = config.flag_or("mlp_bias", false);
  const bool bias = config.flag_or("attention_bias", false);
  fill_with_bias(config, spec, block, bias, bias);
  drop_rope(spec, read_layers_without_rope(config, spec.n_layers()));
}

/// Source LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct:{configuration,modeling}_exaone.py: Llama under other names.
void read_exaone(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 102400, .max_context = 2048, .tied_embeddings = true}, spec);
  DenseBlock block = read_rms_block(config, spec, {});
  block.mlp.activation = read_activation(config, "activation_function", "silu");
  fill_layers(spec, read_n_layers(config), block.attention, block.mlp);
}

/// Source src/transformers/models/exaone4/{configuration,modeling}_exaone4.py: norms behind the branches, queries and
/// keys normed, three layers of four slide. Where layers slide, the others know no positions.
void read_exaone4(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 102400, .max_context = 2048, .tied_embeddings = false}, spec);
  DenseBlock block = read_rms_block(config, spec, {.n_heads = {}, .n_kv_heads = 32, .head_dim = {}});
  norm_behind(spec);
  block.attention.qk_norm = QkNorm::kPerHead;
  config.ignore("sliding_window_pattern");  // 4 or "LLLG" in every published model
  const bool slides = !config.contains("sliding_window") || config.has_value("sliding_window");
  const int window = read_window(config, spec, 4096);
  fill_layers(spec, read_n_layers(config), block.attention, block.mlp);
  auto sliding =
      read_sliding_layers(config, spec.n_layers(), [&](int i) { return slides && (i + 1) % kFullEvery != 0; });
  set_windows(spec, sliding, window);
  if (!slides) return;
  sliding.flip();
  drop_rope(spec, sliding);
}

/// Source src/transformers/models/olmo3/{configuration,modeling}_olmo3.py: OLMo 2 with windows in three layers of four.
void read_olmo3(ConfigObject& config, ModelSpec& spec) {
  read_olmo2(config, spec);
  const int window = read_window(config, spec, 4096);
  set_windows(spec, read_sliding_layers(config, spec.n_layers(), [](int i) { return (i + 1) % kFullEvery != 0; }),
              window);
}

/// Source XiaomiMiMo/MiMo-7B-Base:{configuration,modeling}_mimo.py: Qwen 2 with layers that predict further tokens, which
/// share embeddings and head.
void read_mimo(ConfigObject& config, ModelSpec& spec) {
  read_qwen2(config, spec);
  spec.naming = TensorNaming::kNone;
  config.ignore("attention_bias");
  const int n_mtp = config.count_or("num_nextn_predict_layers", 0, size_limit::kLayers);
  if (n_mtp > 0)
    spec.mtp = MtpSpec{.layers = std::vector<LayerSpec>(static_cast<std::size_t>(n_mtp), spec.layers.back())};
}

/// Defaults of src/transformers/models/ernie4_5/configuration_ernie4_5.py.
void read_ernie45(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 103424, .max_context = 131072, .tied_embeddings = true}, spec);
  DenseBlock block =
      read_rms_block(config, spec, {.n_heads = {}, .n_kv_heads = 2, .head_dim = 128}, {.theta = 500000.0});
  block.mlp.bias = config.flag_or("use_bias", false);
  fill_with_bias(config, spec, block, block.mlp.bias, block.mlp.bias);
}

}  // namespace dachlast
