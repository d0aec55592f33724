#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/planner/reference_rows.h"

namespace dachlast {

/// How a published sweep was deployed where its rows do not say so: instances that read prompts and instances that write answers.
struct ServingRecipe {
  std::string model;  // without its publisher
  std::string system;
  std::string precision;
  std::string backend;
  std::string image;  // tag of the container
  double isl = 0.0;
  double osl = 0.0;
  int concurrency = 0;
  int draft_tokens = 0;
  ServingRanks readers;  // with n_workers
  ServingRanks writers;
  std::string since;  // ISO 8601 date of its first state

  friend bool operator==(const ServingRecipe&, const ServingRecipe&) = default;
};

/// A recipe, or why none is certain.
struct RecipeReading {
  std::optional<ServingRecipe> recipe;
  std::string reason;
};

/// The recipes of a data file.
class RecipeCatalog {
 public:
  /// Errors   throws `Error` (kInput) naming file and line.
  explicit RecipeCatalog(const std::filesystem::path& csv);

  /// The recipe of a row's model, device, types, lengths, clients, container and devices an instance. A sweep runs when its recipe changes:
  /// of several the latest before the row's date counts, and those with the row's ranks of experts. None where several still fit,
  /// such as one with and one without drafted tokens.
  /// Source   SemiAnalysisAI/InferenceX:perf-changelog.yaml (an entry starts the sweep of its recipes)
  RecipeReading find(const ServingRow& row) const;

 private:
  std::vector<ServingRecipe> recipes_;
};

}  // namespace dachlast
