#pragma once

#include <filesystem>
#include <string>

namespace dachlast {

enum class IfModelExists { kRefuse, kReplace };

/// Folder of imported configs: `$XDG_DATA_HOME/dachlast/models`.
std::filesystem::path user_model_dir();

/// Checks a config.json and stores a copy in the user's folder; from then on the model is known as `name`. Weights stay where
/// they are and are not part of it.
/// Errors   throws `Error`: kInput where the config is wrong; kUsage where the name cannot be a file's, belongs to a preset, or
///          is taken and `if_exists` refuses.
void import_model(const std::filesystem::path& config, const std::string& name, IfModelExists if_exists);

/// What a model is called that is imported without a name: its folder's for a config.json, else the file's.
std::string import_name(const std::filesystem::path& config);

}  // namespace dachlast
