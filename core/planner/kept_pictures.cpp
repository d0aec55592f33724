#include "core/planner/kept_pictures.h"

namespace dachlast {

double kept_pictures(const ModelSpec& model, const EngineProfile& engine, double n_tokens) {
  constexpr double kActivationBytes = 2;  // 16-bit types
  const bool keeps = engine.trial_run_keeps && engine.trial_run_keeps->value == TrialRunKeeps::kPictures;
  return keeps && !model.towers.empty() ? n_tokens * kActivationBytes * model.d_model : 0.0;
}

}  // namespace dachlast
