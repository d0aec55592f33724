#include "tests/architecture/reference_rope.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <stdexcept>

namespace dachlast::reference {
namespace {

using nlohmann::json;

constexpr double kTurn = 2.0 * std::numbers::pi;

/// By wavelength, in tokens per turn.
void scale_llama3(const json& scaling, Rotation& rotation) {
  const double original = scaling.at("original_max_position_embeddings");
  const double low = scaling.at("low_freq_factor"), high = scaling.at("high_freq_factor");
  const double factor = scaling.at("factor");
  for (double& f : rotation.frequencies) {
    const double wavelength = kTurn / f;
    if (wavelength > original / low) {
      f /= factor;
    } else if (wavelength >= original / high) {
      const double smooth = (original / wavelength - low) / (high - low);
      f = (1.0 - smooth) * f / factor + smooth * f;
    }
  }
}

/// By dimension: those below the one that turns 32 times in the original context stay, those above the one that turns
/// once are divided, a ramp between.
void scale_yarn(const json& scaling, double theta, Rotation& rotation) {
  const double original = scaling.at("original_max_position_embeddings"), factor = scaling.at("factor");
  const double n = 2.0 * static_cast<double>(rotation.frequencies.size());
  const auto dimension_of = [&](double turns) {
    return n * std::log(original / (turns * kTurn)) / (2.0 * std::log(theta));
  };
  const double low = std::max(std::floor(dimension_of(32.0)), 0.0);
  const double high = std::min(std::ceil(dimension_of(1.0)), n - 1.0);
  for (std::size_t i = 0; i < rotation.frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    rotation.frequencies[i] = ramp * rotation.frequencies[i] / factor + (1.0 - ramp) * rotation.frequencies[i];
  }
  rotation.factor = 0.1 * std::log(factor) + 1.0;
}

void scale_longrope(const json& config, int n_tokens, Rotation& rotation) {
  const double original = config.at("original_max_position_embeddings");
  const json& divisors = config.at("rope_scaling").at(n_tokens > original ? "long_factor" : "short_factor");
  for (std::size_t i = 0; i < rotation.frequencies.size(); ++i) rotation.frequencies[i] /= divisors.at(i).get<double>();
  const double extension = config.at("max_position_embeddings").get<double>() / original;
  rotation.factor = std::sqrt(1.0 + std::log(extension) / std::log(original));
}

}  // namespace

Rotation plain_rotation(double theta, int n_rotated) {
  Rotation rotation;
  for (int i = 0; i < n_rotated / 2; ++i) rotation.frequencies.push_back(1.0 / std::pow(theta, 2.0 * i / n_rotated));
  return rotation;
}

Rotation rotation_of(const json& config, int head_dim, int n_tokens) {
  const double theta = config.at("rope_theta");
  const auto n_rotated = static_cast<int>(head_dim * config.value("partial_rotary_factor", 1.0));
  Rotation rotation = plain_rotation(theta, n_rotated);
  if (!config.contains("rope_scaling")) return rotation;
  const json& scaling = config.at("rope_scaling");
  const std::string type = scaling.contains("rope_type") ? scaling.at("rope_type") : scaling.at("type");
  if (type == "linear") {
    for (double& f : rotation.frequencies) f /= scaling.at("factor").get<double>();
  } else if (type == "llama3") {
    scale_llama3(scaling, rotation);
  } else if (type == "yarn") {
    scale_yarn(scaling, theta, rotation);
  } else if (type == "longrope") {
    scale_longrope(config, n_tokens, rotation);
  } else {
    throw std::invalid_argument("rope scaling " + type);
  }
  return rotation;
}

}  // namespace dachlast::reference
