// Writes core/collect/cupti/metric_sets anew from what the CUPTI library at hand knows: one file a chip. Run it after an
// update of CUPTI, and review what changed.
//   write_metric_sets FOLDER

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/collect/cupti/metric_host.h"
#include "core/collect/cupti/metric_sets.h"

namespace dachlast::cupti {
namespace {

using Metrics = std::vector<Metric>;

constexpr std::string_view kTensorPrefix = "sm__ops_path_tensor_src_";

bool has(const std::vector<std::string>& counters, std::string_view name) {
  for (const std::string& counter : counters)
    if (counter == name) return true;
  return false;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Chips of 2025 with GDDR7 name the same counters by the operation.
Metrics dram(const std::vector<std::string>& counters) {
  for (const char* infix : {"", "op_"}) {
    const std::string read = std::string("dram__bytes_") + infix + "read";
    const std::string write = std::string("dram__bytes_") + infix + "write";
    if (has(counters, read) && has(counters, write))
      return {{"dram_read_bytes", read + ".sum"}, {"dram_write_bytes", write + ".sum"}};
  }
  return {};  // memory shared with a CPU: its traffic is not the GPU's to count
}

/// Operations of tensor units by the types they read; parts of these by sparsity and duplicates in real time left out, and
/// products of single bits, which are no arithmetic of models.
Metrics tensor(const std::vector<std::string>& counters) {
  Metrics metrics;
  for (const std::string& counter : counters)
    if (counter.starts_with(kTensorPrefix) && !contains(counter, "sparsity") && !contains(counter, "realtime") &&
        !contains(counter, "int1"))
      metrics.push_back({"tensor_" + counter.substr(kTensorPrefix.size()), counter + ".sum"});
  return metrics;
}

Metrics fp32() {
  Metrics metrics;
  for (const char* op : {"ffma", "fadd", "fmul"})
    metrics.push_back(
        {std::string("fp32_") + op, std::string("smsp__sass_thread_inst_executed_op_") + op + "_pred_on.sum"});
  return metrics;
}

Metrics shares(bool has_dram) {
  Metrics metrics = {{"sm_share_percent", "sm__throughput.avg.pct_of_peak_sustained_elapsed"},
                     {"l2_share_percent", "lts__throughput.avg.pct_of_peak_sustained_elapsed"}};
  if (has_dram) metrics.push_back({"dram_share_percent", "dram__throughput.avg.pct_of_peak_sustained_elapsed"});
  return metrics;
}

MetricSet counted(const std::string& chip, ProfilerKind kind, const char* name, Metrics metrics) {
  MetricSet set{name, 0, std::move(metrics)};
  MetricHost host(chip, kind);
  host.add(set.names());
  set.n_passes = host.n_passes(host.config_image());
  return set;
}

std::vector<MetricSet> sets_of(const std::string& chip) {
  const std::vector<std::string> counters = MetricHost(chip, ProfilerKind::kRange).counters();
  const Metrics of_dram = dram(counters);
  const Metrics of_tensor = tensor(counters);
  Metrics traffic = {{"time_ns", "gpu__time_duration.sum"}, {"l2_bytes", "lts__t_bytes.sum"}};
  traffic.insert(traffic.end(), of_dram.begin(), of_dram.end());
  Metrics all = traffic;
  for (const Metrics& part : {fp32(), of_tensor, shares(!of_dram.empty())})
    all.insert(all.end(), part.begin(), part.end());
  std::vector<MetricSet> sets = {counted(chip, ProfilerKind::kRange, "traffic", traffic),
                                 counted(chip, ProfilerKind::kRange, "fp32", fp32()),
                                 counted(chip, ProfilerKind::kRange, "shares", shares(!of_dram.empty())),
                                 counted(chip, ProfilerKind::kRange, "roofline", all)};
  if (!of_tensor.empty()) sets.push_back(counted(chip, ProfilerKind::kRange, "tensor", of_tensor));
  try {
    if (!of_dram.empty()) {
      MetricSet sampling = counted(chip, ProfilerKind::kSampling, "sampling", of_dram);
      if (sampling.n_passes == 1) sets.push_back(std::move(sampling));
    }
  } catch (const Error&) {
    // the chip has no sampling
  }
  return sets;
}

void write(const std::filesystem::path& file, const std::vector<MetricSet>& sets) {
  std::ofstream out(file);
  out << "set,passes,role,metric\n";
  for (const MetricSet& set : sets)
    for (const Metric& metric : set.metrics)
      out << set.name << ',' << set.n_passes << ',' << metric.role << ',' << metric.name << '\n';
}

}  // namespace
}  // namespace dachlast::cupti

int main(int n, char** arguments) {
  if (n != 2) return std::fputs("write_metric_sets FOLDER\n", stderr), 2;
  for (const std::string& chip : dachlast::cupti::known_chips()) {
    try {
      dachlast::cupti::write(std::filesystem::path(arguments[1]) / (chip + ".csv"), dachlast::cupti::sets_of(chip));
    } catch (const dachlast::Error& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
  }
}
