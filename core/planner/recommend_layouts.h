#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/planner/layout.h"

namespace dachlast {

/// Ranks of one stage exchange messages in every layer, so they stay where links are fast: in one computer of usual size.
inline constexpr int kMostStageRanks = 8;

/// A layout the model cannot be cut into, with the reason: "TP 3", "32 attention heads are not divisible by 3."
struct RefusedLayout {
  std::string subject;
  std::string reason;
};

struct LayoutChoices {
  std::vector<Layout> layouts;
  std::vector<RefusedLayout> refused;  // each reason once
};

/// Every layout of at most `max_devices` that the model can be cut into: TP 1 to 8, PP 1, 2, 4, …, routed experts sliced or whole,
/// and attention data parallelism with whole experts, where the engine knows them. llama.cpp gives whole layers to devices.
/// Source   ggml-org/llama.cpp:tools/server/README.md (--split-mode layer is the default)
LayoutChoices layout_choices(const ModelSpec& model, std::string_view engine, int max_devices);

}  // namespace dachlast
