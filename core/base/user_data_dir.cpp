#include "core/base/user_data_dir.h"

#include <fmt/core.h>
#include <unistd.h>
#include <cstdlib>
#include <system_error>

#include "core/base/error.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

fs::path absolute_folder(const char* variable) {
  const char* value = std::getenv(variable);
  const fs::path path = value == nullptr ? fs::path() : fs::path(value);
  return path.is_absolute() ? path : fs::path();
}

}  // namespace

std::optional<fs::path> find_user_data_dir() {
  if (const fs::path data = absolute_folder("XDG_DATA_HOME"); !data.empty()) return data / "dachlast";
  if (const fs::path home = absolute_folder("HOME"); !home.empty()) return home / ".local" / "share" / "dachlast";
  return std::nullopt;
}

fs::path user_data_dir(const std::string& subject) {
  if (auto folder = find_user_data_dir()) return *std::move(folder);
  throw Error(ErrorKind::kFailure, subject, "neither XDG_DATA_HOME nor HOME names a folder.", "Set one of them.");
}

void store_copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code failed;
  std::filesystem::create_directories(to.parent_path(), failed);
  std::filesystem::path part = to;
  part += fmt::format(".part{}", ::getpid());
  if (!failed) std::filesystem::copy_file(from, part, std::filesystem::copy_options::overwrite_existing, failed);
  if (!failed) std::filesystem::rename(part, to, failed);
  if (!failed) return;
  std::error_code ignored;
  std::filesystem::remove(part, ignored);
  throw Error(ErrorKind::kFailure, to.string(), fmt::format("cannot be written: {}.", failed.message()),
              "Set XDG_DATA_HOME to a folder that can be written.");
}

}  // namespace dachlast
