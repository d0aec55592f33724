#include "core/planner/server_settings.h"

#include "core/base/csv.h"
#include "core/planner/row_reader.h"

namespace dachlast {

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
                        .prompt_tokens = row.small_count("prompt_tokens").value_or(0)});
  }
}

bool SettingsCatalog::fits(const Script& script, const ServingRow& row) {
  const bool same_run = row.backend == script.backend && row.model.ends_with(script.model) &&
                        row.precision == script.precision && row.system.starts_with(script.system);
  return same_run && script.since <= row.measured_date && (script.tp == 0 || row.ranks.tp == script.tp);
}

std::optional<ServerSettings> SettingsCatalog::find(const ServingRow& row) const {
  const Script* latest = nullptr;
  for (const Script& script : scripts_)
    if (fits(script, row) && (latest == nullptr || latest->since <= script.since)) latest = &script;
  if (latest == nullptr) return std::nullopt;
  const bool many = latest->many_clients > 0 && row.concurrency.value_or(0) >= latest->many_clients;
  return ServerSettings{.poll_passes = many ? latest->many_poll_passes : latest->poll_passes,
                        .prompt_tokens = latest->prompt_tokens};
}

}  // namespace dachlast
