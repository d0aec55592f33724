#pragma once

#include <filesystem>

namespace dachlast {

/// A database under a temporary name in the same folder, so that renaming it is atomic. Gone unless renamed.
class PartFile {
 public:
  explicit PartFile(const std::filesystem::path& file);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Errors   throws `Error` (kFailure) naming `file`.
  void rename_to(const std::filesystem::path& file) const;

 private:
  void discard() const;

  std::filesystem::path path_;
};

}  // namespace dachlast
