#pragma once

#include <variant>

#include "core/model/op_list.h"

namespace dachlast {

/// Heads in a row of a layer's projection: queries first, then keys, then as many values. A layer that reads another's cache
/// has queries only, one that a shortcut passes by none.
struct QkvColumns {
  int q_heads = 0;
  int kv_heads = 0;
  int head_dim = 0;

  int q_width() const { return q_heads * head_dim; }
  int kv_width() const { return kv_heads * head_dim; }
  int width() const { return q_width() + 2 * kv_width(); }
};

/// Which method of a runner computes which kind of operation: one list for every device. Runners name it their friend.
struct OpDispatch {
  template <class Runner>
  static void run(Runner& runner, const Op& op) {
    switch (op.kind) {
      case OpKind::kEmbed: return runner.embed(op, std::get<EmbedShape>(op.shape));
      case OpKind::kNorm: return runner.norm(op, std::get<NormShape>(op.shape));
      case OpKind::kQkvProj:
      case OpKind::kOProj:
      case OpKind::kMlpUp:
      case OpKind::kMlpDown:
      case OpKind::kLatentDown: return runner.linear(op, std::get<LinearShape>(op.shape));
      case OpKind::kLatentUp: return runner.latent_up(op);
      case OpKind::kQkNorm:
      case OpKind::kRope:
      case OpKind::kKvWrite:
      case OpKind::kAttention: {
        const MlaSpec* latent = runner.latent_of(op);
        return latent != nullptr ? run_latent(runner, op, *latent) : run_plain(runner, op);
      }
      case OpKind::kMlpAct: return runner.activate(op, std::get<ActivationShape>(op.shape));
      case OpKind::kResidual: return runner.residual(op, std::get<ResidualShape>(op.shape));
      case OpKind::kLmHead: return runner.lm_head(op, std::get<LinearShape>(op.shape));
      case OpKind::kSample: return runner.sample(op, std::get<SampleShape>(op.shape));
      // No kernels yet: `validate` refuses models that have these.
      case OpKind::kIndexProj:
      case OpKind::kIndexScore:
      case OpKind::kMixerIn:
      case OpKind::kConv:
      case OpKind::kScan:
      case OpKind::kMixerOut:
      case OpKind::kGate:
      case OpKind::kRouter:
      case OpKind::kExpertUp:
      case OpKind::kExpertAct:
      case OpKind::kExpertDown:
      case OpKind::kCombine: break;
    }
  }

 private:
  /// What only attention with K and V heads does.
  template <class Runner>
  static void run_plain(Runner& runner, const Op& op) {
    switch (op.kind) {
      case OpKind::kQkNorm: return runner.qk_norm(op, std::get<NormShape>(op.shape));
      case OpKind::kRope: return runner.rope(op, std::get<RopeShape>(op.shape));
      case OpKind::kKvWrite: return runner.kv_write(op, std::get<KvWriteShape>(op.shape));
      default: return runner.attention(op, std::get<AttentionShape>(op.shape));
    }
  }

  /// What attention to latents does in its place.
  template <class Runner>
  static void run_latent(Runner& runner, const Op& op, const MlaSpec& a) {
    switch (op.kind) {
      case OpKind::kQkNorm: return runner.norm_latents(op, a);
      case OpKind::kRope: return runner.rotate_latents(op, a);
      case OpKind::kKvWrite: return runner.write_latents(op, a);
      default: return runner.attend_to_latents(op, a);
    }
  }
};

}  // namespace dachlast
