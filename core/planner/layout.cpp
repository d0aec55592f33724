#include "core/planner/layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "core/base/overloaded.h"

namespace dachlast {
namespace {

[[noreturn]] void refuse(std::string subject, std::string reason, std::string way_out) {
  throw Error(ErrorKind::kDoesNotFit, std::move(subject), std::move(reason), std::move(way_out));
}

/// Largest divisor of `count` that is at most `limit`.
int divisor_below(int count, int limit) {
  int divisor = std::min(count, limit);
  while (count % divisor != 0) --divisor;
  return divisor;
}

class Check {
 public:
  explicit Check(const Layout& layout) : tp_(layout.tensor_parallel), layout_(layout) {}

  void operator()(const LayerSpec& layer) const {
    std::visit(Overloaded{[&](const AttentionSpec& a) { attention(a); },
                          [&](const MlaSpec& a) { divides(a.n_heads, "attention heads"); },
                          [&](const GatedDeltaNetSpec& a) {
                            divides(a.n_k_heads, "key heads of the linear attention");
                            divides(a.n_v_heads, "value heads of the linear attention");
                          },
                          [&](const Mamba1Spec& a) { divides(a.d_inner, "channels of the state-space layer"); },
                          [&](const Mamba2Spec& a) { divides(a.n_heads, "heads of the state-space layer"); },
                          [](const LinearMixer&) {}, [](const NoMixer&) {}},
               layer.mixer);
    std::visit(Overloaded{[&](const MlpSpec& m) { divides(m.d_ff, "columns of the MLP"); },
                          [&](const MoeSpec& m) { experts(m); }, [](const NoFeedForward&) {}},
               layer.feed_forward);
  }

 private:
  void divides(int count, std::string_view what) const {
    if (count % tp_ == 0) return;
    refuse(fmt::format("TP {}", tp_), fmt::format("{} {} are not divisible by {}.", count, what, tp_),
           fmt::format("TP {} is the largest below that divides them.", divisor_below(count, tp_)));
  }

  void attention(const AttentionSpec& a) const {
    divides(a.n_heads, "attention heads");
    // Fewer KV heads than ranks are copied to several of them, which needs the same number of ranks for each.
    if (a.n_kv_heads >= tp_)
      divides(a.n_kv_heads, "KV heads");
    else if (tp_ % a.n_kv_heads != 0)
      refuse(fmt::format("TP {}", tp_), fmt::format("{} ranks cannot share {} KV heads evenly.", tp_, a.n_kv_heads),
             "Use a multiple of the KV heads, or a divisor.");
  }

  void experts(const MoeSpec& m) const {
    if (m.shared_d_ff > 0) divides(m.shared_d_ff, "columns of the shared expert");
    const int ranks = layout_.n_expert_ranks();
    if (layout_.experts == ExpertPlacement::kSliced) {
      if (m.d_ff % ranks != 0)
        refuse(fmt::format("{} ranks", ranks),
               fmt::format("{} columns of an expert are not divisible by {}.", m.d_ff, ranks),
               "Place whole experts (--expert-parallel).");
    } else if (m.n_experts < ranks) {
      refuse(fmt::format("{} ranks", ranks), fmt::format("there are {} experts to share out.", m.n_experts),
             "Use fewer ranks.");
    }
  }

  int tp_;
  const Layout& layout_;
};

/// More than the largest clusters have; keeps products of ranks far from overflow.
constexpr std::int64_t kMostDevices = 1 << 16;

void require_countable(const Layout& layout) {
  const std::int64_t n_tensor = layout.tensor_parallel;
  const std::int64_t n_pipeline = layout.pipeline_parallel;
  const std::int64_t n_data = layout.attention_data_parallel;
  if (n_tensor <= kMostDevices / n_pipeline && n_tensor * n_pipeline <= kMostDevices / n_data) return;
  throw Error(ErrorKind::kUsage, fmt::format("TP {} × PP {} × attention DP {}", n_tensor, n_pipeline, n_data),
              fmt::format("are more than {} devices.", kMostDevices), "Use fewer.");
}

bool has_experts(const LayerSpec& layer) {
  return std::holds_alternative<MoeSpec>(layer.feed_forward);
}

/// Source   vllm-project/vllm:vllm/config/model.py verify_with_parallel_config refuses the same.
void require_experts(const ModelSpec& model, const Layout& layout) {
  if (layout.experts == ExpertPlacement::kSliced ||
      std::ranges::any_of(model.layers, [](const LayerSpec& layer) { return has_experts(layer); }))
    return;
  throw Error(ErrorKind::kUsage, "expert parallelism", "the model has no routed experts.",
              "Leave --expert-parallel out.");
}

void require_positive(std::string_view name, int value) {
  if (value > 0) return;
  throw Error(ErrorKind::kUsage, std::string(name), fmt::format("{} is not a positive number.", value),
              "Give 1 or more.");
}

}  // namespace

std::string title_of(const Layout& layout) {
  if (layout.n_devices() == 1) return "one device";
  std::string text;
  const auto add = [&](std::string_view name, int ranks) {
    if (ranks > 1) text += fmt::format("{}{} {}", text.empty() ? "" : " × ", name, ranks);
  };
  add("TP", layout.tensor_parallel);
  add("PP", layout.pipeline_parallel);
  add("attention DP", layout.attention_data_parallel);
  if (layout.experts == ExpertPlacement::kWhole) text += ", EP";
  return text;
}

StageLayers stage_layers(const Layout& layout, int n_layers, int stage) {
  const int n_stages = layout.pipeline_parallel;
  const int share = n_layers / n_stages;
  const int remainder = n_layers % n_stages;
  // The stages that get one more: those right before the last.
  const int first_longer = n_stages - 1 - remainder;
  const auto longer_before = [&](int s) { return std::clamp(s - first_longer, 0, remainder); };
  const int first = stage * share + longer_before(stage);
  const int next = (stage + 1) * share + longer_before(stage + 1);
  return {first, next - first};
}

void require_shardable(const ModelSpec& model, const Layout& layout) {
  require_positive("tensor parallelism", layout.tensor_parallel);
  require_positive("pipeline parallelism", layout.pipeline_parallel);
  require_positive("attention data parallelism", layout.attention_data_parallel);
  require_countable(layout);
  require_experts(model, layout);
  if (layout.pipeline_parallel > model.n_layers())
    refuse(fmt::format("PP {}", layout.pipeline_parallel), fmt::format("the model has {} layers.", model.n_layers()),
           "Use at most one stage a layer.");
  const Check check(layout);
  for (const LayerSpec& layer : model.layers) check(layer);
}

}  // namespace dachlast
