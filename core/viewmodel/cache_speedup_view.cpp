// What the KV cache saved, for runs that generated with and without it.
#include <fmt/format.h>

#include "core/roofline/speedup.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

bool is_1_2_5(int n) {
  while (n % 10 == 0) n /= 10;
  return n == 1 || n == 2 || n == 5;
}

// Growth shows in a few lengths; two hundred rows hide it.
std::vector<CacheSpeedup> chosen_rows(const UncachedComparison& comparison) {
  const std::vector<CacheSpeedup> all = cache_speedups(comparison);
  std::vector<CacheSpeedup> rows;
  for (const auto& entry : all)
    if (is_1_2_5(entry.n_generated) || &entry == &all.back()) rows.push_back(entry);
  return rows;
}

template <class Get>
std::vector<std::optional<double>> values_of(const std::vector<CacheSpeedup>& rows, Get get) {
  std::vector<std::optional<double>> values;
  for (const auto& row : rows) values.emplace_back(get(row));
  return values;
}

template <class Get>
std::vector<std::int64_t> counts_of(const std::vector<CacheSpeedup>& rows, Get get) {
  std::vector<std::int64_t> values;
  for (const auto& row : rows) values.push_back(get(row));
  return values;
}

}  // namespace

Table cache_speedup_table(const UncachedComparison& comparison) {
  const auto rows = chosen_rows(comparison);
  TableBuilder table("kv-cache-speedup", "Speed-up by the KV cache");
  table.count({"generated_tokens", "Generated", "tokens", "Tokens generated so far."},
              counts_of(rows, [](const auto& r) { return r.n_generated; }), Origin::kExact);
  table.count({"sequence_tokens", "Sequence", "tokens", "Tokens the step attends to.", Align::kRight, 4},
              counts_of(rows, [](const auto& r) { return r.sequence_tokens; }), Origin::kExact);
  const Unit unit = unit_for(Measure::kTime, rows.empty() ? 0.0 : rows.back().uncached.value);
  const Unit total = unit_for(Measure::kTime, rows.empty() ? 0.0 : rows.back().uncached_total.value);
  table.in_unit_of({"cached_s", "With cache", "", "Time of this token.", Align::kRight, 3}, unit,
                   values_of(rows, [](const auto& r) { return r.cached.value; }), Origin::kMeasured);
  table.in_unit_of({"uncached_s", "Recomputed", "", "Time of this token.", Align::kRight, 3}, unit,
                   values_of(rows, [](const auto& r) { return r.uncached.value; }), Origin::kMeasured);
  table.factor({"speedup", "Speed-up", "", "Of this token.", Align::kRight, 1},
               values_of(rows, [](const auto& r) { return r.speedup; }), Origin::kMeasured);
  table.in_unit_of({"cached_total_s", "All, with cache", "", "Time of all tokens so far.", Align::kRight, 2}, total,
                   values_of(rows, [](const auto& r) { return r.cached_total.value; }), Origin::kMeasured);
  table.in_unit_of({"uncached_total_s", "All, recomputed", "", "Time of all tokens so far.", Align::kRight, 2}, total,
                   values_of(rows, [](const auto& r) { return r.uncached_total.value; }), Origin::kMeasured);
  table.factor({"total_speedup", "Speed-up of all", "", "Of the generation so far."},
               values_of(rows, [](const auto& r) { return r.total_speedup; }), Origin::kMeasured);
  return table.build();
}

std::string speedup_sentence(const Run& run) {
  if (!run.uncached) return {};
  const auto all = cache_speedups(*run.uncached);
  if (all.empty()) return {};
  const CacheSpeedup& last = all.back();
  const bool slower = last.total_speedup < 1.0;
  return fmt::format(
      "With the KV cache, generating {} after a prompt of {} is {} {} here: {} instead of {} with every token "
      "recomputing "
      "the sequence. Published for 200 tokens of a 124M-parameter model on a CPU: about 5×.",
      counted(last.n_generated, "token", "tokens"), format_count(run.uncached->prompt_tokens),
      format_factor(slower ? 1.0 / last.total_speedup : last.total_speedup), slower ? "slower" : "faster",
      format_time(last.cached_total), format_time(last.uncached_total));
}

}  // namespace dachlast::viewmodel
