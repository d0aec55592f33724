#pragma once

#include "core/model/config_object.h"
#include "core/model/model_spec.h"

// Eyes beside a text model: counted as weights, never run. Where "vision_config" is missing or states too few sizes,
// the tower stays out of every figure and a warning says so.
namespace dachlast {

/// SigLIP without its head, and Gemma 3's projector. Source src/transformers/models/{siglip,gemma3}/modeling_*.py
void read_siglip_tower(ConfigObject& config, ModelSpec& spec);
/// Source src/transformers/models/llama4/modeling_llama4.py (Llama4VisionModel, Llama4MultiModalProjector).
void read_llama4_tower(ConfigObject& config, ModelSpec& spec);
/// Source src/transformers/models/{qwen3_5,qwen3_vl}/modeling_*.py (Qwen3_5VisionModel, Qwen3VLVisionModel).
void read_qwen35_tower(ConfigObject& config, ModelSpec& spec);
/// Pixtral, and the projector that merges its patches. Source src/transformers/models/{pixtral,mistral3}/modeling_*.py
void read_pixtral_tower(ConfigObject& config, ModelSpec& spec);
/// The vision model of Llama 3.2, its projection, and what cross-attention adds to the text model: eight embeddings and
/// two gates a layer. Source src/transformers/models/mllama/modeling_mllama.py
void read_mllama_tower(ConfigObject& config, ModelSpec& spec);
/// Source src/transformers/models/qwen2_vl/modeling_qwen2_vl.py (Qwen2VisionTransformerPretrainedModel).
void read_qwen2_vl_tower(ConfigObject& config, ModelSpec& spec);
/// Source src/transformers/models/qwen2_5_vl/modeling_qwen2_5_vl.py (Qwen2_5_VisionTransformerPretrainedModel).
void read_qwen25_vl_tower(ConfigObject& config, ModelSpec& spec);
/// Source src/transformers/models/gemma4/modeling_gemma4.py (Gemma4VisionModel, Gemma4MultimodalEmbedder).
void read_gemma4_tower(ConfigObject& config, ModelSpec& spec);

}  // namespace dachlast
