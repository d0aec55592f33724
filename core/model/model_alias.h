#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/model/preset_catalog.h"

namespace dachlast {

/// A preset that a text names.
struct PresetMatch {
  std::string preset;
  std::string reason;     // why the preset stands for another name; empty where it is the preset's own
  std::string data_type;  // named in the text, "fp8"; empty: none
};

/// The preset whose architecture a model has that logs, tables and hubs name in their own ways:
/// "meta-llama/Llama-3.1-8B-Instruct", "LLaMA v2 7B", "unsloth_DeepSeek R1 BF16", "qwen2.5-coder:32b".
/// Organisation, tuning, date and data type are left out of the comparison; family, version, variant and sizes must
/// agree with a preset's name or one of its aliases. `parameters` decides where a text gives no size ("LLaMA v2", 13.016 B).
/// Empty where no preset or more than one fits: no guess is better than a wrong one.
std::optional<PresetMatch> match_preset(std::string_view text, std::span<const PresetSource> presets,
                                        std::optional<double> parameters = std::nullopt);

/// The preset's name alone.
std::optional<std::string> preset_for_model_text(std::string_view text, std::span<const PresetSource> presets,
                                                 std::optional<double> parameters = std::nullopt);

}  // namespace dachlast
