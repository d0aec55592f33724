#include "core/workbench/project_journal.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/error.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kJournalExtension = ".journal";
constexpr std::string_view kJournalSchema = "dachlast.journal/1";
constexpr std::uintmax_t kLargestJournal = 64u << 20;
// A folder with more was not filled by this program; looking at all would hold up its start.
constexpr std::size_t kMostJournals = 100;

fs::path absolute_folder(const char* variable) {
  const char* value = std::getenv(variable);
  const fs::path path = value == nullptr ? fs::path() : fs::path(value);
  return path.is_absolute() ? path : fs::path();
}

fs::path lock_of(const fs::path& journal) {
  fs::path lock = journal;
  lock += ".lock";
  return lock;
}

/// A handle that holds the lock, or −1 where another holds it or it cannot be made. Locks of one process exclude each other
/// too: every window has a handle of its own.
int take_lock(const fs::path& file) {
  const int handle = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (handle < 0) return -1;
  if (::flock(handle, LOCK_EX | LOCK_NB) == 0) return handle;
  ::close(handle);
  return -1;
}

fs::path new_journal(const fs::path& folder) {
  static std::atomic<int> n_made{0};
  return folder / fmt::format("{}-{}{}", ::getpid(), n_made++, kJournalExtension);
}

std::optional<LeftBehind> read_journal(const fs::path& journal) {
  std::error_code error;
  if (fs::file_size(journal, error) > kLargestJournal || error) return std::nullopt;
  std::ifstream in(journal, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  const json document = json::parse(text.str(), nullptr, false);
  if (!document.is_object()) return std::nullopt;
  try {
    if (document.at("schema") != kJournalSchema) return std::nullopt;
    LeftBehind left{journal, document.at("file").get<std::string>(), document.at("written_at").get<std::string>(), {}};
    left.project = project_from(journal.string(), document.at("project").get<std::string>(), {}).project;
    return left;
  } catch (const json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

fs::path default_journal_folder() {
  if (const fs::path state = absolute_folder("XDG_STATE_HOME"); !state.empty()) return state / "dachlast" / "recovery";
  const fs::path home = absolute_folder("HOME");
  return home.empty() ? fs::path() : home / ".local" / "state" / "dachlast" / "recovery";
}

ProjectJournal::ProjectJournal(const fs::path& folder) {
  std::error_code error;
  if (folder.empty() || (fs::create_directories(folder, error), error)) return;
  path_ = new_journal(folder);
  lock_ = take_lock(lock_of(path_));
  if (lock_ < 0) path_.clear();
}

ProjectJournal::~ProjectJournal() {
  if (path_.empty()) return;
  clear();
  ::unlink(lock_of(path_).c_str());
  ::close(lock_);
}

void ProjectJournal::write(const Project& project, const fs::path& file) {
  if (path_.empty()) return;
  // The project travels as text: its own reader, with its limits, takes it apart.
  const json document{{"schema", kJournalSchema},
                      {"file", file.string()},
                      {"written_at", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
                      {"project", project_text(project, {})}};
  replace_file(path_, document.dump(2, ' ', false, json::error_handler_t::replace));
}

void ProjectJournal::clear() const {
  if (!path_.empty()) ::unlink(path_.c_str());
}

std::vector<LeftBehind> left_behind(const fs::path& folder) {
  std::vector<LeftBehind> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end && found.size() < kMostJournals;
       it.increment(error)) {
    const fs::path journal = it->path();
    if (journal.extension() != kJournalExtension) continue;
    const int lock = take_lock(lock_of(journal));
    if (lock < 0) continue;  // its window is open
    if (auto left = read_journal(journal))
      found.push_back(*std::move(left));
    else
      ::unlink(lock_of(journal).c_str());
    ::close(lock);
  }
  std::ranges::sort(found, std::ranges::greater{}, &LeftBehind::written_at);
  return found;
}

void forget(const LeftBehind& left) {
  ::unlink(left.journal.c_str());
  ::unlink(lock_of(left.journal).c_str());
}

}  // namespace dachlast
