#include "core/store/part_file.h"

#include <fmt/core.h>
#include <unistd.h>

#include <string_view>
#include <system_error>

#include "core/base/error.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

/// SQLite's companions of a database file: rollback journal, write-ahead log, its index.
constexpr const char* kCompanions[] = {"-journal", "-wal", "-shm"};

fs::path with_suffix(const fs::path& file, std::string_view suffix) {
  fs::path path = file;
  path += suffix;
  return path;
}

void remove_companions(const fs::path& file) {
  std::error_code ignored;  // a companion that is not there is what we want
  for (const char* companion : kCompanions) fs::remove(with_suffix(file, companion), ignored);
}

}  // namespace

PartFile::PartFile(const fs::path& file) : path_(with_suffix(file, fmt::format(".part{}", ::getpid()))) {
  discard();
}

PartFile::~PartFile() {
  discard();
}

void PartFile::rename_to(const fs::path& file) const {
  // A log that a killed run left behind would be replayed into the new database.
  remove_companions(file);
  std::error_code error;
  fs::rename(path_, file, error);
  if (error) throw Error(ErrorKind::kFailure, file.string(), error.message() + ".", "Choose another place with -o.");
}

void PartFile::discard() const {
  std::error_code ignored;
  fs::remove(path_, ignored);
  remove_companions(path_);
}

}  // namespace dachlast
