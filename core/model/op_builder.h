#pragma once

#include <vector>

#include "core/model/op_list.h"

// How the op list is put together; used by `build_op_list` alone.
namespace dachlast {

/// Appends the operations of one step in the order they run. Each member is one line of the paper.
class OpBuilder {
 public:
  OpBuilder(const ModelSpec& model, const Step& step, const Precision& precision, std::vector<Op>& ops)
      : model_(model), step_(step), precision_(precision), n_tokens_(static_cast<int>(step.n_tokens())), ops_(ops) {}

  void enter_layer(int layer) { layer_ = layer; }
  void embed();
  void norm(WeightRole weight, Buffer in, Buffer out);
  /// From `in` to kBranch; nothing where the layer has none.
  void mixer(Buffer in);
  void feed_forward(Buffer in);
  void residual();
  void head();

  bool has_mixer() const { return dachlast::has_mixer(layer()); }
  bool has_feed_forward() const { return dachlast::has_feed_forward(layer()); }

 private:
  const LayerSpec& layer() const { return model_.layers[static_cast<std::size_t>(layer_)]; }

  void add(OpKind kind, const OpShape& shape, WeightRole weight, Buffer in, Buffer out) {
    ops_.push_back({kind, layer_, shape, weight, in, out, rows_});
  }
  void linear(OpKind kind, WeightRole weight, int n, int k, Buffer in, Buffer out) {
    add(kind, LinearShape{n_tokens_, n, k, precision_.weights}, weight, in, out);
  }
  void gate(int width, Buffer in, Buffer out) {
    add(OpKind::kGate, ActivationShape{n_tokens_, width, Gate::kGated}, WeightRole::kNone, in, out);
  }

  // One for each kind of mixer and feed-forward.
  void run(const AttentionSpec& a, Buffer in);
  void run(const MlaSpec& a, Buffer in);
  void run(const GatedDeltaNetSpec& d, Buffer in);
  void run(const Mamba1Spec& m, Buffer in);
  void run(const Mamba2Spec& m, Buffer in);
  void run(const LinearMixer&, Buffer in);
  void run(const NoMixer&, Buffer) {}
  void run(const MlpSpec& mlp, Buffer in);
  void run(const MoeSpec& moe, Buffer in);
  void run(const NoFeedForward&, Buffer) {}

  void qk_norm(const AttentionSpec& a);
  void rope(const AttentionSpec& a);
  void plain_attention(const AttentionSpec& a);
  void wide_attention(const AttentionSpec& a);
  void latent_projections(const MlaSpec& a, Buffer in);
  void latent_attention(const MlaSpec& a);
  void absorbed_attention(const MlaSpec& a);
  WideAttentionShape attention_to_latents(const MlaSpec& a) const;
  void index(const IndexerSpec& indexer, const MlaSpec& a, Buffer in);
  void experts(const MoeSpec& moe, Buffer in);
  void shared_expert(const MoeSpec& moe, Buffer in);

  const ModelSpec& model_;
  const Step& step_;
  const Precision& precision_;
  const int n_tokens_;
  std::vector<Op>& ops_;
  int layer_ = -1;
  Rows rows_ = Rows::kAll;
};

}  // namespace dachlast
