#include "core/collect/clock_power.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace dachlast {
namespace {

namespace fs = std::filesystem;
using trace::ClockPowerSample;

// Each file of cpufreq may interrupt its processor: a few of many tell the mean well enough.
constexpr std::size_t kMostWatched = 16;
constexpr std::size_t kMostSamples = 1'000'000;  // 14 hours, 40 MB
constexpr int kPauseShare = 100;                 // pause : reading, at least

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The number a text begins with, blanks left out.
std::optional<double> number_of(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  double value = 0.0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || !std::isfinite(value) || value < 0.0) return std::nullopt;
  return value;
}

std::optional<double> number_in(const fs::path& file) {
  return number_of(text_of(file));
}

std::optional<double> mean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// What stands behind the colon, where a line of /proc/cpuinfo has this key.
std::optional<std::string_view> value_of(std::string_view line, std::string_view key) {
  if (!line.starts_with(key)) return std::nullopt;
  const std::size_t colon = line.find(':');
  return colon == std::string_view::npos ? std::nullopt : std::optional(line.substr(colon + 1));
}

bool counts_cycles(const std::string& cpuinfo) {
  std::istringstream lines(cpuinfo);
  for (std::string line; std::getline(lines, line);)
    if (const auto flags = value_of(line, "flags"))
      return fmt::format("{} ", *flags).find(" aperfmperf ") != std::string::npos;
  return false;
}

/// The clocks of some processors in /proc/cpuinfo, in Hz.
std::vector<double> cpuinfo_clocks(const std::string& cpuinfo, const std::vector<int>& core_ids) {
  std::vector<double> clocks;
  std::istringstream lines(cpuinfo);
  int processor = -1;
  for (std::string line; std::getline(lines, line);) {
    if (const auto number = value_of(line, "processor"))
      processor = static_cast<int>(number_of(*number).value_or(-1.0));
    const auto mhz = value_of(line, "cpu MHz");
    if (!mhz || std::ranges::find(core_ids, processor) == core_ids.end()) continue;
    if (const auto value = number_of(*mhz); value && *value > 0.0) clocks.push_back(1e6 * *value);
  }
  return clocks;
}

/// Evenly chosen among many.
std::vector<int> watched(std::span<const int> core_ids) {
  std::vector<int> chosen;
  const std::size_t n = std::min(core_ids.size(), kMostWatched);
  for (std::size_t i = 0; i < n; ++i) chosen.push_back(core_ids[i * core_ids.size() / n]);
  if (chosen.empty()) chosen.push_back(0);
  return chosen;
}

/// Folders of whole packages: "intel-rapl:0", not their parts "intel-rapl:0:1".
std::vector<fs::path> package_folders(const fs::path& powercap) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(powercap, error)) {
    const std::string name = entry.path().filename().string();
    if (std::ranges::count(name, ':') == 1 && text_of(entry.path() / "name").starts_with("package"))
      found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

CpuClockPowerReader::CpuClockPowerReader(std::span<const int> core_ids, const fs::path& root) {
  find_clock(core_ids, root);
  find_power(root);
}

void CpuClockPowerReader::find_clock(std::span<const int> core_ids, const fs::path& root) {
  core_ids_ = watched(core_ids);
  for (const int core : core_ids_) {
    fs::path file = root / fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", core);
    if (number_in(file).value_or(0.0) > 0.0) clock_files_.push_back(std::move(file));
  }
  if (!clock_files_.empty()) {
    sources_.clock.source = "cpufreq";
    return;
  }
  const fs::path cpuinfo = root / "proc/cpuinfo";
  const std::string text = text_of(cpuinfo);
  if (counts_cycles(text) && !cpuinfo_clocks(text, core_ids_).empty()) {
    cpuinfo_ = cpuinfo;
    sources_.clock.source = "/proc/cpuinfo";
    return;
  }
  sources_.clock.reason = "no cpufreq and no aperfmperf, as in most virtual machines.";
}

void CpuClockPowerReader::find_power(const fs::path& root) {
  const std::vector<fs::path> folders = package_folders(root / "sys/class/powercap");
  for (const fs::path& folder : folders)
    if (const auto energy = number_in(folder / "energy_uj"))
      packages_.push_back({folder / "energy_uj", number_in(folder / "max_energy_range_uj").value_or(0.0), energy});
  if (packages_.size() == folders.size() && !folders.empty()) {
    sources_.power.source = "RAPL";
    return;
  }
  packages_.clear();
  sources_.power.reason = folders.empty() ? "no RAPL counters in /sys/class/powercap, as in most virtual machines."
                                          : "RAPL is for administrators, until `sudo chmod a+r "
                                            "/sys/class/powercap/*/energy_uj`.";
}

std::optional<double> CpuClockPowerReader::clock_hz() const {
  if (!cpuinfo_.empty()) return mean(cpuinfo_clocks(text_of(cpuinfo_), core_ids_));
  std::vector<double> clocks;
  for (const fs::path& file : clock_files_)
    if (const auto khz = number_in(file); khz && *khz > 0.0) clocks.push_back(1e3 * *khz);
  return mean(clocks);
}

/// Since the last call, all packages together; empty where one of them cannot be read.
std::optional<double> CpuClockPowerReader::spent_joules() {
  double sum_uj = 0.0;
  bool whole = true;
  for (Package& package : packages_) {
    const std::optional<double> now = number_in(package.file);
    const std::optional<double> before = std::exchange(package.last_uj, now);
    if (!now || !before || (*now < *before && package.range_uj <= 0.0))
      whole = false;
    else
      sum_uj += *now - *before + (*now < *before ? package.range_uj : 0.0);
  }
  return whole ? std::optional(1e-6 * sum_uj) : std::nullopt;
}

ClockPowerSample ClockPowerReader::read() {
  return read_at(std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

ClockPowerSample CpuClockPowerReader::read_at(std::int64_t now_ns) {
  ClockPowerSample sample{.at_ns = now_ns, .clock_hz = clock_hz(), .power_w = {}};
  if (packages_.empty()) return sample;
  const std::optional<std::int64_t> before_ns = std::exchange(last_ns_, now_ns);
  const std::optional<double> joules = spent_joules();
  if (joules && before_ns && now_ns > *before_ns)
    sample.power_w = *joules / (1e-9 * static_cast<double>(now_ns - *before_ns));
  return sample;
}

// -------- the thread

void ClockPowerSampler::start() {
  stop();
  samples_.clear();
  if (!reader_->any()) return;
  samples_.push_back(reader_->read());
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void ClockPowerSampler::work(const std::stop_token& stop) {
  std::chrono::nanoseconds pause = kPause;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, stop, pause, [&] { return stop.stop_requested(); })) {
    const auto begin = std::chrono::steady_clock::now();
    if (samples_.size() < kMostSamples) samples_.push_back(reader_->read());
    pause = std::max<std::chrono::nanoseconds>(kPause, kPauseShare * (std::chrono::steady_clock::now() - begin));
  }
}

std::vector<ClockPowerSample> ClockPowerSampler::stop() {
  if (!thread_.joinable()) return std::exchange(samples_, {});
  thread_.request_stop();
  thread_.join();
  samples_.push_back(reader_->read());
  return std::exchange(samples_, {});
}

}  // namespace dachlast
