// Tables of what it was measured on and with: roofs, configuration, memory.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

using Values = std::vector<std::optional<double>>;

template <class Roof>
void add_samples(TableBuilder& table, const std::vector<Roof>& roofs, RoofSample Roof::*sample, Measure measure,
                 const std::string& key) {
  Values median;
  Values low;
  Values high;
  std::vector<std::int64_t> n;
  std::vector<double> all;
  std::vector<std::string> origins;
  for (const Roof& roof : roofs) {
    median.emplace_back((roof.*sample).median);
    low.emplace_back((roof.*sample).min);
    high.emplace_back((roof.*sample).max);
    all.push_back((roof.*sample).max);
    n.push_back((roof.*sample).n);
    origins.emplace_back(name_of(roof.origin));
  }
  const Unit unit = unit_for(measure, all);
  table.in_unit_of({key, "Median", "", "Median over repeats."}, unit, median, Origin::kMeasured);
  table.in_unit_of({key + "_min", "Min", "", "Smallest repeat.", Align::kRight, 3}, unit, low, Origin::kMeasured);
  table.in_unit_of({key + "_max", "Max", "", "Largest repeat.", Align::kRight, 3}, unit, high, Origin::kMeasured);
  table.count({"n", "Repeats", "", "", Align::kRight, 4}, n, Origin::kMeasured);
  table.text({"origin", "Origin", "", "Measured on this device, or listed by its maker.", Align::kLeft, 2}, origins);
}

std::string number_list(const std::vector<MeasuredPoint>& points, int MeasuredPoint::*field) {
  std::set<int> values;
  for (const auto& point : points) values.insert(point.*field);
  std::vector<std::string> texts;
  for (const int value : values) texts.push_back(format_count(value));
  return fmt::format("{}", fmt::join(texts, " · "));
}

std::string cache_text(const HostTopology& host) {
  std::vector<std::string> texts;
  for (const auto& cache : host.caches) {
    const std::string size = format(Measure::kCapacity, cache.size_bytes);
    texts.push_back(cache.n_instances > 1 ? fmt::format("L{} {} × {}", cache.level, cache.n_instances, size)
                                          : fmt::format("L{} {}", cache.level, size));
  }
  return fmt::format("{}", fmt::join(texts, " · "));
}

void add_model(SettingsBuilder& facts, const Run& run) {
  facts.add("Model", run.model.name);
  facts.add("Architecture", run.model.architecture);
  facts.add("Parameters", format_parameters(run.model.n_parameters));
  facts.add("Weights", run.model.weights);
  facts.add("Weights in memory", run.model.weight_bytes, Measure::kCapacity);
  facts.add_count("Trained context limit, tokens", run.model.max_context);
  facts.add("Hash of the configuration", run.model.config_hash);
  facts.add("Type of weights", std::string(display_name_of(run.precision.weights)));
  facts.add("Type of KV cache", std::string(display_name_of(run.precision.kv.format)));
  facts.add("Kind of KV cache", run.kv);
  facts.add("Attention kernel", run.attention_variant);
}

void add_host(SettingsBuilder& facts, const Run& run) {
  facts.add("Processor", run.host.cpu_name);
  facts.add_count("Cores", run.host.n_cores);
  facts.add_count("Hardware threads", run.host.n_hardware_threads);
  facts.add_count("NUMA nodes", run.host.n_numa_nodes);
  facts.add("Caches", cache_text(run.host));
  facts.add("Installed memory", run.host.memory_bytes, Measure::kCapacity);
  facts.add("Instruction sets", fmt::format("{}", fmt::join(run.host.isa, " · ")));
}

void add_measurement(SettingsBuilder& facts, const Run& run) {
  facts.add_count("Threads used", run.n_threads);
  facts.add("Context lengths, tokens", number_list(run.points, &MeasuredPoint::context_tokens));
  facts.add("Batch sizes", number_list(run.points, &MeasuredPoint::batch_size));
  facts.add("Points", fmt::format("{} of {} planned", run.points.size(), run.planned_points));
  facts.add("Utilisation that names a bound", format_percent(run.bound_threshold));
  facts.add("Measured", format_date(run.created_at));
  facts.add("Roofs measured", format_date(run.roofs.measured_at));
  facts.add("Program version", run.program_version);
  facts.add("Run", run.id);
}

}  // namespace

Table bandwidth_table(const DeviceRoofs& roofs) {
  std::vector<std::string> levels;
  std::vector<std::string> patterns;
  std::vector<std::int64_t> threads;
  Values sizes;
  for (const auto& roof : roofs.bandwidths) {
    levels.emplace_back(name_of(roof.level));
    patterns.emplace_back(name_of(roof.pattern));
    threads.push_back(roof.n_threads);
    sizes.emplace_back(roof.working_set_bytes);
  }
  TableBuilder table("bandwidth-roofs", "Memory roofs");
  table.text({"level", "Level", "", "Cache level or main memory."}, levels);
  table.text({"pattern", "Pattern", "", "Access pattern, as STREAM names them; each array counted once."}, patterns);
  table.count({"threads", "Threads", "", ""}, threads, Origin::kExact);
  table.in_unit_of({"working_set_bytes", "Working set", "", "All threads together.", Align::kRight, 1},
                   unit_for(Measure::kCapacity, kMiB), sizes, Origin::kExact);
  add_samples(table, roofs.bandwidths, &BandwidthRoof::bytes_per_s, Measure::kBandwidth, "bytes_per_s");
  return table.build();
}

Table compute_table(const DeviceRoofs& roofs) {
  std::vector<std::string> dtypes;
  std::vector<std::string> instructions;
  std::vector<std::int64_t> threads;
  for (const auto& roof : roofs.computes) {
    dtypes.emplace_back(display_name_of(roof.dtype));
    instructions.push_back(roof.instruction);
    threads.push_back(roof.n_threads);
  }
  TableBuilder table("compute-roofs", "Compute roofs");
  table.text({"dtype", "Type", "", "Type of the arithmetic."}, dtypes);
  table.text({"instruction", "Instruction", "", "", Align::kLeft, 1}, instructions);
  table.count({"threads", "Threads", "", ""}, threads, Origin::kExact);
  add_samples(table, roofs.computes, &ComputeRoof::ops_per_s, Measure::kWorkRate, "ops_per_s");
  table.note("INT8 counts integer operations.");
  return table.build();
}

Table configuration_table(const Run& run) {
  SettingsBuilder facts;
  add_model(facts, run);
  add_host(facts, run);
  add_measurement(facts, run);
  return facts.build("configuration", "Configuration");
}

Table memory_table(std::span<const MemorySegment> segments) {
  std::vector<std::string> names;
  std::vector<std::string> formulas;
  std::vector<Cell> sizes;
  std::vector<std::string> origins;
  double total = 0.0;
  for (const auto& segment : segments) total += segment.bytes.value;
  const Unit unit = unit_for(Measure::kCapacity, total);
  for (const auto& segment : segments) {
    names.push_back(segment.name);
    formulas.push_back(segment.formula);
    origins.emplace_back(name_of(segment.origin));
    sizes.push_back(
        number_cell(segment.bytes.value, in_unit(segment.bytes.value, unit, Rounding::kUp), segment.origin));
  }
  names.emplace_back("total");
  formulas.emplace_back();
  origins.emplace_back();
  sizes.push_back(number_cell(total, in_unit(total, unit, Rounding::kUp), Origin::kEstimated));
  TableBuilder table("memory", "Memory");
  table.text({"segment", "Segment", "", ""}, names);
  table.cells({"bytes", "Size", std::string(unit.text), "Rounded up."}, sizes);
  table.text({"origin", "Origin", "", "", Align::kLeft, 1}, origins);
  table.text({"formula", "Formula", "", "With the numbers of this run.", Align::kLeft, 2}, formulas);
  return table.build();
}

}  // namespace dachlast::viewmodel
