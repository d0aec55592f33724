#include "core/model/model_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/base/nearest_name.h"
#include "core/base/user_data_dir.h"
#include "core/model/gguf_model.h"
#include "core/model/json_file.h"
#include "core/model/model_alias.h"
#include "core/model/preset_catalog.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDataDirVariable = "DACHLAST_DATA_DIR";

bool is_file(const fs::path& path) {
  std::error_code failed;
  return fs::is_regular_file(path, failed);
}

bool is_folder(const fs::path& path) {
  std::error_code failed;
  return fs::is_directory(path, failed);
}

/// The data folder, empty where it is not there.
fs::path find_data_dir() {
  if (const char* stated = std::getenv(kDataDirVariable); stated && *stated) return is_folder(stated) ? stated : "";
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  const fs::path beside = program.parent_path().parent_path() / "share" / "dachlast";
  return !failed && is_folder(beside) ? beside : "";
}

/// FNV-1a, 64 bits: names a config in run files; no protection against forgery is asked of it.
/// Source   http://www.isthe.com/chongo/tech/comp/fnv/
std::string hash_of(const std::string& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

bool holds_weights(const fs::path& folder) {
  return is_file(folder / "model.safetensors") || is_file(folder / "model.safetensors.index.json");
}

ModelSource read_source(const fs::path& config) {
  constexpr std::size_t kLargestConfigBytes = std::size_t{16} << 20;
  ModelSource source;
  source.config_path = config;
  source.spec = read_model_spec(config, source.warnings);
  source.config_hash = hash_of(read_text_file(config, kLargestConfigBytes));
  return source;
}

ModelSource read_folder(const fs::path& folder) {
  if (!is_file(folder / "config.json"))
    throw Error(ErrorKind::kInput, folder.string(), "holds no config.json.",
                "Name the folder of a Hugging Face checkpoint.");
  ModelSource source = read_source(folder / "config.json");
  if (holds_weights(folder)) source.weights_path = folder;
  if (is_file(folder / "tokenizer.bin")) source.tokenizer_path = folder / "tokenizer.bin";
  return source;
}

ModelSource read_weights_file(const fs::path& weights) {
  ModelSource source = read_folder(fs::absolute(weights).parent_path());
  source.weights_path = weights;
  return source;
}

/// Metadata and tensor names stand for the config: what they say of the model is what its hash is of.
ModelSource read_gguf_source(const fs::path& path) {
  ModelSource source;
  const GgufFile file = read_gguf(path);
  source.spec = model_spec_from_gguf(file, source.warnings);
  source.config_path = path;
  source.weights_path = path;
  std::string contents;
  for (const GgufHeader& part : file.parts())
    for (const GgufTensor& tensor : part.tensors) contents += fmt::format("{} {};", tensor.name, tensor.type->name);
  source.config_hash = hash_of(contents);
  return source;
}

ModelSource read_path(const fs::path& path) {
  const std::string name = path.filename().string();
  if (is_folder(path)) return read_folder(path);
  if (name.ends_with(".safetensors.index.json")) return read_folder(fs::absolute(path).parent_path());
  if (path.extension() == ".safetensors") return read_weights_file(path);
  if (path.extension() == ".gguf") return read_gguf_source(path);
  if (name == "config.json") return read_folder(fs::absolute(path).parent_path());
  if (path.extension() == ".json") return read_source(path);
  throw Error(ErrorKind::kInput, path.string(), "is no model.",
              "Give a config.json, a folder that holds one, a .safetensors or .gguf file, or the name of a preset.");
}

/// Folder with config, weights and tokenizer, or a config alone; empty where there is no such preset.
std::optional<ModelSource> read_preset(const fs::path& models, const std::string& name) {
  if (is_folder(models / name)) return read_folder(models / name);
  if (!is_file(models / (name + ".json"))) return std::nullopt;
  return read_source(models / (name + ".json"));
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// Preset for what people type: its name, or its name on Hugging Face; upper and lower case are equal.
std::string preset_name(const fs::path& models, const std::string& typed) {
  const std::string name = lower(typed);
  for (const PresetSource& source : read_preset_sources(models / "SOURCES.csv"))
    if (name == source.name || name == lower(source.hf_id)) return source.name;
  return "";
}

/// A preset under another name of the same architecture, which a warning says.
std::optional<ModelSource> read_alias(const fs::path& models, const std::string& typed) {
  const auto match = match_preset(typed, read_preset_catalog(models));
  if (!match) return std::nullopt;
  auto source = read_preset(models, match->preset);
  if (!source || match->preset == lower(typed)) return source;
  const std::string reason = match->reason.empty() ? "" : ": " + match->reason;
  source->warnings.push_back({"taken_for", fmt::format("{} is taken for {}{}", typed, match->preset, reason)});
  if (!match->data_type.empty())
    source->warnings.push_back(
        {"data_type_in_name",
         fmt::format("{} in the name is not applied: name the type of the weights apart", match->data_type)});
  return source;
}

/// A config the user imported under this name.
std::optional<ModelSource> read_imported(const std::string& typed) {
  const auto user = find_user_data_dir();
  if (!user || typed.find('/') != std::string::npos) return std::nullopt;
  const fs::path config = *user / "models" / (lower(typed) + ".json");
  return is_file(config) ? std::optional(read_source(config)) : std::nullopt;
}

void add_imported(std::vector<PresetInfo>& presets) {
  const auto user = find_user_data_dir();
  if (!user || !is_folder(*user / "models")) return;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(*user / "models", failed))
    if (entry.path().extension() == ".json")
      presets.push_back({.name = entry.path().stem().string(),
                         .title = entry.path().stem().string(),
                         .source = "imported",
                         .has_weights = false,
                         .imported = true});
}

[[noreturn]] void fail_unknown(const std::string& typed) {
  std::vector<std::string> names;
  for (const PresetInfo& preset : list_presets()) names.push_back(preset.name);
  const auto nearest = nearest_name(typed, names);
  throw Error(ErrorKind::kUsage, typed, "is neither a preset nor an existing file or folder.",
              nearest ? fmt::format("Did you mean \"{}\"?", *nearest) : "List the presets, or give a path.");
}

}  // namespace

fs::path data_dir() {
  const fs::path found = find_data_dir();
  if (!found.empty()) return found;
  const char* stated = std::getenv(kDataDirVariable);
  if (stated && *stated)
    throw Error(ErrorKind::kFailure, fmt::format("{}={}", kDataDirVariable, stated), "is not a folder.",
                "Set it to the folder share/dachlast of the installation.");
  throw Error(ErrorKind::kFailure, "the program's data folder", "is not at ../share/dachlast beside the program.",
              fmt::format("Set {} to that folder.", kDataDirVariable));
}

ModelSource resolve_model(const std::string& name_or_path) {
  if (name_or_path.empty()) throw Error(ErrorKind::kUsage, "model", "has no name.", "Give a preset or a path.");
  // Presets come first: they mean the same wherever the program is started; "./gpt2" names a folder.
  if (const fs::path data = find_data_dir(); !data.empty()) {
    const std::string name = preset_name(data / "models", name_or_path);
    if (!name.empty())
      if (auto preset = read_preset(data / "models", name)) return *std::move(preset);
  }
  if (auto imported = read_imported(name_or_path)) return *std::move(imported);
  std::error_code failed;
  if (fs::exists(name_or_path, failed)) return read_path(name_or_path);
  const fs::path path(name_or_path);
  if (name_or_path.starts_with(".") || path.is_absolute() || path.extension() == ".json" ||
      path.extension() == ".safetensors" || path.extension() == ".gguf")
    throw Error(ErrorKind::kInput, name_or_path, "does not exist.", "Check the path.");
  if (const fs::path data = find_data_dir(); !data.empty())
    if (auto alias = read_alias(data / "models", name_or_path)) return *std::move(alias);
  fail_unknown(name_or_path);
}

std::vector<PresetInfo> list_presets() {
  const fs::path models = data_dir() / "models";
  std::vector<PresetInfo> presets;
  for (const PresetSource& source : read_preset_sources(models / "SOURCES.csv"))
    presets.push_back({source.name, source.title, source.source, holds_weights(models / source.name), false});
  add_imported(presets);
  std::sort(presets.begin(), presets.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return presets;
}

}  // namespace dachlast
