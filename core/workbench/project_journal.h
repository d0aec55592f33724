#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/workbench/project.h"

namespace dachlast {

/// `$XDG_STATE_HOME/dachlast/recovery`, or `~/.local/state/dachlast/recovery` where the variable is unset or relative.
/// Empty where neither XDG_STATE_HOME nor HOME names a folder: nothing is journalled then.
/// Source   XDG Base Directory Specification 0.8.
std::filesystem::path default_journal_folder();

/// What a project would lose in a crash, on disk as long as it is not saved. Held by a lock, which the system releases when the
/// process ends, however it ends.
class ProjectJournal {
 public:
  /// An empty folder, or one that cannot be made, journals nothing.
  explicit ProjectJournal(const std::filesystem::path& folder);
  /// Ends the journal: whoever owns it had its chance to save.
  ~ProjectJournal();
  ProjectJournal(const ProjectJournal&) = delete;
  ProjectJournal& operator=(const ProjectJournal&) = delete;

  /// Notes the state of a project; `file` is where it was saved last, empty where it never was.
  /// Errors   throws `Error` (kFailure) where the journal cannot be written.
  void write(const Project& project, const std::filesystem::path& file);
  /// Nothing would be lost any more.
  void clear() const;

 private:
  std::filesystem::path path_;  // empty: nothing is journalled
  int lock_ = -1;
};

/// A journal whose process is gone.
struct LeftBehind {
  std::filesystem::path journal;
  std::filesystem::path file;  // of the project; empty where it was never saved
  std::string written_at;      // ISO 8601, UTC
  Project project;
};

/// Journals of processes that ended without clearing them, newest first. Those that cannot be read are skipped.
std::vector<LeftBehind> left_behind(const std::filesystem::path& folder);

/// Removes a journal that was recovered or is not wanted.
void forget(const LeftBehind& left);

}  // namespace dachlast
