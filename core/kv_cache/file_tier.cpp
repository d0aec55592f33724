#include <fcntl.h>
#include <fmt/core.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/base/units.h"
#include "core/kv_cache/kv_tier.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOtherFolder = "Name another folder with --scratch.";

std::string text_of(int error) {
  return std::generic_category().message(error);
}

std::string subject_of(const fs::path& folder) {
  return fmt::format("KV file in {}", folder.string());
}

/// An open file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_;
};

enum class PageCache { kPassed, kUsed };

struct ScratchFile {
  Descriptor descriptor;
  PageCache page_cache;
};

/// For file systems without nameless files: one whose name is gone as soon as it is there.
Descriptor open_and_unlink(const fs::path& folder) {
  std::string name = (folder / "dachlast-kv-XXXXXX").string();
  Descriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (file.open()) ::unlink(name.c_str());
  return file;
}

Descriptor open_nameless(const fs::path& folder, int flags) {
  return Descriptor(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0600));
}

/// File systems may accept O_DIRECT and then refuse its transfers, or want larger ones than ours.
bool takes_direct(const Descriptor& file) {
  constexpr std::size_t kBlock = 4096;
  void* memory = std::aligned_alloc(kBlock, kBlock);
  if (memory == nullptr) return false;
  std::fill_n(static_cast<char*>(memory), kBlock, '\0');
  const bool works = ::pwrite(file.number(), memory, kBlock, 0) == static_cast<ssize_t>(kBlock) &&
                     ::pread(file.number(), memory, kBlock, 0) == static_cast<ssize_t>(kBlock);
  std::free(memory);
  return works;
}

ScratchFile open_scratch(const fs::path& folder) {
  if (Descriptor direct = open_nameless(folder, O_DIRECT); direct.open() && takes_direct(direct))
    return {std::move(direct), PageCache::kPassed};
  if (Descriptor plain = open_nameless(folder, 0); plain.open()) return {std::move(plain), PageCache::kUsed};
  Descriptor named = open_and_unlink(folder);
  if (!named.open())
    throw Error(ErrorKind::kFailure, subject_of(folder), fmt::format("It cannot be made: {}.", text_of(errno)),
                kOtherFolder);
  return {std::move(named), PageCache::kUsed};
}

std::string free_text(const fs::path& folder) {
  struct statvfs room {};
  if (::statvfs(folder.c_str(), &room) != 0) return "an unknown amount";
  return fmt::format("{:.4g} MiB",
                     1.0 * static_cast<double>(room.f_bavail) * static_cast<double>(room.f_frsize) / kMiB);
}

/// Beyond the limit the system would end the process by a signal instead of answering.
void require_within_limit(const fs::path& folder, double bytes) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
      bytes <= static_cast<double>(limit.rlim_cur))
    return;
  throw Error(ErrorKind::kDoesNotFit, subject_of(folder),
              fmt::format("{:.4g} MiB are needed and files may have {:.4g} MiB (ulimit -f).", bytes / kMiB,
                          static_cast<double>(limit.rlim_cur) / kMiB),
              "Raise the limit, or use a shorter context, fewer sequences or a narrower --kv format.");
}

Error full(const fs::path& folder, std::string reason) {
  return {ErrorKind::kDoesNotFit, subject_of(folder), std::move(reason),
          "Name a folder with more room with --scratch, or use a shorter context or fewer sequences."};
}

std::string file_system_note(const Descriptor& file) {
  struct statfs facts {};
  if (::fstatfs(file.number(), &facts) == 0 && facts.f_type == TMPFS_MAGIC) return ", on tmpfs, which is RAM";
  return {};
}

class FileTier final : public TierMemory {
 public:
  FileTier(fs::path folder, double bytes, const FileCalls& calls)
      : folder_(std::move(folder)), bytes_(bytes), calls_(calls), file_(open_scratch(folder_)) {
    const int error = calls_.reserve(file_.descriptor.number(), static_cast<off_t>(bytes));
    if (error == 0) return;
    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
      throw full(folder_, fmt::format("{:.4g} MiB are needed and {} are free.", bytes / kMiB, free_text(folder_)));
    throw Error(ErrorKind::kFailure, subject_of(folder_), fmt::format("Room is refused: {}.", text_of(error)),
                kOtherFolder);
  }

  std::span<const std::byte> read(std::int64_t offset, std::span<std::byte> bounce) override {
    transfer(offset, bounce.size(), "read", [&](std::size_t done) {
      return calls_.read(file_.descriptor.number(), bounce.data() + done, bounce.size() - done,
                         static_cast<off_t>(offset + static_cast<std::int64_t>(done)));
    });
    return bounce;
  }

  std::span<std::byte> stage(std::int64_t, std::span<std::byte> bounce) override { return bounce; }

  void write(std::int64_t offset, std::span<const std::byte> staged) override {
    transfer(offset, staged.size(), "written", [&](std::size_t done) {
      return calls_.write(file_.descriptor.number(), staged.data() + done, staged.size() - done,
                          static_cast<off_t>(offset + static_cast<std::int64_t>(done)));
    });
  }

  double memory_bytes() const override { return 0.0; }
  /// Without its folder: descriptions go into reports, which must not show where people keep things.
  std::string description() const override {
    return fmt::format(
        "a file of {:.4g} MiB, {}{}", bytes_ / kMiB,
        file_.page_cache == PageCache::kPassed ? "O_DIRECT" : "through the page cache, which may answer from RAM",
        file_system_note(file_.descriptor));
  }

 private:
  template <class Part>
  void transfer(std::int64_t offset, std::size_t size, const char* what, Part&& part) {
    for (std::size_t done = 0; done < size;) {
      const ssize_t n = part(done);
      if (n > 0) {
        done += static_cast<std::size_t>(n);
      } else if (n == 0 || errno != EINTR) {
        fail(n == 0 ? ENODATA : errno, offset, what);
      }
    }
  }

  [[noreturn]] void fail(int error, std::int64_t offset, const char* what) const {
    const std::string reason = fmt::format("A chunk at {:.4g} MiB could not be {}: {}.",
                                           static_cast<double>(offset) / kMiB, what, text_of(error));
    if (error == ENOSPC || error == EDQUOT || error == EFBIG) throw full(folder_, reason);
    throw Error(ErrorKind::kFailure, subject_of(folder_), reason, kOtherFolder);
  }

  fs::path folder_;
  double bytes_;
  FileCalls calls_;
  ScratchFile file_;
};

/// Where the file system cannot reserve, missing room shows when it is written to.
int reserve_room(int fd, off_t bytes) {
  if (::fallocate(fd, 0, 0, bytes) == 0) return 0;
  if (errno != EOPNOTSUPP) return errno;
  return ::ftruncate(fd, bytes) == 0 ? 0 : errno;
}

fs::path absolute_folder(const char* variable) {
  const char* value = std::getenv(variable);
  const fs::path path = value == nullptr ? fs::path() : fs::path(value);
  return path.is_absolute() ? path : fs::path();
}

/// Made where it is missing; the attempt to open a file in it says what went wrong.
void make_folder(const fs::path& folder) {
  std::error_code ignored;
  fs::create_directories(folder, ignored);
}

}  // namespace

FileCalls FileCalls::of_system() {
  return {.read = [](int fd, void* to, std::size_t size, off_t at) { return ::pread(fd, to, size, at); },
          .write = [](int fd, const void* from, std::size_t size, off_t at) { return ::pwrite(fd, from, size, at); },
          .reserve = reserve_room};
}

fs::path default_scratch_folder() {
  if (const fs::path temporary = absolute_folder("TMPDIR"); !temporary.empty()) return temporary;
  if (const fs::path cache = absolute_folder("XDG_CACHE_HOME"); !cache.empty()) return cache / "dachlast";
  if (const fs::path home = absolute_folder("HOME"); !home.empty()) return home / ".cache" / "dachlast";
  return "/tmp";
}

std::unique_ptr<TierMemory> make_file_tier(const fs::path& folder, double bytes, const FileCalls& calls) {
  require_within_limit(folder, bytes);
  make_folder(folder);
  return std::make_unique<FileTier>(folder, bytes, calls);
}

}  // namespace dachlast
