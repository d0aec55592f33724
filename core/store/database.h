#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dachlast {

/// One prepared SQL statement. Columns count from 0.
class Statement {
 public:
  /// Binds all parameters in order, ready for the next `step`.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bind_at(++index, values), ...);
    return *this;
  }

  /// Runs to the next row; false at the end.
  bool step();
  /// Runs a statement that yields no rows.
  void run();

  std::int64_t integer(int column) const;
  int count(int column) const;  // an integer that is a number of things; throws where it is no int
  double real(int column) const;
  std::string text(int column) const;
  std::string_view view(int column) const;      // of a text, valid until the next step
  std::vector<double> reals(int column) const;  // as bound from a span
  bool is_null(int column) const;

 private:
  friend class Database;
  Statement(sqlite3* db, const std::string& subject, std::string_view sql);

  void reset();
  void bind_at(int index, std::int64_t value);
  void bind_at(int index, int value) { bind_at(index, std::int64_t{value}); }
  void bind_at(int index, double value);
  void bind_at(int index, std::string_view value);
  void bind_at(int index, const std::string& value) { bind_at(index, std::string_view(value)); }
  void bind_at(int index, std::nullptr_t);
  void bind_at(int index, const std::optional<double>& value) {
    value ? bind_at(index, *value) : bind_at(index, nullptr);
  }
  void bind_at(int index, const std::optional<std::string>& value) {
    value ? bind_at(index, std::string_view(*value)) : bind_at(index, nullptr);
  }
  void bind_at(int index, std::span<const double> values);
  void require(int code) const;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* db_;
  std::string subject_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

enum class DatabaseMode { kRead, kWrite, kCreate };

/// One SQLite database; the only class beside `Statement` that calls SQLite.
/// Errors   every call throws `Error` with the name of the file people know: kInput where the content is to blame,
///          kFailure where reading or writing is.
class Database {
 public:
  /// `subject` is what errors call the file, where that is not the path itself.
  Database(const std::filesystem::path& file, DatabaseMode mode, std::string subject = {});

  /// A copy in memory, so that a file can be migrated without being changed.
  Database copy_in_memory() const;
  static Database in_memory();

  Statement prepare(std::string_view sql) const;
  /// Runs statements without parameters and rows.
  void execute(const char* sql) const;
  /// The one integer that `PRAGMA name` yields.
  std::int64_t pragma(std::string_view name) const;
  bool in_transaction() const;
  const std::string& subject() const { return subject_; }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  Database(sqlite3* db, std::string subject) : db_(db), subject_(std::move(subject)) {}

  std::unique_ptr<sqlite3, Close> db_;
  std::string subject_;
};

/// All or nothing: rolls back unless `commit` was called.
class Transaction {
 public:
  explicit Transaction(const Database& db);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  const Database& db_;
};

}  // namespace dachlast
