#include "core/model/gguf_rope.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/model/config_object.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

/// Latent attention stretches the scale of its scores too: "yarn_log_multiplier" is 0.1 · mscale_all_dim. Its published
/// models have mscale = mscale_all_dim, which leaves cos and sin as they are.
/// Source   ggml-org/llama.cpp:src/models/deepseek2.cpp, :conversion/deepseek.py
void read_score_factor(GgufConfig& config, YarnRopeScaling& scaling) {
  const auto multiplier = config.non_negative_if_any("rope.scaling.yarn_log_multiplier");
  if (!multiplier) return;
  if (*multiplier > 10.0) config.fail("rope.scaling.yarn_log_multiplier", fmt::format("is {}, above 10", *multiplier));
  const double stretch = 1.0 + *multiplier * std::log(scaling.factor);
  scaling.attention_factor = 1.0;
  scaling.score_factor = stretch * stretch;
}

RopeScaling read_yarn(GgufConfig& config, ModelSpec& spec, double factor) {
  const int original =
      config.size_if_any("rope.scaling.original_context_length", size_limit::kContext).value_or(spec.max_context);
  const double extended = std::min<double>(size_limit::kContext, factor * original);
  spec.max_context = std::max(spec.max_context, static_cast<int>(extended));
  YarnRopeScaling scaling{.factor = factor,
                          .beta_fast = config.positive_if_any("rope.scaling.yarn_beta_fast").value_or(32.0),
                          .beta_slow = config.positive_if_any("rope.scaling.yarn_beta_slow").value_or(1.0),
                          // 0.1 · ln(factor) + 1: equation 22 of Peng et al. 2023; the key multiplies it.
                          .attention_factor = (0.1 * std::log(factor) + 1.0) *
                                              config.positive_if_any("rope.scaling.attn_factor").value_or(1.0),
                          .original_context = original};
  read_score_factor(config, scaling);
  return scaling;
}

RopeScaling read_rope_scaling(GgufConfig& config, ModelSpec& spec) {
  const std::string type = config.text_or("rope.scaling.type", "linear");
  const auto factor =
      config.non_negative_if_any(config.has("rope.scale_linear") ? "rope.scale_linear" : "rope.scaling.factor");
  // Without a scaling that reads them these have nothing to act on.
  config.ignore({"rope.scaling.original_context_length", "rope.scaling.attn_factor", "rope.scaling.yarn_ext_factor",
                 "rope.scaling.yarn_attn_factor"});
  if (type == "none" || type == "longrope") return {};
  if (type != "linear" && type != "yarn")
    config.fail("rope.scaling.type", fmt::format("is \"{}\", an unknown RoPE scaling", printable(type)),
                "Known: none, linear, yarn, longrope.");
  if (!factor || *factor == 0.0 || *factor == 1.0) return {};  // 0 stands for none
  if (*factor < 1.0) config.fail("rope.scaling.factor", fmt::format("is {}, below 1", *factor));
  return type == "linear" ? RopeScaling(LinearRopeScaling{*factor}) : read_yarn(config, spec, *factor);
}

int read_rotary_dim(GgufConfig& config, const char* key, int head_dim) {
  const int dim = config.size_if_any(key, size_limit::kHeadDim).value_or(head_dim);
  if (dim % 2 != 0 || dim > head_dim)
    config.fail(key, fmt::format("of {} is no even part of head_dim {}", dim, head_dim));
  return dim;
}

void check_theta(const GgufConfig& config, const char* key, double theta) {
  if (theta <= 1.0) config.fail(key, fmt::format("is {}, not above 1", theta));
}

}  // namespace

RopeSpec read_gguf_rope(GgufConfig& config, ModelSpec& spec, int head_dim) {
  RopeSpec rope;
  rope.theta = config.positive_if_any("rope.freq_base").value_or(10000.0);
  check_theta(config, "rope.freq_base", rope.theta);
  rope.rotary_dim = read_rotary_dim(config, "rope.dimension_count", head_dim);
  rope.scaling = read_rope_scaling(config, spec);
  // Sections divide the rotated dimensions among the axes of a picture.
  config.ignore({"rope.scaling.finetuned", "rope.dimension_sections"});
  return rope;
}

RopeSpec read_gguf_sliding_rope(GgufConfig& config, const RopeSpec& full, int head_dim, double default_theta) {
  RopeSpec rope = full;
  rope.rotary_dim = std::min(rope.rotary_dim, head_dim);
  if (config.has("rope.dimension_count_swa"))
    rope.rotary_dim = read_rotary_dim(config, "rope.dimension_count_swa", head_dim);
  const auto theta = config.positive_if_any("rope.freq_base_swa");
  if (!theta && default_theta == 0.0) return rope;
  rope.theta = theta.value_or(default_theta);
  check_theta(config, "rope.freq_base_swa", rope.theta);
  rope.scaling = {};
  return rope;
}

void warn_about_stored_frequencies(GgufConfig& config) {
  if (config.architecture() == "gemma4") return;  // there they say which part of a head turns, which is known
  for (const char* name : {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"})
    if (config.file().find_tensor(name) != nullptr)
      config.warn("rope_factors", fmt::format("tensor {} is not read: RoPE is described without it, which changes no "
                                              "figure of memory or work",
                                              name));
}

}  // namespace dachlast
