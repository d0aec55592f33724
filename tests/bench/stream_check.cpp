// Runs STREAM and the probes behind `dachlast calibrate` in turn on the same cores and prints how they compare.
//   stream_check [threads [rounds]]    defaults: one thread a core, 15 rounds. scripts/stream-check.sh sets OpenMP up.
// Exit code 0: every pattern agrees within 5 %; 1: one does not; 2: STREAM computed wrong values or wrong arguments.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/engine/calibration_plan.h"
#include "core/engine/load_monitor.h"
#include "core/engine/probe_runner.h"
#include "core/hardware/host.h"
#include "tests/bench/stream_reference.h"

namespace dachlast::bench {
namespace {

constexpr double kAgreement = 0.05;

/// One pattern measured three ways, a sample of each in every round.
struct Comparison {
  std::string pattern;
  kernels::ProbePattern probe_pattern;
  double (StreamReference::*stream)();
  std::vector<double> stream_rates;
  std::vector<double> cached_rates;
  std::vector<double> non_temporal_rates;
};

/// Bandwidth of one probe pass over `n_bytes` a thread; 0 where the CPU has no such stores.
double probe_rate(ProbeRunner& runner, const Comparison& row, kernels::StoreKind stores, int n_threads,
                  std::size_t n_bytes) {
  const auto* probe = kernels::bandwidth_variant_for(row.probe_pattern, stores);
  if (probe == nullptr) return 0.0;
  const Seconds time = runner.time_passes(*probe, n_threads, n_bytes, 1);
  return static_cast<double>(n_bytes) * n_threads / time.value;
}

/// Ratio of neighbours in time, which share the drift of the machine.
std::vector<double> paired_ratios(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
  return ratios;
}

bool print_row(const Comparison& row) {
  const double ratio = median(row.cached_rates) / median(row.stream_rates);
  const std::vector<double> pairs = paired_ratios(row.cached_rates, row.stream_rates);
  const Interval interval = median_interval(pairs);
  const bool agrees = std::abs(ratio - 1.0) <= kAgreement;
  const auto gb = [](double rate) { return rate / 1e9; };
  const std::string stream = fmt::format("{:.2f} ({:.2f})", gb(median(row.stream_rates)),
                                         gb(*std::max_element(row.stream_rates.begin(), row.stream_rates.end())));
  const std::string paired = fmt::format("{:.3f} [{:.3f}, {:.3f}]", median(pairs), interval.low, interval.high);
  fmt::print("{:6} {:>17} {:>9.2f} {:>7.3f} {:>29} {:>5} {:>13.2f}\n", row.pattern, stream,
             gb(median(row.cached_rates)), ratio, paired, agrees ? "yes" : "NO", gb(median(row.non_temporal_rates)));
  return agrees;
}

/// Bytes a thread that `calibrate` uses for DRAM.
std::size_t dram_bytes_per_thread(const HostTopology& host, int n_threads) {
  const CalibrationPlan plan = plan_calibration(host, n_threads, 0.25 * host.available_memory_bytes);
  for (const WorkingSet& set : plan.working_sets)
    if (set.level == MemoryLevel::kDram && set.n_threads == n_threads) return set.bytes_per_thread;
  throw Error(ErrorKind::kUsage, "threads", "calibrate measures no DRAM with this number of threads.",
              "Leave the number out.");
}

void take_samples(std::span<Comparison> rows, StreamReference& stream, ProbeRunner& runner, int n_threads,
                  std::size_t n_bytes) {
  for (Comparison& row : rows) {
    row.stream_rates.push_back((stream.*row.stream)());
    row.cached_rates.push_back(probe_rate(runner, row, kernels::StoreKind::kCached, n_threads, n_bytes));
    row.non_temporal_rates.push_back(probe_rate(runner, row, kernels::StoreKind::kNonTemporal, n_threads, n_bytes));
  }
}

int check(int n_threads, int n_rounds) {
  const HostTopology host = read_host_topology();
  if (n_threads == 0) n_threads = static_cast<int>(host.core_ids.size());
  if (n_threads > static_cast<int>(host.core_ids.size()))
    throw Error(ErrorKind::kUsage, "threads", fmt::format("There are {} cores.", host.core_ids.size()));
  const std::size_t n_bytes = dram_bytes_per_thread(host, n_threads);
  const std::span<const int> cores = std::span(host.core_ids).first(static_cast<std::size_t>(n_threads));
  StreamReference stream(n_bytes * static_cast<std::size_t>(n_threads) / 3 / sizeof(double), cores);
  const std::vector<std::size_t> memory(static_cast<std::size_t>(n_threads), n_bytes);
  ProbeRunner runner(cores, std::vector<int>{n_threads}, memory);

  const Comparison empty_rows[] = {{"copy", kernels::ProbePattern::kCopy, &StreamReference::copy, {}, {}, {}},
                                   {"triad", kernels::ProbePattern::kTriad, &StreamReference::triad, {}, {}, {}}};
  std::vector<Comparison> rows(std::begin(empty_rows), std::end(empty_rows));
  take_samples(rows, stream, runner, n_threads, n_bytes);  // warms up and is forgotten
  rows.assign(std::begin(empty_rows), std::end(empty_rows));
  std::vector<double> scale, add;
  LoadMonitor monitor(cores);
  for (int round = 0; round < n_rounds; ++round) {
    take_samples(rows, stream, runner, n_threads, n_bytes);
    scale.push_back(stream.scale());
    add.push_back(stream.add());
  }
  const LoadReading load = monitor.finish();
  if (!stream.is_right()) {
    fmt::print(stderr, "STREAM computed wrong values.\n");
    return 2;
  }

  fmt::print("{}, {} threads, {:.2f} GiB together, {} rounds in turn; GB/s, medians\n", host.cpu_name, n_threads,
             static_cast<double>(n_bytes) * n_threads / kGiB, n_rounds);
  fmt::print("{:6} {:>17} {:>9} {:>7} {:>29} {:>5} {:>13}\n", "", "STREAM (best)", "dachlast", "ratio",
             "ratio of neighbours [95 %]", "5 %", "non-temporal");
  bool all_agree = true;
  for (const Comparison& row : rows) all_agree = print_row(row) && all_agree;
  fmt::print("STREAM's others: scale {:.2f}, add {:.2f}\n", median(scale) / 1e9, median(add) / 1e9);
  for (const LoadRemark& remark : remarks_of(load)) fmt::print("{}: {}\n", remark.code, remark.text);
  return all_agree ? 0 : 1;
}

}  // namespace
}  // namespace dachlast::bench

int main(int argc, char** argv) {
  const int n_threads = argc > 1 ? std::atoi(argv[1]) : 0;
  const int n_rounds = argc > 2 ? std::atoi(argv[2]) : 15;
  if (n_threads < 0 || n_rounds < 1) {
    fmt::print(stderr, "usage: stream_check [threads [rounds]]\n");
    return 2;
  }
  try {
    return dachlast::bench::check(n_threads, n_rounds);
  } catch (const dachlast::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
