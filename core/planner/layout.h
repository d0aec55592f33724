#pragma once

#include <cstdint>
#include <string>

#include "core/model/model_spec.h"

namespace dachlast {

/// How routed experts are spread.
enum class ExpertPlacement : std::uint8_t {
  kSliced,  // every rank holds a slice of every expert (tensor parallelism)
  kWhole    // every rank holds whole experts, a share of them (expert parallelism)
};

/// How a model is spread over devices: `pipeline_parallel` stages of `tensor_parallel` · `attention_data_parallel` ranks.
struct Layout {
  int tensor_parallel = 1;
  int pipeline_parallel = 1;
  /// Groups of ranks that each hold the attention whole (cut by tensor parallelism inside the group) and serve sequences of
  /// their own, while experts are spread over all of them.
  int attention_data_parallel = 1;
  ExpertPlacement experts = ExpertPlacement::kSliced;

  int n_devices() const { return tensor_parallel * pipeline_parallel * attention_data_parallel; }
  /// Ranks that share the experts of a stage.
  int n_expert_ranks() const { return tensor_parallel * attention_data_parallel; }
};

/// "TP 4", "TP 8 × PP 2, EP"; "one device".
std::string title_of(const Layout& layout);

/// Layers of one pipeline stage.
struct StageLayers {
  int first = 0;
  int count = 0;
};

/// Stage `stage` of `layout`: n_layers / stages each, and of the remainder one more for the stages before the last.
/// Source   vllm-project/vllm:vllm/distributed/utils.py get_pp_indices (the last stage also holds the head)
StageLayers stage_layers(const Layout& layout, int n_layers, int stage);

/// Errors   throws `Error`: kDoesNotFit naming what cannot be divided: "TP 3: 32 attention heads are not divisible by 3.";
///          kUsage for ranks below 1, more than 65,536 devices, and expert parallelism without experts.
void require_shardable(const ModelSpec& model, const Layout& layout);

}  // namespace dachlast
