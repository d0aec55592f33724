#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/hardware/device_roofs.h"
#include "core/hardware/gpu_roofs.h"
#include "core/model/op_curves.h"

namespace dachlast {

/// `$XDG_DATA_HOME/dachlast/roofs.json`, or `~/.local/share/dachlast/roofs.json` where the variable is unset or
/// relative.
/// Errors   throws `Error` (kFailure) where neither XDG_DATA_HOME nor HOME names a folder.
/// Source   XDG Base Directory Specification 0.8.
std::filesystem::path default_roof_file();

/// Measurements kept per host; the oldest go first.
inline constexpr int kRoofsKeptPerHost = 10;

/// Measured roofs by host and date, in one JSON file.
class RoofStore {
 public:
  explicit RoofStore(std::filesystem::path file = default_roof_file());

  const std::filesystem::path& file() const { return file_; }

  /// Adds `roofs` to those of its host. The file is replaced at once: a reader sees the old or the new one, never a
  /// part.
  /// Errors   throws `Error`: kFailure where it cannot be written, kInput where the present file cannot be read.
  void save(const DeviceRoofs& roofs) const;

  /// The roofs of this host measured last; empty where there are none.
  /// Errors   throws `Error` (kInput) where the file is damaged.
  std::optional<DeviceRoofs> latest(const std::string& host_id) const;

  /// Adds `roofs` to those of that GPU of its host, the oldest of which go first.
  /// Errors   as for those of a host.
  void save(const GpuRoofs& roofs) const;

  /// The roofs of GPU `index` of this host measured last; empty where there are none, or where another GPU sits there now.
  /// Errors   as for those of a host.
  std::optional<GpuRoofs> latest_of_gpu(const std::string& host_id, int index, const std::string& device) const;

  /// Puts `curves` in the place of those of their host and number of threads.
  /// Errors   as `save`.
  void save(const HostCurves& curves) const;

  /// The curves of this host for so many threads; empty where there are none.
  /// Errors   as `latest`.
  std::optional<HostCurves> curves(const std::string& host_id, int n_threads) const;

 private:
  std::filesystem::path file_;
};

}  // namespace dachlast
