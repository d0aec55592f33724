#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace dachlast {

/// Gives pages back to the operating system; the deleter of `MappedPages`.
struct Unmap {
  std::size_t size_bytes = 0;
  void operator()(std::byte* pages) const { ::munmap(pages, size_bytes); }
};

/// Owns pages obtained from mmap. Moves, never copies.
using MappedPages = std::unique_ptr<std::byte[], Unmap>;

/// A file mapped read-only into memory. Moves, never copies; what it returns is valid as long as the mapping lives,
/// also when the file is renamed or unlinked meanwhile. Limits   a file that another program shortens later makes reads
/// behind its new end raise SIGBUS, as with any mapping:
///          replace weights by renaming a new file over the old one, not by writing into it.
class MappedFile {
 public:
  /// Errors   throws `Error` (kInput) where the file is missing, unreadable, not a regular file, or empty.
  explicit MappedFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {pages_.get(), pages_.get_deleter().size_bytes}; }

  /// Asks the system to read a part ahead of its use.
  void prefetch(std::span<const std::byte> part) const;
  /// Drops a part from this process's resident memory, whole pages only; reading it again fetches it from the file.
  void release(std::span<const std::byte> part) const;

 private:
  std::filesystem::path path_;
  MappedPages pages_;
};

}  // namespace dachlast
