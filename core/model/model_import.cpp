#include "core/model/model_import.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/base/user_data_dir.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

void require_file_name(const std::string& name) {
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
  if (!name.empty() && name.front() != '.' && plain) return;
  throw Error(ErrorKind::kUsage, fmt::format("model name \"{}\"", name), "cannot be used.",
              "Name it in small letters, digits, '-', '_' and '.' (--name).");
}

void require_free_name(const std::string& name, IfModelExists if_exists) {
  for (const PresetInfo& preset : list_presets()) {
    if (preset.name != name) continue;
    if (!preset.imported) throw Error(ErrorKind::kUsage, name, "is a preset's name.", "Choose another one (--name).");
    if (if_exists == IfModelExists::kRefuse)
      throw Error(ErrorKind::kUsage, name, "is imported already.", "Choose another name, or replace it with --force.");
  }
}

}  // namespace

fs::path user_model_dir() {
  return user_data_dir("imported models") / "models";
}

std::string import_name(const fs::path& config) {
  const fs::path whole = fs::absolute(config);
  std::string name =
      whole.filename() == "config.json" ? whole.parent_path().filename().string() : whole.stem().string();
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name;
}

void import_model(const fs::path& config, const std::string& name, IfModelExists if_exists) {
  require_file_name(name);
  require_free_name(name, if_exists);
  std::vector<ConfigWarning> warnings;
  read_model_spec(config, warnings);
  store_copy(config, user_model_dir() / (name + ".json"));
}

}  // namespace dachlast
