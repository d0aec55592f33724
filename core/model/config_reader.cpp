#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "core/model/config_object.h"
#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/json_file.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

std::string known_families() {
  std::string list;
  for (const ModelFamily& family : model_families())
    list += (list.empty() ? "Known: " : ", ") + std::string(family.model_type);
  return list + ".";
}

const ModelFamily& family_of(ConfigObject& config) {
  const std::string type = config.text_or("model_type", "");
  if (type.empty()) config.fail("model_type", "is missing, so the architecture is unknown", known_families());
  const auto families = model_families();
  const auto found = std::find_if(families.begin(), families.end(),
                                  [&](const ModelFamily& family) { return family.model_type == type; });
  if (found == families.end())
    config.fail("model_type", fmt::format("is \"{}\", an architecture this program does not know", type),
                known_families());
  return *found;
}

/// "gpt2" for gpt2/config.json and for gpt2.json.
std::string name_from_path(const std::filesystem::path& config) {
  if (config.filename() != "config.json") return config.stem().string();
  const std::string folder = std::filesystem::absolute(config).parent_path().filename().string();
  return folder.empty() ? "model" : folder;
}

}  // namespace

ModelSpec read_model_spec(const std::filesystem::path& config, std::vector<ConfigWarning>& warnings) {
  const nlohmann::json root = read_json_file(config);
  if (!root.is_object())
    throw Error(ErrorKind::kInput, config.string(), "is not a JSON object.", "Is this a config.json?");
  ConfigObject object(root, config, "", warnings);
  const ModelFamily& family = family_of(object);
  ModelSpec spec;
  spec.name = name_from_path(config);
  spec.architecture = family.model_type;
  family.read(object, spec);
  object.warn_about_unread_keys();
  return spec;
}

}  // namespace dachlast
