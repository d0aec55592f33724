#include "core/planner/server_settings.h"

#include <algorithm>

#include "core/base/csv.h"
#include "core/planner/row_reader.h"

namespace dachlast {
namespace {

constexpr int kPassBlock = 64;

/// The source's database names DeepSeek-R1 by its architecture: configurations "dsr1" stand as DeepSeek-V3.
std::string model_of(const ServingRow& row) {
  return row.model.ends_with("DeepSeek-V3") ? "deepseek-ai/DeepSeek-R1" : row.model;
}

}  // namespace

int ServerSettings::pass_tokens(int prompt, int sequences, int tokens_of_sequence) const {
  if (beyond_prompt == 0) return prompt_tokens;
  const int needed = tokens_of_sequence * sequences + prompt + beyond_prompt;
  const int whole = (needed + kPassBlock - 1) / kPassBlock * kPassBlock;
  return tokens_of_sequence > 1 ? whole : std::max(whole, least_tokens);
}

SettingsCatalog::SettingsCatalog(const std::filesystem::path& csv) {
  const CsvTable table = read_csv(csv);
  for (const CsvRow& line : table.rows) {
    RowReader row(table, line);
    scripts_.push_back({.backend = row.text("backend"),
                        .model = row.text("model"),
                        .precision = row.text("precision"),
                        .system = row.text("system"),
                        .since = row.text("since"),
                        .tp = row.small_count("tp").value_or(0),
                        .poll_passes = row.small_count("poll_passes").value_or(1),
                        .many_clients = row.small_count("many_clients").value_or(0),
                        .many_poll_passes = row.small_count("many_poll_passes").value_or(1),
                        .prompt_tokens = row.small_count("prompt_tokens").value_or(0),
                        .beyond_prompt = row.small_count("beyond_prompt").value_or(0),
                        .least_tokens = row.small_count("least_tokens").value_or(0)});
  }
}

bool SettingsCatalog::fits(const Script& script, const ServingRow& row) {
  const bool same_run = row.backend == script.backend && model_of(row).ends_with(script.model) &&
                        row.precision == script.precision && row.system.starts_with(script.system);
  const bool in_time = row.measured_date.empty() || script.since <= row.measured_date;
  return same_run && in_time && (script.tp == 0 || row.ranks.tp == script.tp);
}

std::optional<ServerSettings> SettingsCatalog::find(const ServingRow& row) const {
  const Script* latest = nullptr;
  for (const Script& script : scripts_)
    if (fits(script, row) && (latest == nullptr || (!row.measured_date.empty() && latest->since <= script.since)))
      latest = &script;
  if (latest == nullptr) return std::nullopt;
  const bool many = latest->many_clients > 0 && row.concurrency.value_or(0) >= latest->many_clients;
  return ServerSettings{.poll_passes = many ? latest->many_poll_passes : latest->poll_passes,
                        .prompt_tokens = latest->prompt_tokens,
                        .beyond_prompt = latest->beyond_prompt,
                        .least_tokens = latest->least_tokens};
}

}  // namespace dachlast
