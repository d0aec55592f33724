#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/workbench/scenario.h"

namespace dachlast {

/// A run of a project: where its file lies, and what the reader calls it. Measurements themselves stay in their own files.
struct ProjectRun {
  std::filesystem::path file;  // absolute once read
  std::string name;            // empty: the name of the file
  std::string note;

  bool operator==(const ProjectRun&) const = default;
};

/// A scenario at one context and batch.
struct ProjectScenario {
  ScenarioRequest request;
  int context_tokens = 0;
  int batch_size = 0;

  bool operator==(const ProjectScenario& other) const;
};

/// How the window was arranged; says nothing about what is in it.
struct ProjectLayout {
  std::string page;   // id of the page
  std::string docks;  // the window's own bytes, Base64

  bool operator==(const ProjectLayout&) const = default;
};

/// Runs, baseline, scenarios, notes and layout of one piece of work (UX.md, Words).
struct Project {
  std::string note;
  std::vector<ProjectRun> runs;
  int baseline = -1;  // of `runs`; −1: none
  int shown = -1;
  std::vector<ProjectScenario> pins;      // held side by side
  std::vector<ProjectScenario> scenario;  // the one being edited; at most one
  ProjectLayout layout;
  std::string foreign;  // members of newer versions as JSON, written back as they came

  bool operator==(const Project&) const = default;
};

/// A project as read, with what of it this version does not know.
struct OpenedProject {
  Project project;
  std::vector<std::string> skipped;
};

/// Runs and pinned scenarios that a project may list.
inline constexpr int kMostProjectEntries = 10'000;

/// Whether the file says that it is a project, of whatever version.
bool is_project(const std::filesystem::path& file);

/// Errors   throws `Error` (kInput) where the file is missing, too large, no project, or contradicts itself. Runs that
/// are not there any more are no error here: they are opened one by one.
OpenedProject read_project(const std::filesystem::path& file);

/// Writes it whole or not at all, paths of runs relative to its folder where they lie beside or below it.
/// Errors   throws `Error` (kFailure) naming the file.
void write_project(const Project& project, const std::filesystem::path& file);

/// The same as text, for journals. `folder` is where relative paths start; empty: all are absolute.
std::string project_text(const Project& project, const std::filesystem::path& folder);
/// Errors   as `read_project`, naming `subject`.
OpenedProject project_from(const std::string& subject, const std::string& text, const std::filesystem::path& folder);

/// Replaces a small file at once: a reader sees the old or the new one, never a part, even after a power cut.
/// Errors   throws `Error` (kFailure) naming the file.
void replace_file(const std::filesystem::path& file, const std::string& text);

}  // namespace dachlast
