#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/towers.h"

// Qwen models that see: a Qwen 2 or 3 beside a vision tower.
namespace dachlast {
namespace {

/// Newer Transformers nest the text model, the published files state it at the root.
void read_flat_or_nested(ConfigObject& config, ModelSpec& spec) {
  if (config.has_value("text_config"))
    read_nested_text(config, spec, read_qwen2);
  else
    read_qwen2(config, spec);
  spec.naming = TensorNaming::kNone;
}

}  // namespace

/// Source src/transformers/models/qwen2_vl/{configuration,modeling}_qwen2_vl.py
void read_qwen2_vl(ConfigObject& config, ModelSpec& spec) {
  read_flat_or_nested(config, spec);
  read_qwen2_vl_tower(config, spec);
}

/// Source src/transformers/models/qwen2_5_vl/{configuration,modeling}_qwen2_5_vl.py
void read_qwen25_vl(ConfigObject& config, ModelSpec& spec) {
  read_flat_or_nested(config, spec);
  read_qwen25_vl_tower(config, spec);
}

/// Source src/transformers/models/qwen3_vl/{configuration,modeling}_qwen3_vl.py: what the tower's middle layers saw is added
/// to the first text layers through mergers of their own.
void read_qwen3_vl(ConfigObject& config, ModelSpec& spec) {
  read_nested_text(config, spec, read_qwen3);
  spec.naming = TensorNaming::kNone;
  read_qwen35_tower(config, spec);
}

/// Source src/transformers/models/qwen3_vl_moe/{configuration,modeling}_qwen3_vl_moe.py
void read_qwen3_vl_moe(ConfigObject& config, ModelSpec& spec) {
  read_nested_text(config, spec, read_qwen3_moe);
  read_qwen35_tower(config, spec);
}

}  // namespace dachlast
