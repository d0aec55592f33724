#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/model/model_spec.h"

namespace dachlast {

/// Something in a config that changes memory or numerics and is not known: computed as an upper bound, and said.
struct ConfigWarning {
  std::string code;  // "unknown_field", …
  std::string text;
};

/// A model as the user named it, found and read.
struct ModelSource {
  ModelSpec spec;
  std::filesystem::path config_path;
  std::optional<std::filesystem::path> weights_path;  // safetensors file or folder, GGUF; empty: none beside the config
  std::optional<std::filesystem::path> tokenizer_path;
  std::string config_hash;  // 16 hex digits over the config's bytes
  std::vector<ConfigWarning> warnings;
};

/// Reads a Hugging Face config.json.
/// Errors   throws `Error` (kInput) naming file, field and reason; unknown architectures are refused with the known
/// list.
ModelSpec read_model_spec(const std::filesystem::path& config, std::vector<ConfigWarning>& warnings);

/// Resolves what the user typed: a preset name ("gpt2", "llama-3.2-1b", "stories-260k"), an imported model, a config.json, a
/// folder, a .safetensors or a .gguf file. Names of models with a preset's architecture are taken for it, with a warning that
/// says why ("meta-llama/Llama-3.3-70B-Instruct"). Other names get the nearest preset suggested.
ModelSource resolve_model(const std::string& name_or_path);

struct PresetInfo {
  std::string name;
  std::string title;   // "Llama 3.2 1B"
  std::string source;  // where the config comes from
  bool has_weights;
  bool imported = false;  // by the user
};

/// The presets in the project's data folder and the imported models, sorted by name.
std::vector<PresetInfo> list_presets();

/// Folder of the project's data files: $DACHLAST_DATA_DIR, else share/dachlast beside the program's bin folder.
std::filesystem::path data_dir();

}  // namespace dachlast
