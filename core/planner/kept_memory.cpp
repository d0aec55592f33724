#include "core/planner/kept_memory.h"

#include <algorithm>
#include <variant>

namespace dachlast {
namespace {

constexpr double kActivationBytes = 2;  // 16-bit types

/// Elements the buffers of a layer of experts hold for one token.
double expert_width(const MoeSpec& moe, const Layout& layout, int d_model) {
  const bool sliced = layout.experts == ExpertPlacement::kSliced;
  const double d_ff = sliced ? 1.0 * moe.d_ff / layout.n_expert_ranks() : moe.d_ff;
  const double up = (moe.gate == Gate::kGated ? 2 : 1) * d_ff;
  return moe.n_active * (std::max(d_ff, 1.0 * d_model) + std::max(up, 1.0 * d_model));
}

}  // namespace

KeptMemory kept_memory(const ModelSpec& model, const EngineProfile& engine, const Layout& layout, double n_tokens) {
  KeptMemory kept;
  if (!engine.trial_run_keeps || engine.trial_run_keeps->value == TrialRunKeeps::kNothing) return kept;
  if (!model.towers.empty()) kept.pictures = n_tokens * kActivationBytes * model.d_model;
  if (engine.trial_run_keeps->value == TrialRunKeeps::kPictures) return kept;
  double widest = 0.0;
  for (const LayerSpec& layer : model.layers)
    if (const auto* moe = std::get_if<MoeSpec>(&layer.feed_forward))
      widest = std::max(widest, expert_width(*moe, layout, model.d_model));
  kept.expert_buffers = n_tokens * kActivationBytes * widest;
  return kept;
}

}  // namespace dachlast
