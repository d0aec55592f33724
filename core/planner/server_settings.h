#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/planner/reference_rows.h"

namespace dachlast {

/// What a published sweep's script told its server and its rows do not repeat.
struct ServerSettings {
  int poll_passes = 1;    // decode passes between two looks at what has arrived
  int prompt_tokens = 0;  // of prompts in one pass; 0: the engine's own limit
};

/// The scripts of a data file.
class SettingsCatalog {
 public:
  /// Errors   throws `Error` (kInput) naming file and line.
  explicit SettingsCatalog(const std::filesystem::path& csv);

  /// Of the latest script before the row's date for its engine, model, types, device and ranks; empty where there is none.
  std::optional<ServerSettings> find(const ServingRow& row) const;

 private:
  struct Script {
    std::string backend;
    std::string model;  // without its publisher
    std::string precision;
    std::string system;
    std::string since;  // ISO 8601 date of its first state
    int tp = 0;         // 0: any
    int poll_passes = 1;
    int many_clients = 0;  // from so many on the next applies
    int many_poll_passes = 1;
    int prompt_tokens = 0;
  };
  static bool fits(const Script& script, const ServingRow& row);

  std::vector<Script> scripts_;
};

}  // namespace dachlast
