#include "core/planner/recommend_layouts.h"

#include <algorithm>

#include "core/base/error.h"

namespace dachlast {
namespace {

bool has_experts(const ModelSpec& model) {
  return std::ranges::any_of(
      model.layers, [](const LayerSpec& layer) { return std::holds_alternative<MoeSpec>(layer.feed_forward); });
}

class Choices {
 public:
  Choices(const ModelSpec& model, int max_devices) : model_(model), max_devices_(max_devices) {}

  void add(const Layout& layout) {
    if (layout.n_devices() > max_devices_) return;
    try {
      require_shardable(model_, layout);
      made_.layouts.push_back(layout);
    } catch (const Error& error) {
      const bool told = std::ranges::any_of(
          made_.refused, [&](const auto& r) { return r.subject == error.subject() && r.reason == error.reason(); });
      if (!told) made_.refused.push_back({error.subject(), error.reason()});
    }
  }

  LayoutChoices take() { return std::move(made_); }

 private:
  const ModelSpec& model_;
  int max_devices_;
  LayoutChoices made_;
};

}  // namespace

LayoutChoices layout_choices(const ModelSpec& model, std::string_view engine, int max_devices) {
  Choices choices(model, max_devices);
  const bool layers_only = engine == "llama.cpp";
  const bool experts = has_experts(model) && !layers_only;
  const int most_ranks = layers_only ? 1 : std::min(kMostStageRanks, max_devices);
  for (int stages = 1; stages <= max_devices; stages *= 2)
    for (int tensor = 1; tensor <= most_ranks; ++tensor) {
      choices.add({.tensor_parallel = tensor, .pipeline_parallel = stages});
      if (!experts) continue;
      for (int groups = 1; groups * tensor <= most_ranks; groups *= 2)
        if (groups * tensor > 1)
          choices.add({.tensor_parallel = tensor,
                       .pipeline_parallel = stages,
                       .attention_data_parallel = groups,
                       .experts = ExpertPlacement::kWhole});
    }
  return choices.take();
}

}  // namespace dachlast
