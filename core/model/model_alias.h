#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/model/preset_catalog.h"

namespace dachlast {

/// The preset whose architecture a model has that logs, tables and hubs name in their own ways:
/// "meta-llama/Llama-3.1-8B-Instruct", "LLaMA v2 7B", "unsloth_DeepSeek R1 BF16", "Qwen3-235B-A22B-FP8".
/// Organisation, tuning, date and data type are left out of the comparison; family, version, variant and sizes must
/// agree. `parameters` decides where a text gives no size ("LLaMA v2", 13.016 B).
/// Empty where no preset or more than one fits: no guess is better than a wrong one.
std::optional<std::string> preset_for_model_text(std::string_view text, std::span<const PresetSource> presets,
                                                 std::optional<double> parameters = std::nullopt);

}  // namespace dachlast
