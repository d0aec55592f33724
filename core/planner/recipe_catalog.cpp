#include "core/planner/recipe_catalog.h"

#include <algorithm>
#include <iterator>

#include "core/base/csv.h"
#include "core/planner/row_reader.h"

namespace dachlast {
namespace {

ServingRanks read_ranks(RowReader& row, const std::string& part) {
  return {.n_workers = row.small_count(part + "s"),
          .tp = row.small_count(part + "_tp"),
          .pp = 1,
          .attention_dp = row.small_count(part + "_groups"),
          .moe_tp = 1,
          .moe_ep = row.small_count(part + "_ep")};
}

ServingRecipe read_recipe(RowReader& row) {
  return {.model = row.text("model"),
          .system = row.text("system"),
          .precision = row.text("precision"),
          .backend = row.text("backend"),
          .image = row.text("image"),
          .isl = row.number("isl", 0.0, RowReader::kMostCount).value_or(0.0),
          .osl = row.number("osl", 0.0, RowReader::kMostCount).value_or(0.0),
          .concurrency = row.small_count("concurrency").value_or(0),
          .draft_tokens = row.small_count("draft_tokens").value_or(0),
          .readers = read_ranks(row, "reader"),
          .writers = read_ranks(row, "writer"),
          .since = row.text("since")};
}

/// "lmsysorg/sglang:v0.5.8" is v0.5.8.
std::string tag_of(const std::string& image) {
  const std::size_t colon = image.rfind(':');
  return colon == std::string::npos ? std::string() : image.substr(colon + 1);
}

int devices(const ServingRanks& ranks) {
  return ranks.tp.value_or(1) * ranks.attention_dp.value_or(1);
}

bool fits(const ServingRecipe& recipe, const ServingRow& row) {
  const bool same_run = row.model.ends_with(recipe.model) && row.system.starts_with(recipe.system) &&
                        row.precision == recipe.precision && row.backend == recipe.backend;
  const bool same_load = row.isl == recipe.isl && row.osl == recipe.osl && row.concurrency == recipe.concurrency;
  const std::string tag = tag_of(row.image);
  // Rows write groups of attention data parallelism into the ranks.
  return same_run && same_load && (tag.empty() || tag == recipe.image) && row.prefill.tp == devices(recipe.readers) &&
         row.decode.tp == devices(recipe.writers);
}

}  // namespace

RecipeCatalog::RecipeCatalog(const std::filesystem::path& csv) {
  const CsvTable table = read_csv(csv);
  for (const CsvRow& line : table.rows) {
    RowReader row(table, line);
    recipes_.push_back(read_recipe(row));
  }
}

namespace {

/// Drops all that `wanted` refuses, unless it refuses all.
template <class Wanted>
void prefer(std::vector<ServingRecipe>& recipes, Wanted wanted) {
  if (std::ranges::any_of(recipes, wanted))
    std::erase_if(recipes, [&](const ServingRecipe& recipe) { return !wanted(recipe); });
}

/// The latest that stood before a date.
void prefer_latest(std::vector<ServingRecipe>& recipes, const std::string& date) {
  prefer(recipes, [&](const ServingRecipe& recipe) { return recipe.since <= date; });
  if (recipes.empty()) return;
  const std::string latest = std::ranges::max_element(recipes, {}, &ServingRecipe::since)->since;
  prefer(recipes, [&](const ServingRecipe& recipe) { return recipe.since == latest || recipe.since > date; });
}

/// Leaves one of those that differ in container and date alone.
void merge_alike(std::vector<ServingRecipe>& recipes) {
  std::vector<ServingRecipe> kept;
  for (ServingRecipe& recipe : recipes) {
    recipe.image.clear();
    recipe.since.clear();
    if (std::ranges::find(kept, recipe) == kept.end()) kept.push_back(recipe);
  }
  recipes = std::move(kept);
}

}  // namespace

RecipeReading RecipeCatalog::find(const ServingRow& row) const {
  std::vector<ServingRecipe> fitting;
  std::ranges::copy_if(recipes_, std::back_inserter(fitting), [&](const auto& recipe) { return fits(recipe, row); });
  prefer_latest(fitting, row.measured_date);
  prefer(fitting, [&](const ServingRecipe& recipe) { return recipe.readers.moe_ep == row.prefill.moe_ep; });
  prefer(fitting, [&](const ServingRecipe& recipe) { return recipe.writers.moe_ep == row.decode.moe_ep; });
  merge_alike(fitting);
  if (fitting.empty()) return {{}, "not stated how many instances read prompts and how many write answers"};
  if (fitting.size() > 1) return {{}, "several recipes of its sweep fit: they differ in instances or drafted tokens"};
  return {fitting.front(), {}};
}

}  // namespace dachlast
