#include "core/store/database.h"

#include <fmt/core.h>

#include <bit>
#include <cstring>
#include <limits>
#include <system_error>

#include "core/base/error.h"

namespace dachlast {
namespace {

// Samples are stored as the bytes of doubles; files must not depend on the computer that wrote them.
static_assert(std::endian::native == std::endian::little, "sample blobs are little-endian");

/// SQLite's own words, and the operating system's where the cause lies there.
std::string reason_of(sqlite3* db, int code) {
  const int os_error = db == nullptr ? 0 : sqlite3_system_errno(db);
  const bool from_os = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  if (from_os && os_error != 0) return std::generic_category().message(os_error) + ".";
  return fmt::format("{}.", db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db));
}

[[noreturn]] void throw_database_error(sqlite3* db, int code, const std::string& subject) {
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      throw Error(ErrorKind::kInput, subject, "this is not a Dachlast run file.",
                  "Give a file that `dachlast run` wrote.");
    case SQLITE_CORRUPT:
      throw Error(ErrorKind::kInput, subject, "the file is damaged or was cut off.",
                  "Copy it again, or repeat the run.");
    case SQLITE_ERROR:
      throw Error(ErrorKind::kInput, subject,
                  fmt::format("its layout is not known to this version: {}", reason_of(db, code)),
                  "Open it with the version that wrote it.");
    case SQLITE_FULL:
      throw Error(ErrorKind::kFailure, subject, "no space is left for it.",
                  "Free space or choose another place with -o.");
    case SQLITE_READONLY:
    case SQLITE_PERM:
      throw Error(ErrorKind::kFailure, subject, "it may not be written.", "Choose another place with -o.");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(ErrorKind::kFailure, subject, "another program is writing it.", "Wait until that program is done.");
    default:
      throw Error(ErrorKind::kFailure, subject, reason_of(db, code), "Check the path, its permissions and the disk.");
  }
}

int flags_of(DatabaseMode mode) {
  switch (mode) {
    case DatabaseMode::kRead: return SQLITE_OPEN_READONLY;
    case DatabaseMode::kWrite: return SQLITE_OPEN_READWRITE;
    case DatabaseMode::kCreate: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return SQLITE_OPEN_READONLY;
}

/// How long to wait for a process that is just folding its journal back.
constexpr int kBusyTimeoutMs = 2000;

}  // namespace

Statement::Statement(sqlite3* db, const std::string& subject, std::string_view sql) : db_(db), subject_(subject) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
  require(code);
}

void Statement::require(int code) const {
  if (code != SQLITE_OK) throw_database_error(db_, code, subject_);
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // repeats the code of the last step, which has been thrown then
  sqlite3_clear_bindings(statement_.get());
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  throw_database_error(db_, sqlite3_extended_errcode(db_), subject_);
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::bind_at(int index, std::int64_t value) {
  require(sqlite3_bind_int64(statement_.get(), index, value));
}

void Statement::bind_at(int index, double value) {
  require(sqlite3_bind_double(statement_.get(), index, value));
}

void Statement::bind_at(int index, std::string_view value) {
  require(sqlite3_bind_text64(statement_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind_at(int index, std::nullptr_t) {
  require(sqlite3_bind_null(statement_.get(), index));
}

void Statement::bind_at(int index, std::span<const double> values) {
  if (values.empty()) {
    require(sqlite3_bind_zeroblob(statement_.get(), index, 0));  // a null pointer would store NULL
    return;
  }
  require(sqlite3_bind_blob64(statement_.get(), index, values.data(), values.size_bytes(), SQLITE_TRANSIENT));
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

int Statement::count(int column) const {
  const std::int64_t value = integer(column);
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    throw_database_error(db_, SQLITE_CORRUPT, subject_);
  return static_cast<int>(value);
}

double Statement::real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string_view Statement::view(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string Statement::text(int column) const {
  return std::string(view(column));
}

std::vector<double> Statement::reals(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const auto n_bytes = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  if (n_bytes % sizeof(double) != 0) throw_database_error(db_, SQLITE_CORRUPT, subject_);
  std::vector<double> values(n_bytes / sizeof(double));
  if (n_bytes > 0) std::memcpy(values.data(), bytes, n_bytes);
  return values;
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Database::Database(const std::filesystem::path& file, DatabaseMode mode, std::string subject)
    : subject_(subject.empty() ? file.string() : std::move(subject)) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &db, flags_of(mode), nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) throw_database_error(db, code, subject_);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kBusyTimeoutMs);
}

Database Database::in_memory() {
  return {":memory:", DatabaseMode::kCreate};
}

Database Database::copy_in_memory() const {
  Database copy(":memory:", DatabaseMode::kCreate, subject_);
  sqlite3_backup* backup = sqlite3_backup_init(copy.db_.get(), "main", db_.get(), "main");
  if (backup == nullptr) throw_database_error(copy.db_.get(), sqlite3_extended_errcode(copy.db_.get()), subject_);
  sqlite3_backup_step(backup, -1);  // its failure is repeated by finish
  const int code = sqlite3_backup_finish(backup);
  if (code != SQLITE_OK) throw_database_error(copy.db_.get(), code, subject_);
  return copy;
}

Statement Database::prepare(std::string_view sql) const {
  return {db_.get(), subject_, sql};
}

void Database::execute(const char* sql) const {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw_database_error(db_.get(), code, subject_);
}

std::int64_t Database::pragma(std::string_view name) const {
  Statement statement = prepare(fmt::format("PRAGMA {}", name));
  return statement.step() ? statement.integer(0) : 0;
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(db_.get()) == 0;
}

Transaction::Transaction(const Database& db) : db_(db) {
  db_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!db_.in_transaction()) return;  // committed, or rolled back by SQLite where the disk was full
  try {
    db_.execute("ROLLBACK");
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
    // The error that led here is on its way already; closing the database rolls back as well.
  }
}

void Transaction::commit() {
  db_.execute("COMMIT");
}

}  // namespace dachlast
