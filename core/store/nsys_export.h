#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dachlast {

/// One row of GPU work of an Nsight Systems export. Times are nanoseconds of the recording's clock.
struct NsysGpuRow {
  enum class Kind : std::uint8_t { kKernel, kCopy, kFill } kind = Kind::kKernel;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t device = 0;
  std::int64_t stream = 0;
  std::int64_t bytes = 0;  // of copies and fills
  std::string name;        // of kernels the full one; "Memcpy HtoD", "Memset"
  // The call that launched it; absent where it was not recorded.
  std::optional<std::int64_t> launch_thread;
  std::optional<std::int64_t> launch_ns;
};

/// One NVTX range that was pushed and popped on a thread.
struct NsysRangeRow {
  std::int64_t thread = 0;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::string text;
};

/// Whether a file is a SQLite database with the tables of such an export.
bool is_nsys_export(const std::filesystem::path& file);

/// Reads a SQLite export of Nsight Systems (schema 2 and 3) row by row; tables that the recording lacks are empty.
class NsysExport {
 public:
  /// Errors   throws `Error` (kInput) where the file cannot be read or lacks the tables of an export.
  explicit NsysExport(const std::filesystem::path& file);
  ~NsysExport();
  NsysExport(const NsysExport&) = delete;
  NsysExport& operator=(const NsysExport&) = delete;

  std::string product_version() const;  // "2026.2.1.210"; empty: not stated
  void for_each_gpu_row(const std::function<void(const NsysGpuRow&)>& take) const;
  void for_each_range(const std::function<void(const NsysRangeRow&)>& take) const;
  /// Names of GPUs by their number in the recording.
  void for_each_gpu(const std::function<void(std::int64_t, const std::string&)>& take) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dachlast
