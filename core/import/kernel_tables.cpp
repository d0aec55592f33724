#include "core/import/kernel_tables.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>

#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr std::string_view kKernelSumColumns[] = {"Total Time (ns)", "Instances", "Min (ns)", "Max (ns)", "Name"};
constexpr std::string_view kDetailColumns[] = {"ID", "Kernel Name", "Metric Name", "Metric Unit", "Metric Value"};

template <std::size_t N>
bool has_columns(const CsvTable& table, const std::string_view (&columns)[N]) {
  return std::all_of(std::begin(columns), std::end(columns),
                     [&](std::string_view column) { return table.find_column(column).has_value(); });
}

const std::string& cell(const CsvTable& table, const CsvRow& row, std::string_view column) {
  return row.cells[*table.find_column(column)];
}

Error cell_error(const CsvTable& table, const CsvRow& row, std::string_view column, const std::string& reason) {
  return {ErrorKind::kInput, fmt::format("{}, line {}, column '{}'", table.file.string(), row.line, column), reason,
          "Export the table once more."};
}

/// A number with or without groups of thousands.
std::optional<double> number_in(std::string text) {
  std::erase(text, ',');
  double value = 0.0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || value < 0.0)
    return std::nullopt;
  return value;
}

double required_number(const CsvTable& table, const CsvRow& row, std::string_view column) {
  const auto value = number_in(cell(table, row, column));
  if (!value || *value > 9e18)
    throw cell_error(table, row, column, fmt::format("'{}' is no number of this kind.", cell(table, row, column)));
  return *value;
}

struct UnitFactor {
  std::string_view unit;
  double factor;
};

// Of Nsight Compute, which scales decimally. Base units: seconds, bytes, shares of one, counts.
constexpr UnitFactor kUnits[] = {{"", 1.0},         {"%", 0.01},       {"byte", 1.0},   {"Kbyte", 1e3},
                                 {"Mbyte", 1e6},    {"Gbyte", 1e9},    {"Tbyte", 1e12}, {"ns", 1e-9},
                                 {"us", 1e-6},      {"ms", 1e-3},      {"s", 1.0},      {"nsecond", 1e-9},
                                 {"usecond", 1e-6}, {"msecond", 1e-3}, {"second", 1.0}, {"inst", 1.0}};

/// Metrics of one launch in base units.
using Metrics = std::map<std::string, double, std::less<>>;

/// Metrics that the profile reads; units of others are of no concern.
bool is_read(std::string_view metric) {
  return metric == "gpu__time_duration.sum" || metric == "dram__bytes_read.sum" || metric == "dram__bytes_write.sum" ||
         metric == "dram__throughput.avg.pct_of_peak_sustained_elapsed" ||
         metric == "sm__throughput.avg.pct_of_peak_sustained_elapsed" || metric == "Duration" ||
         metric == "DRAM Throughput" || metric == "Compute (SM) Throughput" ||
         metric.starts_with("sm__ops_path_tensor_src") || metric.starts_with("smsp__sass_thread_inst_executed_op_f");
}

void read_metric(const CsvTable& table, const CsvRow& row, Metrics& metrics) {
  const std::string& name = cell(table, row, "Metric Name");
  const std::string& text = cell(table, row, "Metric Value");
  if (!is_read(name) || text.empty() || text == "n/a") return;
  const std::string& unit = cell(table, row, "Metric Unit");
  const auto* known = std::find_if(std::begin(kUnits), std::end(kUnits),
                                   [&](const UnitFactor& candidate) { return candidate.unit == unit; });
  if (known == std::end(kUnits))
    throw cell_error(table, row, "Metric Unit", fmt::format("'{}' is no known unit.", unit));
  metrics[name] = required_number(table, row, "Metric Value") * known->factor;
}

std::optional<double> first_of(const Metrics& metrics, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const auto found = metrics.find(name); found != metrics.end()) return found->second;
  return std::nullopt;
}

template <class Quantity>
std::optional<Quantity> as(std::optional<double> value) {
  return value ? std::optional(Quantity{*value}) : std::nullopt;
}

/// FLOP of tensor units, counted as operations, and of FP32 instructions, of which a fused one does two. Absent unless
/// both kinds were counted: one alone would look like all.
std::optional<Flops> flops_of(const Metrics& metrics) {
  const auto fma = first_of(metrics, {"smsp__sass_thread_inst_executed_op_ffma_pred_on.sum"});
  const auto add = first_of(metrics, {"smsp__sass_thread_inst_executed_op_fadd_pred_on.sum"});
  const auto multiply = first_of(metrics, {"smsp__sass_thread_inst_executed_op_fmul_pred_on.sum"});
  double tensor = 0.0;
  bool tensor_counted = false;
  for (const auto& [name, value] : metrics) {
    if (!name.starts_with("sm__ops_path_tensor_src")) continue;
    tensor += value;
    tensor_counted = true;
  }
  if (!fma || !add || !multiply || !tensor_counted) return std::nullopt;
  return Flops{2.0 * *fma + *add + *multiply + tensor};
}

CounterKernel kernel_of(const std::string& name, const Metrics& metrics, const NameRules& rules) {
  CounterKernel kernel;
  kernel.name = name;
  kernel.family = rules.family_of(name);
  kernel.time = as<Seconds>(first_of(metrics, {"gpu__time_duration.sum", "Duration"}));
  kernel.read_bytes = as<Bytes>(first_of(metrics, {"dram__bytes_read.sum"}));
  kernel.written_bytes = as<Bytes>(first_of(metrics, {"dram__bytes_write.sum"}));
  kernel.flops = flops_of(metrics);
  kernel.memory_share = first_of(metrics, {"dram__throughput.avg.pct_of_peak_sustained_elapsed", "DRAM Throughput"});
  kernel.compute_share =
      first_of(metrics, {"sm__throughput.avg.pct_of_peak_sustained_elapsed", "Compute (SM) Throughput"});
  return kernel;
}

void sort_families(GpuProfile& profile, const std::map<KernelFamily, EventTimes>& families) {
  for (const auto& [family, times] : families) profile.families.push_back({family, times});
  std::stable_sort(profile.families.begin(), profile.families.end(),
                   [](const FamilyTimes& a, const FamilyTimes& b) { return a.times.total_ns > b.times.total_ns; });
}

void merge(EventTimes& sum, const EventTimes& part) {
  sum.min_ns = sum.n == 0 ? part.min_ns : std::min(sum.min_ns, part.min_ns);
  sum.max_ns = sum.n == 0 ? part.max_ns : std::max(sum.max_ns, part.max_ns);
  sum.total_ns += part.total_ns;
  sum.n += part.n;
}

}  // namespace

bool is_nsys_kernel_sum(const CsvTable& table) {
  return has_columns(table, kKernelSumColumns);
}

GpuProfile read_nsys_kernel_sum(const CsvTable& table, const NameRules& rules) {
  GpuProfile profile;
  profile.format = "Nsight Systems kernel summary";
  std::map<KernelFamily, EventTimes> families;
  for (const CsvRow& row : table.rows) {
    KernelTimes kernel;
    kernel.name = cell(table, row, "Name");
    kernel.family = rules.family_of(kernel.name);
    const auto whole = [&](std::string_view column) {
      return static_cast<std::int64_t>(required_number(table, row, column));
    };
    kernel.times = {whole("Instances"), whole("Total Time (ns)"), whole("Min (ns)"), whole("Max (ns)")};
    merge(families[kernel.family], kernel.times);
    profile.kernels.push_back(std::move(kernel));
  }
  sort_families(profile, families);
  profile.remarks.push_back({"no_timeline", "A kernel summary has no moments, so busy and idle time are not known."});
  return profile;
}

bool is_ncu_details(const CsvTable& table) {
  return has_columns(table, kDetailColumns);
}

GpuProfile read_ncu_details(const CsvTable& table, const NameRules& rules) {
  GpuProfile profile;
  profile.format = "Nsight Compute details";
  std::vector<std::string> order;
  std::map<std::string, std::pair<std::string, Metrics>> launches;  // by ID: kernel name and metrics
  for (const CsvRow& row : table.rows) {
    const std::string& id = cell(table, row, "ID");
    if (!launches.contains(id)) order.push_back(id);
    auto& [name, metrics] = launches[id];
    name = cell(table, row, "Kernel Name");
    read_metric(table, row, metrics);
  }
  for (const std::string& id : order) {
    const auto& [name, metrics] = launches.at(id);
    profile.counters.push_back(kernel_of(name, metrics, rules));
  }
  profile.remarks.push_back({"replayed",
                             "Counters are measured with kernels replayed one by one: their times are not "
                             "those of the program."});
  return profile;
}

}  // namespace dachlast
