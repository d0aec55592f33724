#include "core/model/families/rope_config.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace dachlast {
namespace {

int original_context(ConfigObject& config, ConfigObject& root, const ModelSpec& spec) {
  constexpr const char* kKey = "original_max_position_embeddings";
  if (root.has_value(kKey)) return root.size(kKey, size_limit::kContext);
  return config.size_or(kKey, spec.max_context, size_limit::kContext);
}

double factor_of(ConfigObject& config) {
  const double factor = config.positive("factor");
  if (factor < 1.0) config.fail("factor", fmt::format("is {}, below 1", factor));
  return factor;
}

RopeScaling read_llama3(ConfigObject& config, ConfigObject& root, const ModelSpec& spec) {
  const Llama3RopeScaling scaling{.factor = factor_of(config),
                                  .low_freq_factor = config.positive("low_freq_factor"),
                                  .high_freq_factor = config.positive("high_freq_factor"),
                                  .original_context = original_context(config, root, spec)};
  if (scaling.high_freq_factor < scaling.low_freq_factor)
    config.fail("high_freq_factor",
                fmt::format("is {}, below low_freq_factor {}", scaling.high_freq_factor, scaling.low_freq_factor));
  return scaling;
}

/// Recommended by equation 22 of Peng et al. for weight 1: 0.1 · ln(factor) + 1.
double yarn_scale(double factor, double weight) {
  return 0.1 * weight * std::log(factor) + 1.0;
}

/// DeepSeek scales cos and sin by the ratio of two such factors, and scores by the square of the second.
/// Source   deepseek-ai/DeepSeek-V3:modeling_deepseek.py (DeepseekV3YarnRotaryEmbedding, DeepseekV3Attention).
void read_mscales(ConfigObject& config, YarnRopeScaling& scaling) {
  const double weight = config.positive_or("mscale", 1.0);
  const double weight_of_all = config.has_value("mscale_all_dim") ? config.positive("mscale_all_dim") : 0.0;
  if (weight > 100.0 || weight_of_all > 100.0) config.fail("mscale", "is above 100, beyond every known model");
  const double of_all = yarn_scale(scaling.factor, weight_of_all);
  scaling.attention_factor = yarn_scale(scaling.factor, weight) / of_all;
  scaling.score_factor = of_all * of_all;
}

/// Transformers takes the ratio of both factors where both are stated and above 0, else the usual factor.
/// Source   src/transformers/modeling_rope_utils.py (_compute_yarn_parameters).
void read_cosine_scale(ConfigObject& config, YarnRopeScaling& scaling) {
  const bool both = config.has_value("mscale") && config.has_value("mscale_all_dim") &&
                    !config.is_marker("mscale", 0) && !config.is_marker("mscale_all_dim", 0);
  if (!both) return;
  const double weight = config.positive("mscale");
  const double weight_of_all = config.positive("mscale_all_dim");
  if (weight > 100.0 || weight_of_all > 100.0) config.fail("mscale", "is above 100, beyond every known model");
  scaling.attention_factor = yarn_scale(scaling.factor, weight) / yarn_scale(scaling.factor, weight_of_all);
}

RopeScaling read_yarn(ConfigObject& config, ConfigObject& root, ModelSpec& spec, const RopeDefaults& defaults) {
  const double factor = factor_of(config);
  const bool whole = config.flag_or("truncate", true);
  YarnRopeScaling scaling{.factor = factor,
                          .beta_fast = config.positive_or("beta_fast", 32),
                          .beta_slow = config.positive_or("beta_slow", 1),
                          .attention_factor = config.positive_or("attention_factor", yarn_scale(factor, 1.0)),
                          .original_context = original_context(config, root, spec),
                          .range = whole ? YarnRange::kWholeDimensions : YarnRange::kExact};
  if (defaults.mla) read_mscales(config, scaling);
  if (defaults.mscale) read_cosine_scale(config, scaling);
  for (const char* key : {"mscale", "mscale_all_dim"})
    if (!defaults.mla && !defaults.mscale && config.has_value(key))
      config.fail(key, "belongs to multi-head latent attention");
  const double extended = std::min<double>(size_limit::kContext, factor * scaling.original_context);
  spec.max_context = std::max(spec.max_context, static_cast<int>(extended));
  return scaling;
}

std::vector<double> read_divisors(ConfigObject& config, const char* key, const RopeSpec& rope) {
  std::vector<double> divisors = config.positive_list(key, static_cast<std::size_t>(rope.rotary_dim / 2));
  for (const double divisor : divisors)  // published ones lie between 1 and 70
    if (divisor < 0.01 || divisor > 1e4) config.fail(key, fmt::format("holds {}, no plausible divisor", divisor));
  return divisors;
}

RopeScaling read_longrope(ConfigObject& config, ConfigObject& root, const ModelSpec& spec, const RopeSpec& rope) {
  LongRopeScaling scaling{.short_factor = read_divisors(config, "short_factor", rope),
                          .long_factor = read_divisors(config, "long_factor", rope),
                          .attention_factor = 1.0,
                          .original_context = original_context(config, root, spec)};
  const double stated = config.positive_or("factor", 1.0);
  const double extension = root.has_value("original_max_position_embeddings") || stated == 1.0
                               ? static_cast<double>(spec.max_context) / scaling.original_context
                               : stated;
  const double derived =
      extension <= 1.0 ? 1.0 : std::sqrt(1.0 + std::log(extension) / std::log(scaling.original_context));
  if (!std::isfinite(derived))
    root.fail("original_max_position_embeddings", fmt::format("is {}, too short", scaling.original_context));
  scaling.attention_factor = config.positive_or("attention_factor", derived);
  return scaling;
}

/// Dynamic NTK changes the base only beyond the trained context, which this program does not exceed.
RopeScaling read_dynamic(ConfigObject& config) {
  factor_of(config);
  config.warn("rope_scaling", "dynamic NTK scaling only acts beyond max_position_embeddings: not applied");
  return {};
}

int read_rotary_dim(ConfigObject& config, int head_dim, double partial) {
  const int derived = static_cast<int>(head_dim * partial + 1e-9);  // 0.4 · 80 must not become 31
  const int rotary_dim = config.size_or("rotary_dim", derived, head_dim);
  if (rotary_dim <= 0 || rotary_dim % 2 != 0 || rotary_dim > head_dim)
    config.fail("rotary_dim", fmt::format("of {} is not an even part of head_dim {}", rotary_dim, head_dim));
  return rotary_dim;
}

double read_partial(ConfigObject& config, double fallback) {
  const double partial = config.positive_or("partial_rotary_factor", fallback);
  if (partial > 1.0) config.fail("partial_rotary_factor", fmt::format("is {}, above 1", partial));
  return partial;
}

double read_theta(ConfigObject& config, double fallback) {
  const double theta = config.positive_or("rope_theta", fallback);
  if (theta <= 1.0) config.fail("rope_theta", fmt::format("is {}, not above 1", theta));
  return theta;
}

}  // namespace

RopeScaling read_rope_scaling(ConfigObject& config, ConfigObject& root, ModelSpec& spec, const RopeSpec& rope,
                              const RopeDefaults& defaults) {
  const std::string key = config.first_of({"rope_type", "type"});
  const std::string type = config.text_or(key, "default");
  const bool longrope = type == "longrope" || type == "su" || (defaults.phi3 && type == "yarn");
  // "mrope" places pictures; in text all three coordinates are the token's place.
  if (type == "default" || type == "mrope") return {};
  if (type == "linear") return LinearRopeScaling{factor_of(config)};
  if (type == "llama3") return read_llama3(config, root, spec);
  if (longrope) return read_longrope(config, root, spec, rope);
  if (type == "yarn") return read_yarn(config, root, spec, defaults);
  if (type == "dynamic") return read_dynamic(config);
  config.fail(key, fmt::format("is \"{}\", an unknown RoPE scaling", type),
              "Known: default, linear, llama3, yarn, longrope, dynamic.");
}

RopeSpec read_rope(ConfigObject& config, ModelSpec& spec, int head_dim, const RopeDefaults& defaults) {
  RopeSpec rope{.theta = read_theta(config, defaults.theta),
                .rotary_dim = read_rotary_dim(config, head_dim, read_partial(config, defaults.partial_rotary_factor)),
                .scaling = {}};
  const std::string key = config.first_of({"rope_scaling", "rope_parameters"});
  if (!config.has_value(key)) return rope;
  ConfigObject parameters = config.object(key);
  rope.theta = read_theta(parameters, rope.theta);
  if (parameters.has_value("partial_rotary_factor"))
    rope.rotary_dim = read_rotary_dim(config, head_dim, read_partial(parameters, 1.0));
  rope.scaling = read_rope_scaling(parameters, config, spec, rope, defaults);
  for (const char* mrope : {"mrope_section", "mrope_interleaved"}) parameters.ignore(mrope);
  parameters.ignore("llama_4_scaling_beta");  // scales queries by their position (Ministral 3): no memory, no work
  parameters.warn_about_unread_keys();
  return rope;
}

}  // namespace dachlast
