#pragma once

#include <cstdint>
#include <optional>

#include "core/hardware/device_spec.h"
#include "core/model/model_spec.h"
#include "core/planner/engine_profile.h"
#include "core/planner/layout.h"
#include "core/planner/rank_load.h"

namespace dachlast {

/// What one pass of an engine works on: sequences that each get one token, and prompts or pieces of prompts beside them.
struct StepLoad {
  double decode_sequences = 0.0;
  double decode_kv = 0.0;  // tokens each of them holds, on average
  double prefill_sequences = 0.0;
  double prefill_tokens = 0.0;    // new ones, of all of them together
  double prefill_kv = 0.0;        // tokens each holds afterwards
  double finished_prompts = 0.0;  // which yield their first token
  double tokens_each = 1.0;       // a decoding sequence brings to the pass: drafted ones are checked beside its last
};

/// Drafted tokens that one pass of the model checks. A drafted token is kept with a probability, if all before it were.
struct Speculation {
  int draft_tokens = 0;
  double acceptance = 0.0;
  /// Time to draft one token for all sequences, over the kernels of a pass that decodes one for each: a layer for multi-token
  /// prediction, 1 / n_layers; the quotient of both models' parameters for a draft model; 0 for looking up the prompt.
  double draft_share = 0.0;
};

/// Tokens a sequence gains by a pass: (1 − a^(k+1)) / (1 − a) for k drafted ones of acceptance a, 1 without.
/// Errors   throws `Error` (kUsage) unless 0 ≤ k ≤ 64 and 0 ≤ a ≤ 1.
/// Source   Leviathan, Kalman & Matias 2023, arXiv:2211.17192, equation 1
double tokens_per_pass(const Speculation& speculation);

/// What stays in host memory and crosses the link in every pass, beside the kernels.
struct HostOffload {
  double weight_share = 0.0;            // of each device's weights
  double cache_share = 0.0;             // of the cache that a pass reads
  std::optional<double> bytes_per_s{};  // one direction; the device's own link where absent
};

/// How kernels of passes without prompts start: replayed from a captured graph, or one by one by the host.
enum class Launching : std::uint8_t { kCaptured, kEager };

/// A model on devices under an engine, as far as time is concerned.
struct TimeScenario {
  ModelSpec model;
  WeightFormat weights;
  CacheFormat cache;
  DeviceSpec device;
  Layout layout;
  EngineProfile engine;
  /// Bytes of an element of the matrices, where a file mixes types.
  std::optional<double> weight_bytes = {};
  std::optional<Speculation> speculation = {};
  std::optional<HostOffload> offload = {};
  Launching launching = Launching::kCaptured;
};

}  // namespace dachlast
