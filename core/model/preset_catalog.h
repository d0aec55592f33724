#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dachlast {

/// Another name of a model with the same sizes, as ALIASES.csv lists it.
struct PresetAlias {
  std::string name;    // "llama-3.3-70b"
  std::string reason;  // why its architecture is the preset's, with the source
};

/// One row of the catalog's SOURCES.csv, with the aliases that point to it. A source without a name holds the names of models
/// that are known to be none of the presets.
struct PresetSource {
  std::string name;    // "llama-3.2-1b"
  std::string title;   // "Llama 3.2 1B"
  std::string hf_id;   // "meta-llama/Llama-3.2-1B"
  std::string source;  // where the config was copied from
  std::optional<double> published_parameters;
  std::string parameters_source;
  std::vector<PresetAlias> aliases = {};
};

/// Reads the catalog's table of sources.
/// Errors   throws `Error` (kInput) as `read_csv`; also where the columns are others.
std::vector<PresetSource> read_preset_sources(const std::filesystem::path& csv);

/// The catalog in `folder`: SOURCES.csv, and ALIASES.csv (name, preset, reason; "-" for none of the presets) where it is there.
/// Errors   as `read_preset_sources`; also where an alias names a preset that is not in the table.
std::vector<PresetSource> read_preset_catalog(const std::filesystem::path& folder);

}  // namespace dachlast
