#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dachlast {

/// One row of the catalog's SOURCES.csv.
struct PresetSource {
  std::string name;    // "llama-3.2-1b"
  std::string title;   // "Llama 3.2 1B"
  std::string hf_id;   // "meta-llama/Llama-3.2-1B"
  std::string source;  // where the config was copied from
  std::optional<double> published_parameters;
  std::string parameters_source;
};

/// Reads the catalog's table of sources.
/// Errors   throws `Error` (kInput) as `read_csv`; also where the columns are others.
std::vector<PresetSource> read_preset_sources(const std::filesystem::path& csv);

}  // namespace dachlast
