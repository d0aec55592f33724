#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dachlast::cupti {

/// One counter of a chip. The role is what it stands for on every chip ("dram_read_bytes"), the name what the chip calls it.
struct Metric {
  std::string role;
  std::string name;  // with its rollup: "dram__bytes_read.sum"
};

/// Counters that are measured together.
struct MetricSet {
  std::string name;  // "traffic", "fp32", "tensor", "shares", "roofline", "sampling"
  int n_passes = 0;  // how often the work is replayed, as CUPTI's host API counts; more than one: never time with it
  std::vector<Metric> metrics;

  std::vector<std::string> names() const;
  /// Place of a role in `metrics`; empty: the chip does not count it.
  std::optional<std::size_t> index_of(std::string_view role) const;
};

/// The one set that CUPTI samples over time while the program runs as it does.
inline constexpr std::string_view kSamplingSet = "sampling";

/// The sets of a chip, from `CHIP.csv` of a folder: columns set, passes, role, metric.
/// Errors   throws `Error`: kDevice where the chip has no file, kInput where the file is damaged.
std::vector<MetricSet> read_metric_sets(const std::filesystem::path& folder, const std::string& chip);

/// Errors   throws `Error` (kUsage) naming the sets there are.
const MetricSet& find_metric_set(const std::vector<MetricSet>& sets, std::string_view name);

}  // namespace dachlast::cupti
