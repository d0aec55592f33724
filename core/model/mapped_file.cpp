#include "core/model/mapped_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/base/error.h"

namespace dachlast {
namespace {

/// Closes on every way out of the constructor; a mapping outlives its descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Error open_error(const std::filesystem::path& path, int error_number) {
  if (error_number == ENOENT || error_number == ENOTDIR)
    return {ErrorKind::kInput, path.string(), "there is no such file.", "Check the path."};
  if (error_number == EACCES || error_number == EPERM)
    return {ErrorKind::kInput, path.string(), "it may not be read by this user.", "Change its permissions."};
  return {ErrorKind::kInput, path.string(), fmt::format("it cannot be opened ({}).", std::strerror(error_number))};
}

std::size_t checked_size(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw open_error(path, errno);
  if (S_ISDIR(status.st_mode))
    throw Error(ErrorKind::kInput, path.string(), "it is a folder where a file is needed.", "Name a file in it.");
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorKind::kInput, path.string(), "it is not a regular file.", "Name a file that can be mapped.");
  if (status.st_size == 0)
    throw Error(ErrorKind::kInput, path.string(), "the file is empty.", "Copy or download it again.");
  return static_cast<std::size_t>(status.st_size);
}

struct PageRange {
  std::byte* begin;
  std::size_t size;  // 0: no whole page inside
};

enum class Rounding { kInward, kOutward };

PageRange pages_of(std::span<const std::byte> part, Rounding rounding) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto begin = reinterpret_cast<std::uintptr_t>(part.data());
  auto end = begin + part.size();
  begin = (rounding == Rounding::kInward ? begin + page - 1 : begin) / page * page;
  end = (rounding == Rounding::kInward ? end : end + page - 1) / page * page;
  return {reinterpret_cast<std::byte*>(begin), end > begin ? end - begin : 0};
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  // O_NONBLOCK: opening a FIFO must not wait for its writer.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) throw open_error(path, errno);
  const std::size_t size = checked_size(file, path);
  void* pages = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (pages == MAP_FAILED)
    throw Error(ErrorKind::kInput, path.string(), fmt::format("it cannot be mapped ({}).", std::strerror(errno)));
  pages_ = MappedPages(static_cast<std::byte*>(pages), Unmap{size});
}

// Advice is only advice: what the system answers to it changes no result.
void MappedFile::prefetch(std::span<const std::byte> part) const {
  const PageRange range = pages_of(part, Rounding::kOutward);
  if (range.size > 0) ::madvise(range.begin, range.size, MADV_WILLNEED);
}

void MappedFile::release(std::span<const std::byte> part) const {
  const PageRange range = pages_of(part, Rounding::kInward);
  if (range.size > 0) ::madvise(range.begin, range.size, MADV_DONTNEED);
}

}  // namespace dachlast
