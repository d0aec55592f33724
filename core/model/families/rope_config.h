#pragma once

#include "core/model/config_object.h"
#include "core/model/model_spec.h"

namespace dachlast {

struct RopeDefaults {
  double theta = 10000.0;
  double partial_rotary_factor = 1.0;
  bool phi3 = false;    // "su" and "yarn" both mean longrope there
  bool mla = false;     // YaRN with "mscale" and "mscale_all_dim", as DeepSeek has it
  bool mscale = false;  // the same keys in plain attention, where they scale cosines and sines alone (Ministral 3)
};

/// Reads the rotary embedding: "rope_theta" and "rope_scaling", or "rope_parameters" of newer class versions, and
/// "partial_rotary_factor" or "rotary_dim". YaRN extends `spec.max_context` to factor · original context, as its
/// authors publish it with the short limit still in the config.
/// Source   huggingface/transformers:src/transformers/modeling_rope_utils.py
RopeSpec read_rope(ConfigObject& config, ModelSpec& spec, int head_dim, const RopeDefaults& defaults);

/// Reads one object of rope parameters: the value of "rope_scaling", "rope_parameters" or of one kind of layer in it.
/// `root` is the config around it, whose "original_max_position_embeddings" takes precedence.
RopeScaling read_rope_scaling(ConfigObject& config, ConfigObject& root, ModelSpec& spec, const RopeSpec& rope,
                              const RopeDefaults& defaults);

}  // namespace dachlast
