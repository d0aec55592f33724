#include "core/viewmodel/compare_many.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/viewmodel/compare_view.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

using Values = std::vector<std::optional<double>>;

std::string heading_of(const PointKey& key) {
  PointSummary point;
  point.phase = key.phase;
  point.context_tokens = key.context_tokens;
  point.depth_tokens = key.depth_tokens;
  point.batch_size = key.batch_size;
  point.kv_policy = key.kv_policy;
  return point_heading(point);
}

std::string subject_of(const Run& run) {
  return fmt::format("{} · {}, {} · {}", run.model.name,
                     run.roofs.device.empty() ? run.host.cpu_name : run.roofs.device,
                     counted(run.n_threads, "thread", "threads"), format_date(run.created_at));
}

/// What happened to one point, or one phase, in every run; empty where a run lacks it.
struct Row {
  std::string heading;
  Seconds base;
  std::vector<std::optional<TimeChange>> changes;
};

template <class Change, class Same>
Row& row_for(std::vector<Row>& rows, std::vector<Change>& seen, const Change& change, std::size_t n_runs, Same same,
             std::string heading) {
  const auto found = std::ranges::find_if(seen, [&](const Change& other) { return same(other, change); });
  if (found != seen.end()) return rows[static_cast<std::size_t>(found - seen.begin())];
  seen.push_back(change);
  rows.push_back({std::move(heading), change.time.base, std::vector<std::optional<TimeChange>>(n_runs)});
  return rows.back();
}

std::vector<Row> point_rows(std::span<const Comparison> comparisons) {
  std::vector<Row> rows;
  std::vector<PointChange> seen;
  for (std::size_t run = 0; run < comparisons.size(); ++run)
    for (const PointChange& point : comparisons[run].points)
      row_for(
          rows, seen, point, comparisons.size(), [](const auto& a, const auto& b) { return a.key == b.key; },
          heading_of(point.key))
          .changes[run] = point.time;
  return rows;
}

std::vector<Row> phase_rows(std::span<const Comparison> comparisons) {
  std::vector<Row> rows;
  std::vector<PhaseChange> seen;
  for (std::size_t run = 0; run < comparisons.size(); ++run)
    for (const PhaseChange& phase : comparisons[run].phases)
      row_for(
          rows, seen, phase, comparisons.size(), [](const auto& a, const auto& b) { return a.phase == b.phase; },
          phase_title(phase.phase))
          .changes[run] = phase.time;
  return rows;
}

/// Grey words where a change says nothing: the reader must not see a trend in noise.
Cell change_cell(const std::optional<TimeChange>& change) {
  if (!change) return missing_cell();
  const std::string text = format_change(change->change);
  const std::string remark = change->verdict == ChangeVerdict::kWithinNoise     ? " (within noise)"
                             : change->verdict == ChangeVerdict::kTooFewRepeats ? " (too few repeats)"
                                                                                : "";
  return number_cell(change->change, text + remark, Origin::kMeasured);
}

Cell noise_cell(const std::optional<TimeChange>& change) {
  if (!change || !change->noise) return missing_cell();
  return number_cell(*change->noise, "±" + format_percent(*change->noise), Origin::kMeasured);
}

template <class Get>
auto change_column(const std::vector<Row>& rows, Get get) {
  std::vector<decltype(get(rows.front()))> cells;
  cells.reserve(rows.size());
  for (const Row& row : rows) cells.push_back(get(row));
  return cells;
}

Unit unit_of_changes(const std::vector<Row>& rows) {
  std::vector<double> all;
  for (const Row& row : rows) {
    all.push_back(row.base.value);
    for (const auto& change : row.changes)
      if (change) all.push_back(change->other.value);
  }
  return all.empty() ? unit_for(Measure::kTime, 0.0) : unit_for_all(Measure::kTime, all);
}

Table changes_table(std::string id, std::string title, std::string first, const std::vector<Row>& rows,
                    std::span<const std::string> names) {
  TableBuilder table(std::move(id), std::move(title));
  const Unit unit = unit_of_changes(rows);
  table.text({"what", std::move(first), "", "", Align::kLeft},
             change_column(rows, [](const Row& row) { return row.heading; }));
  table.in_unit_of({"base_s", "Baseline", "", "Median time of the baseline."}, unit,
                   change_column(rows, [](const Row& row) { return std::optional<double>(row.base.value); }),
                   Origin::kMeasured);
  for (std::size_t run = 0; run < names.size(); ++run) {
    const auto time = [&](const Row& row) {
      return row.changes[run] ? std::optional<double>(row.changes[run]->other.value) : std::nullopt;
    };
    table.in_unit_of({fmt::format("run{}_s", run + 1), names[run], "", "Median time of this run."}, unit,
                     change_column(rows, time), Origin::kMeasured);
    table.cells({fmt::format("run{}_change", run + 1), "Change", "",
                 fmt::format("{} over the baseline, less one.", names[run])},
                change_column(rows, [&](const Row& row) { return change_cell(row.changes[run]); }));
    table.cells(
        {fmt::format("run{}_noise", run + 1), "Noise", "",
         "Half width of the 95 % interval of the difference, at least the threshold. A change inside it is within "
         "noise; – where there are too few repeats to know."},
        change_column(rows, [&](const Row& row) { return noise_cell(row.changes[run]); }));
  }
  return table.build();
}

/// Every setting in which a run differs from the baseline, with the values of all.
Table configuration_of(std::span<const Comparison> comparisons, std::span<const std::string> names) {
  std::vector<ConfigurationChange> settings;  // `other` unused
  for (const Comparison& comparison : comparisons)
    for (const ConfigurationChange& change : comparison.configuration)
      if (std::ranges::find(settings, change.key, &ConfigurationChange::key) == settings.end())
        settings.push_back(change);
  std::vector<std::string> keys;
  std::vector<std::string> base;
  for (const ConfigurationChange& setting : settings) {
    keys.push_back(setting.key);
    base.push_back(setting.base);
  }
  TableBuilder table("configuration-changes", "Settings that differ");
  table.text({"setting", "Setting", "", "", Align::kLeft}, keys);
  table.text({"base", "Baseline", "", "", Align::kLeft}, base);
  for (std::size_t run = 0; run < names.size(); ++run) {
    std::vector<std::string> values;
    for (const ConfigurationChange& setting : settings) {
      const auto& changes = comparisons[run].configuration;
      const auto own = std::ranges::find(changes, setting.key, &ConfigurationChange::key);
      values.push_back(own == changes.end() ? setting.base : own->other);
    }
    table.text({fmt::format("run{}", run + 1), names[run], "", "", Align::kLeft}, values);
  }
  return table.build();
}

std::vector<ChangeRow> marks_of(const std::vector<Row>& rows) {
  std::vector<ChangeRow> marks;
  for (const Row& row : rows) {
    ChangeRow& made = marks.emplace_back(ChangeRow{row.heading, {}});
    for (std::size_t run = 0; run < row.changes.size(); ++run)
      if (row.changes[run]) made.marks.push_back({static_cast<int>(run), *row.changes[run]});
  }
  return marks;
}

void note_left_out(CompareMany& view, const Comparison& comparison, const std::string& name) {
  const auto note = [&](const std::vector<PointKey>& keys, std::string_view which) {
    if (keys.empty()) return;
    view.notes.push_back(fmt::format("{} only in {}; not compared.",
                                     counted(static_cast<std::int64_t>(keys.size()), "point", "points"), which));
  };
  note(comparison.only_in_base, fmt::format("the baseline, not in {}", name));
  note(comparison.only_in_other, name);
}

}  // namespace

std::string nothing_in_common(const CompareMany& view) {
  if (!view.changes.empty()) return {};
  return "The runs have no measured point in common, so no change can be told. Points are compared where phase, "
         "context, batch and "
         "kind of KV cache are equal: measure the same contexts and batch sizes once more.";
}

CompareMany compare_many(const NamedRun& base, std::span<const NamedRun> others, double least_noise) {
  CompareMany view;
  view.baseline = fmt::format("{}: {}", base.name, subject_of(*base.run));
  std::vector<Comparison> comparisons;
  for (const NamedRun& other : others) {
    comparisons.push_back(compare_runs(*base.run, *other.run, least_noise));
    view.names.push_back(other.name);
    view.answers.push_back(
        fmt::format("{}: {}", other.name, compare_view(*base.run, *other.run, comparisons.back()).answer));
    note_left_out(view, comparisons.back(), other.name);
  }
  const std::vector<Row> points = point_rows(comparisons);
  view.configuration = configuration_of(comparisons, view.names);
  view.phases = changes_table("phase-changes", "Phases", "Phase", phase_rows(comparisons), view.names);
  view.points = changes_table("point-changes", "Points", "Point", points, view.names);
  view.changes = marks_of(points);
  return view;
}

}  // namespace dachlast::viewmodel
