#include "core/planner/step_work.h"

#include <algorithm>
#include <cmath>

#include "core/planner/rank_load.h"
#include "kernels/cost.h"

namespace dachlast {
namespace {

constexpr double kActivationBytes = 2.0;

/// Name of the curves for kernels on this storage format.
std::string_view kernel_type(const StorageFormat& format, const DeviceSpec& device) {
  const std::string_view name = format.name;
  if (name == "fp8") return "fp8";
  if (name == "fp8-tensor") return "fp8_static";
  if (name == "fp8-block") return "fp8_block";
  if (name == "int8") return "int8";
  if (name == "nvfp4") return "nvfp4";
  // Blackwell multiplies MXFP4 weights by MXFP8 activations, others widen the weights.
  if (name == "mxfp4") return device.peak(ComputeType::kFp4) ? "mxfp4_mxfp8" : "mxfp4";
  return format.bits < 8 ? "int4_weights" : format.bits < 16 ? "int8_weights" : "bf16";
}

bool quantizes_input(std::string_view type) {
  return type.starts_with("fp8") || type == "nvfp4" || type == "int8";
}

std::string_view cache_type(const CacheFormat& cache) {
  return cache.bits < 12 ? "fp8" : "bf16";
}

/// Elementwise operations that run inside a neighbouring kernel: residual sums in norms, cache writes in attention or rope, expert
/// activations and sums in the fused experts.
/// Source   vllm-project/vllm:csrc/layernorm_kernels.cu (fused_add_rms_norm), NVIDIA/TensorRT-LLM:docs (fused RoPE and
///          cache write)
bool is_fused(OpKind kind) {
  switch (kind) {
    case OpKind::kResidual:
    case OpKind::kKvWrite:
    case OpKind::kExpertAct:
    case OpKind::kExpertDown:
    case OpKind::kCombine: return true;
    default: return false;
  }
}

/// Whether its channels or heads are spread over tensor-parallel ranks.
bool is_spread(OpKind kind) {
  return kind != OpKind::kNorm && kind != OpKind::kEmbed && kind != OpKind::kRouter;
}

bool joins_ranks(OpKind kind) {
  return kind == OpKind::kOProj || kind == OpKind::kMlpDown || kind == OpKind::kMixerOut;
}

class StageBuilder {
 public:
  StageBuilder(const TimeScenario& scenario, const EfficiencyCatalog& curves, EfficiencyOrigin& origin)
      : scenario_(scenario), curves_(curves), origin_(origin) {
    const Step step{.phase = Phase::kDecode, .batch_size = 1, .q_len = 1, .kv_len = 1};
    ops_ = build_op_list(scenario.model, step, {DType::kBF16, {KvFormat::kBF16}});
  }

  StepStage stage(int index) {
    const int n_layers = scenario_.model.n_layers();
    const StageLayers layers = stage_layers(scenario_.layout, n_layers, index);
    tensors_ = rank_tensors(scenario_.model, scenario_.weights, scenario_.layout, index);
    StepStage made;
    for (const RankTensor& tensor : tensors_) made.weight_bytes += tensor.bytes();
    stage_ = &made;
    for (const Op& op : ops_) {
      const bool first = op.kind == OpKind::kEmbed;
      const bool here = op.layer >= 0 ? op.layer >= layers.first && op.layer < layers.first + layers.count
                        : first       ? index == 0
                                      : index == scenario_.layout.pipeline_parallel - 1;
      if (here) add(op);
    }
    return made;
  }

 private:
  const std::vector<std::string>& kernels() const { return scenario_.engine.speed.kernels; }
  double tp() const { return scenario_.layout.tensor_parallel; }

  ChosenCurve choose(OpLaw law, std::string_view type) {
    const ChosenCurve chosen = curves_.choose(law, type, kernels(), scenario_.device);
    origin_ = std::max(origin_, chosen.origin);
    return chosen;
  }

  void push(OpKind kind, const OpWork& what) {
    for (StageOp& op : stage_->ops)
      if (op.kind == kind && op.what == what) {
        ++op.count;
        return;
      }
    stage_->ops.push_back({kind, 1.0, what});
  }

  void add(const Op& op) {
    if (op.kind == OpKind::kSample) return add_sampler();
    if (const auto* linear = std::get_if<LinearShape>(&op.shape)) return add_linear(op, *linear);
    if (const auto* attention = std::get_if<AttentionShape>(&op.shape)) return add_attention(*attention);
    if (const auto* wide = std::get_if<WideAttentionShape>(&op.shape)) return add_wide(op, *wide);
    if (const auto* experts = std::get_if<ExpertsShape>(&op.shape)) {
      if (op.kind == OpKind::kExpertUp) add_experts(op, *experts);
      return;
    }
    if (const auto* scan = std::get_if<ScanShape>(&op.shape)) return add_scan(*scan);
    if (!is_fused(op.kind)) add_stream(op);
  }

  /// This rank's share of the rows and columns of a role's matrices.
  struct Share {
    double rows = 0.0;
    double columns = 0.0;
    double count = 1.0;
    double bytes = 0.0;
    const StorageFormat* format = nullptr;
  };
  Share share_of(WeightRole role, int layer) const {
    const bool tied = role == WeightRole::kLmHead && scenario_.model.tied_embeddings;
    Share share;
    for (const RankTensor& tensor : tensors_) {
      const bool same = tensor.slot.role == role && tensor.slot.layer == layer;
      const bool embedding = tied && tensor.slot.role == WeightRole::kTokenEmbedding;
      if ((!same && !embedding) || tensor.slot.part != WeightPart::kMatrix) continue;
      share.rows += tensor.rows;
      share.columns = tensor.columns;
      share.count = tensor.count;
      share.bytes += tensor.bytes();
      share.format = &tensor.format;
    }
    return share;
  }
  double element_bytes(const Share& share) const {
    if (scenario_.weight_bytes) return *scenario_.weight_bytes;
    return share.bytes / (share.rows * share.columns * share.count);
  }

  void add_linear(const Op& op, const LinearShape& shape) {
    const Share share = share_of(op.weight, op.layer);
    if (share.format == nullptr || !(share.rows > 0.0)) return;
    const bool mixed_file = scenario_.weight_bytes && *scenario_.weight_bytes < kActivationBytes;
    const ChosenCurve curve = choose(OpLaw::kGemm, mixed_file ? "gguf" : kernel_type(*share.format, scenario_.device));
    LinearWork linear{.curve = curve,
                      .call = {.m = 1.0,
                               .n = share.rows,
                               .k = share.columns,
                               .weight_bytes = element_bytes(share),
                               .peak = curve.peak,
                               .quantizes_input = quantizes_input(curve.curve->type)}};
    if (op.kind == OpKind::kLmHead) linear.rows = LinearWork::Rows::kSequences;
    if (op.weight == WeightRole::kKvUp) linear.rows = LinearWork::Rows::kRebuilt;
    (void)shape;
    push(op.kind, linear);
    if (joins_ranks(op.kind) && op.weight != WeightRole::kSharedDown) add_all_reduce(op.kind);
  }

  void add_all_reduce(OpKind kind) {
    if (scenario_.layout.tensor_parallel == 1) return;
    add_message(kind, OpLaw::kAllReduce, scenario_.layout.tensor_parallel, scenario_.model.d_model * kActivationBytes);
  }

  void add_message(OpKind kind, OpLaw law, int n_devices, double token_bytes, double times = 1.0) {
    const ChosenCurve curve = curves_.collective(law, n_devices, scenario_.engine.speed.collectives, scenario_.device);
    origin_ = std::max(origin_, curve.origin);
    push(kind, MessageWork{curve, token_bytes, times});
  }

  void add_attention(const AttentionShape& a) {
    const double kv_heads = std::max(1.0, std::ceil(a.n_kv_heads / tp()));
    const double heads = std::ceil(a.n_heads / tp());
    const double row_bytes = 2.0 * a.head_dim * scenario_.cache.bits / 8.0;
    push_attention(OpLaw::kDecode, OpLaw::kPrefill, heads, kv_heads, 2.0 * a.head_dim, 2.0 * a.head_dim, row_bytes,
                   a.window, 0.0);
  }

  /// Latent attention reads one row of latents a token for all heads; prefill rebuilds keys and values of each head.
  void add_wide(const Op& op, const WideAttentionShape& a) {
    const double bytes = scenario_.cache.bits / 8.0;
    const double heads = std::ceil(a.n_heads / tp());
    const auto& mixer = scenario_.model.layers[static_cast<std::size_t>(op.layer)].mixer;
    if (const auto* latent = std::get_if<MlaSpec>(&mixer)) {
      const bool scores = op.kind == OpKind::kIndexScore;  // the indexer is not split
      const double prefill_dims = scores ? a.score_dim + a.value_dim : latent->qk_head_dim() + latent->v_head_dim;
      // Sparse attention also rotates, quantizes and stores the indexer's keys, and sorts its scores.
      // Source  vllm-project/vllm:vllm/model_executor/models/deepseek_v2.py (Indexer)
      if (scores) push(OpKind::kIndexScore, StreamWork{.curve = choose(OpLaw::kStream, "any"), .launches = 4.0});
      push_attention(OpLaw::kLatentDecode, OpLaw::kLatentPrefill, scores ? a.n_heads : heads, 1.0,
                     a.score_dim + a.value_dim, prefill_dims, a.row_elements * bytes, a.window, a.top_k);
      return;
    }
    const double kv_heads = std::max(1.0, std::ceil(1.0 * a.row_elements / (a.score_dim + a.value_dim) / tp()));
    const double dims = a.score_dim + a.value_dim;
    push_attention(OpLaw::kDecode, OpLaw::kPrefill, heads, kv_heads, dims, dims, dims * bytes,
                   a.window > 0 ? a.window : a.chunk, a.top_k);
  }

  void push_attention(OpLaw decode, OpLaw prefill, double heads, double kv_heads, double decode_dims,
                      double prefill_dims, double row_bytes, double window, double top_k) {
    // Curves of attention are shares of the 16-bit peak, whatever the cache.
    const double bf16_peak = peak_for_type(scenario_.device, "bf16");
    AttentionWork attention;
    attention.decode = choose(decode, cache_type(scenario_.cache));
    attention.prefill = choose(prefill, cache_type(scenario_.cache));
    attention.decode_call = {.kv_heads = kv_heads,
                             .group = heads / kv_heads,
                             .dims = decode_dims,
                             .row_bytes = row_bytes,
                             .peak = bf16_peak * attention.decode.curve->sustained};
    attention.prefill_call = {.window = window,
                              .n_heads = heads,
                              .kv_heads = kv_heads,
                              .dims = prefill_dims,
                              .row_bytes = row_bytes,
                              .peak = bf16_peak * attention.prefill.curve->sustained};
    attention.window = window;
    attention.top_k = top_k;
    push(OpKind::kAttention, attention);
  }

  void add_experts(const Op& op, const ExpertsShape& shape) {
    const Share up = share_of(WeightRole::kExpertUp, op.layer);
    const Share down = share_of(WeightRole::kExpertDown, op.layer);
    const auto* spec = std::get_if<MoeSpec>(&scenario_.model.layers[static_cast<std::size_t>(op.layer)].feed_forward);
    if (up.format == nullptr || down.format == nullptr || spec == nullptr) return;
    const Layout& layout = scenario_.layout;
    const bool whole = layout.experts == ExpertPlacement::kWhole;
    const ChosenCurve curve = choose(OpLaw::kExperts, kernel_type(*up.format, scenario_.device));
    push(OpKind::kExpertUp, ExpertsWork{.curve = curve,
                                        .call = {.experts = down.count,
                                                 .hidden = down.rows,
                                                 .inter = down.columns,
                                                 .products = spec->gate == Gate::kGated ? 3.0 : 2.0,
                                                 .weight_bytes = element_bytes(down),
                                                 .peak = curve.peak},
                                        .n_experts = static_cast<double>(shape.n_experts),
                                        .active = static_cast<double>(shape.n_active),
                                        .ranks = whole ? static_cast<double>(layout.n_expert_ranks()) : 1.0,
                                        .groups = static_cast<double>(layout.attention_data_parallel)});
    add_expert_messages(static_cast<double>(shape.n_active));
    add_router();
  }

  /// Within a tensor-parallel group every rank holds all tokens and the partial sums are added up. Groups with sequences of their
  /// own send tokens to the ranks of their experts and get results back: each token to all ranks, or, where ranks outnumber a
  /// token's experts, to those alone.
  /// Source   NVIDIA/TensorRT-LLM:tensorrt_llm/_torch/modules/fused_moe (no all-to-all where moe_ep_size <= top_k)
  void add_expert_messages(double active) {
    const Layout& layout = scenario_.layout;
    const double width = scenario_.model.d_model;
    if (layout.attention_data_parallel == 1) return add_all_reduce(OpKind::kExpertDown);
    const int ranks = layout.n_expert_ranks();
    const bool chosen = ranks > active;
    const double copies = chosen ? active : layout.attention_data_parallel;
    add_message(OpKind::kExpertDown, chosen ? OpLaw::kAllToAll : OpLaw::kAllGather, ranks, copies * width);  // FP8
    add_message(OpKind::kExpertDown, chosen ? OpLaw::kAllToAll : OpLaw::kReduceScatter, ranks,
                copies * width * kActivationBytes);
  }

  /// Softmax, the choice of experts, and sorting tokens by expert.
  void add_router() { push(OpKind::kRouter, StreamWork{.curve = choose(OpLaw::kStream, "any"), .launches = 1.0}); }

  void add_stream(const Op& op) {
    const OpCost cost = kernels::op_cost(op.shape);
    const double share = is_spread(op.kind) ? tp() : 1.0;
    // With several ranks the norm behind a sum over them runs in the kernel of that sum.
    // Source  vllm-project/vllm:vllm/compilation/passes (allreduce_rms_fusion), NVIDIA/TensorRT-LLM (AllReduceFusionOp)
    const bool in_sum = op.kind == OpKind::kNorm && tp() > 1.0;
    // Costs count activations of 4 bytes.
    push(op.kind, StreamWork{.curve = choose(OpLaw::kStream, "any"),
                             .token_bytes = cost.activation_bytes.value / 2.0 / share,
                             .launches = in_sum ? 0.0 : 1.0});
  }

  void add_scan(const ScanShape& scan) {
    const double state = 1.0 * scan.n_heads * scan.rows * scan.columns * size_of(scan.state_dtype) / tp();
    // Prefill works in blocks of 64 tokens, each of which reads and writes the state once.
    // Source  fla-org/flash-linear-attention:fla/ops/gated_delta_rule/chunk.py
    constexpr double kBlockTokens = 64.0;
    push(OpKind::kScan, StreamWork{.curve = choose(OpLaw::kStream, "any"),
                                   .token_bytes = 2.0 * state / kBlockTokens,
                                   .sequence_bytes = 2.0 * state,
                                   .launches = 2.0});
  }

  /// Logits are widened to FP32, turned into probabilities and drawn from: some five passes.
  void add_sampler() {
    const double vocab = scenario_.model.vocab_size;
    push(OpKind::kSample,
         StreamWork{.curve = choose(OpLaw::kStream, "any"), .sequence_bytes = 5.0 * 4.0 * vocab, .launches = 5.0});
  }

  const TimeScenario& scenario_;
  const EfficiencyCatalog& curves_;
  EfficiencyOrigin& origin_;
  std::vector<Op> ops_;
  std::vector<RankTensor> tensors_;
  StepStage* stage_ = nullptr;
};

}  // namespace

StepStages step_stages(const TimeScenario& scenario, const EfficiencyCatalog& curves) {
  require_shardable(scenario.model, scenario.layout);
  StepStages made;
  StageBuilder builder(scenario, curves, made.origin);
  for (int index = 0; index < scenario.layout.pipeline_parallel; ++index) made.stages.push_back(builder.stage(index));
  return made;
}

}  // namespace dachlast
