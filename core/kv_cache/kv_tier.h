#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/kv_cache/aligned_buffer.h"
#include "core/model/kv_spec.h"

namespace dachlast {

/// The memory behind the layers in work, addressed by byte. Offsets and sizes are multiples of `kv_tier_alignment`.
/// Threads  one caller at a time.
class TierMemory {
 public:
  virtual ~TierMemory() = default;

  /// The bytes at `offset`: in the tier itself, or read into `bounce`. Valid until the next call.
  /// Errors   throws `Error` (kFailure) where the system refuses.
  virtual std::span<const std::byte> read(std::int64_t offset, std::span<std::byte> bounce) = 0;
  /// Where bytes for `offset` are to be put together: in the tier itself, or in `bounce`.
  virtual std::span<std::byte> stage(std::int64_t offset, std::span<std::byte> bounce) = 0;
  /// Keeps what was put there.
  /// Errors   throws `Error`: kDoesNotFit where the tier is full, kFailure where the system refuses.
  virtual void write(std::int64_t offset, std::span<const std::byte> staged) = 0;

  /// RAM that it takes.
  virtual double memory_bytes() const = 0;
  /// What it is, for people: "a file of 12 MiB, O_DIRECT".
  virtual std::string description() const = 0;
};

/// A second pool of memory, locked into RAM where the system permits it.
/// Errors   throws `Error` (kDoesNotFit) where there is no memory.
std::unique_ptr<TierMemory> make_host_tier(double bytes);

/// The system's calls a file tier makes; tests put others in their place.
struct FileCalls {
  std::function<ssize_t(int, void*, std::size_t, off_t)> read;
  std::function<ssize_t(int, const void*, std::size_t, off_t)> write;
  std::function<int(int, off_t)> reserve;  // 0, or the number of an error

  static FileCalls of_system();
};

/// A nameless file of `bytes` in `folder`, reserved at once and gone with its tier. Past the page cache (O_DIRECT) where the
/// file system can, since a cache of the cache would only take the RAM that the tier is to spare.
/// Errors   throws `Error` naming the folder: kDoesNotFit where it lacks room or a limit forbids files of this size,
///          kFailure where no file can be made.
std::unique_ptr<TierMemory> make_file_tier(const std::filesystem::path& folder, double bytes,
                                           const FileCalls& calls = FileCalls::of_system());

/// Where a file tier goes if nobody says: $TMPDIR, else the user's cache folder, else /tmp.
/// Source   XDG Base Directory Specification 0.8 (XDG_CACHE_HOME); POSIX.1-2017, section 8.3 (TMPDIR).
std::filesystem::path default_scratch_folder();

}  // namespace dachlast
