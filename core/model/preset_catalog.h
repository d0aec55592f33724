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
/// Errors   throws `Error` (kInput) naming file and line where a row has other columns than the first line names.
std::vector<PresetSource> read_preset_sources(const std::filesystem::path& csv);

/// Cells of one line of CSV; a cell in double quotes may hold commas, and "" for a quote.
std::vector<std::string> split_csv_line(const std::string& line);

}  // namespace dachlast
