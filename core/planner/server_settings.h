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
  int prompt_tokens = 0;  // of one pass; 0: the engine's own limit
  int beyond_prompt =
      0;  // instead: a pass holds one prompt, all sequences' tokens and so many more, in whole blocks of 64
  int least_tokens = 0;  // and no fewer than these, where no tokens are drafted

  /// Tokens of one pass of `sequences` that each need `tokens_of_sequence`, for prompts of `prompt`; 0: the engine's own
  /// limit.
  int pass_tokens(int prompt, int sequences, int tokens_of_sequence) const;
};

/// The scripts of a data file.
class SettingsCatalog {
 public:
  /// Errors   throws `Error` (kInput) naming file and line.
  explicit SettingsCatalog(const std::filesystem::path& csv);

  /// Of the latest script before the row's date for its engine, model, types, device and ranks; empty where there is none.
  /// Rows without a date take the first.
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
    int beyond_prompt = 0;
    int least_tokens = 0;
  };
  static bool fits(const Script& script, const ServingRow& row);

  std::vector<Script> scripts_;
};

}  // namespace dachlast
