#include "core/store/attach_file.h"

#include <fmt/core.h>

#include "core/base/error.h"
#include "core/store/attach_gpu_tables.h"
#include "core/store/database.h"
#include "core/store/enum_names.h"
#include "core/store/part_file.h"
#include "core/store/schema.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

std::optional<int> optional_count(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.count(column);
}

void insert_head(const Database& db, const AttachRecord& record) {
  Statement insert =
      db.prepare("INSERT INTO attach (id, command, started_at, exit_code, signal) VALUES (1, ?, ?, ?, ?)");
  if (record.exit_code)
    insert.bind(record.command, record.started_at, *record.exit_code, nullptr).run();
  else if (record.signal)
    insert.bind(record.command, record.started_at, nullptr, *record.signal).run();
  else
    insert.bind(record.command, record.started_at, nullptr, nullptr).run();
}

void insert_names(const Database& db, const AttachRecord& record) {
  Statement processes = db.prepare("INSERT INTO attach_process VALUES (?, ?, ?, ?)");
  for (std::size_t i = 0; i < record.processes.size(); ++i) {
    const AttachedProcess& process = record.processes[i];
    processes.bind(static_cast<std::int64_t>(i), process.pid, process.parent_pid, process.program).run();
  }
  Statement threads = db.prepare("INSERT INTO attach_thread VALUES (?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < record.threads.size(); ++i) {
    const AttachedThread& thread = record.threads[i];
    threads.bind(static_cast<std::int64_t>(i), thread.process, thread.tid, thread.name, thread.n_dropped).run();
  }
  Statement names = db.prepare("INSERT INTO attach_name VALUES (?, ?)");
  for (std::size_t i = 0; i < record.names.size(); ++i) names.bind(static_cast<std::int64_t>(i), record.names[i]).run();
}

void insert_ranges(const Database& db, const AttachRecord& record) {
  Statement insert = db.prepare(
      "INSERT INTO attach_range (thread_id, start_ns, end_ns, name_id, domain_id, category_id, depth, ended, payload) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const AttachedRange& range : record.ranges)
    insert
        .bind(range.thread, range.start_ns, range.end_ns, range.name, range.domain, range.category, range.depth,
              name_of(range.end), range.payload)
        .run();
}

void write_whole(const fs::path& part, const std::string& subject, const AttachRecord& record) {
  const Database db(part, DatabaseMode::kCreate, subject);
  db.execute(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str());
  migrate(db, migrations());
  Transaction transaction(db);
  insert_head(db, record);
  insert_names(db, record);
  insert_ranges(db, record);
  insert_gpu_part(db, record.gpu);
  transaction.commit();
}

bool holds_attach(const Database& db) {
  if (db.pragma("application_id") != kApplicationId) return false;
  Statement table = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'attach'");
  if (!table.step()) return false;
  Statement head = db.prepare("SELECT 1 FROM attach");
  return head.step();
}

[[noreturn]] void throw_damaged_record(const fs::path& file, const std::string& what) {
  throw Error(ErrorKind::kInput, file.string(), fmt::format("is damaged: {}.", what), "Record it once more.");
}

/// A number of a row that must be an index into a list of `size`.
std::int32_t index_in(const fs::path& file, const Statement& row, int column, std::size_t size) {
  const std::int64_t value = row.integer(column);
  if (value < 0 || value >= static_cast<std::int64_t>(size))
    throw_damaged_record(file, fmt::format("{} names nothing", value));
  return static_cast<std::int32_t>(value);
}

void read_lists(const fs::path& file, const Database& db, AttachRecord& record) {
  Statement process = db.prepare("SELECT pid, parent_pid, program FROM attach_process ORDER BY id");
  while (process.step()) record.processes.push_back({process.integer(0), process.integer(1), process.text(2)});
  Statement thread = db.prepare("SELECT process_id, tid, name, n_dropped FROM attach_thread ORDER BY id");
  while (thread.step())
    record.threads.push_back(
        {index_in(file, thread, 0, record.processes.size()), thread.integer(1), thread.text(2), thread.integer(3)});
  Statement name = db.prepare("SELECT text FROM attach_name ORDER BY id");
  while (name.step()) record.names.push_back(name.text(0));
}

void read_ranges(const fs::path& file, const Database& db, AttachRecord& record) {
  Statement row = db.prepare(
      "SELECT thread_id, start_ns, end_ns, name_id, domain_id, category_id, depth, ended, payload FROM attach_range "
      "ORDER BY id");
  while (row.step()) {
    AttachedRange range;
    range.thread = index_in(file, row, 0, record.threads.size());
    range.start_ns = row.integer(1);
    range.end_ns = row.integer(2);
    range.name = index_in(file, row, 3, record.names.size());
    range.domain = index_in(file, row, 4, record.names.size());
    range.category = index_in(file, row, 5, record.names.size());
    range.depth = row.count(6);
    const auto end = enum_from_name(row.text(7), kAllRangeEnds);
    if (!end) throw_damaged_record(file, fmt::format("'{}' is no end of a range", row.text(7)));
    range.end = *end;
    range.payload = row.text(8);
    record.ranges.push_back(std::move(range));
  }
}

}  // namespace

void write_attach_file(const fs::path& file, const AttachRecord& record, IfExists if_exists) {
  require_writable_name(file, if_exists);
  const PartFile part(file);
  write_whole(part.path(), file.string(), record);
  part.rename_to(file);
}

bool is_attach_file(const fs::path& file) {
  try {
    return fs::is_regular_file(file) && holds_attach(Database(file, DatabaseMode::kRead));
  } catch (const Error&) {
    return false;  // whoever opens it says what is wrong with it
  }
}

AttachRecord read_attach_file(const fs::path& file) {
  const Database db(file, DatabaseMode::kRead);
  if (!holds_attach(db))
    throw Error(ErrorKind::kInput, file.string(), "holds no attached program.", "`dachlast show` prints runs.");
  AttachRecord record;
  Statement head = db.prepare("SELECT command, started_at, exit_code, signal FROM attach");
  head.step();
  record.command = head.text(0);
  record.started_at = head.text(1);
  record.exit_code = optional_count(head, 2);
  record.signal = optional_count(head, 3);
  read_lists(file, db, record);
  read_ranges(file, db, record);
  if (db.pragma("user_version") >= kFirstVersionWithGpus) read_gpu_part(file, db, record);
  return record;
}

}  // namespace dachlast
