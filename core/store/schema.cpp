#include "core/store/schema.h"

#include <fmt/core.h>

#include <algorithm>

namespace dachlast {
namespace {

// Units are suffixes of column names; columns in JSON say so. Names of enumerators are stored, never their numbers, so
// that a new operation in the middle of the list moves nothing.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE run (
  id TEXT PRIMARY KEY,
  created_at TEXT NOT NULL,         -- ISO 8601 UTC
  program_version TEXT NOT NULL,
  command TEXT NOT NULL,
  model_json TEXT NOT NULL,
  weight_dtype TEXT NOT NULL,
  kv_dtype TEXT NOT NULL,
  n_threads INTEGER NOT NULL,
  attention_variant TEXT NOT NULL,
  host_json TEXT NOT NULL,
  roofs_json TEXT NOT NULL,
  planned_points INTEGER NOT NULL,
  complete INTEGER NOT NULL,        -- 1 once every planned point is stored
  bound_threshold REAL NOT NULL,
  generation_json TEXT,
  uncached_json TEXT
) STRICT;
CREATE TABLE point (
  id INTEGER PRIMARY KEY,           -- in the order of measurement
  phase TEXT NOT NULL,
  context_tokens INTEGER NOT NULL,
  batch_size INTEGER NOT NULL,
  kv_policy TEXT NOT NULL,
  samples_s BLOB NOT NULL,          -- little-endian doubles
  flops REAL NOT NULL,              -- this and the bytes: per step
  weight_bytes REAL NOT NULL,
  activation_bytes REAL NOT NULL,
  kv_read_bytes REAL NOT NULL,
  kv_write_bytes REAL NOT NULL,
  stop_reason TEXT NOT NULL,
  busy_share REAL NOT NULL,
  n_steps_measured INTEGER NOT NULL,
  n_steps_kept INTEGER NOT NULL     -- steps whose spans are stored
) STRICT;
CREATE TABLE op (
  id INTEGER PRIMARY KEY,
  point_id INTEGER NOT NULL REFERENCES point (id),
  op TEXT NOT NULL,
  n_calls INTEGER NOT NULL,
  time_s REAL NOT NULL,
  flops REAL NOT NULL,
  weight_bytes REAL NOT NULL,
  activation_bytes REAL NOT NULL,
  kv_read_bytes REAL NOT NULL,
  kv_write_bytes REAL NOT NULL,
  arithmetic TEXT NOT NULL
) STRICT;
CREATE TABLE span (
  id INTEGER PRIMARY KEY,
  point_id INTEGER NOT NULL REFERENCES point (id),
  start_ns INTEGER NOT NULL,
  end_ns INTEGER NOT NULL,
  zone TEXT NOT NULL,
  phase TEXT NOT NULL,
  op TEXT NOT NULL,
  arithmetic TEXT NOT NULL,
  layer INTEGER NOT NULL,
  n_tokens INTEGER NOT NULL,
  kv_len INTEGER NOT NULL,
  flops REAL NOT NULL,
  weight_bytes REAL NOT NULL,
  activation_bytes REAL NOT NULL,
  kv_read_bytes REAL NOT NULL,
  kv_write_bytes REAL NOT NULL
) STRICT;
CREATE TABLE remark (
  id INTEGER PRIMARY KEY,
  scope TEXT NOT NULL,              -- 'warning', 'assumption' or 'point'
  point_id INTEGER REFERENCES point (id),
  code TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
)sql";

constexpr const char* kVersion2 = R"sql(
ALTER TABLE run ADD COLUMN kv TEXT NOT NULL DEFAULT 'contiguous';  -- kind of KV cache, as --kv spells it
ALTER TABLE run ADD COLUMN serving_json TEXT;
ALTER TABLE run ADD COLUMN memory_json TEXT;
)sql";

constexpr const char* kVersion3 = R"sql(
CREATE TABLE attach (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  command TEXT NOT NULL,
  started_at TEXT NOT NULL,         -- ISO 8601 UTC
  exit_code INTEGER,
  signal INTEGER                    -- that ended the program; one of both
) STRICT;
CREATE TABLE attach_process (
  id INTEGER PRIMARY KEY,           -- from 0, as ids below
  pid INTEGER NOT NULL,
  parent_pid INTEGER NOT NULL,
  program TEXT NOT NULL
) STRICT;
CREATE TABLE attach_thread (
  id INTEGER PRIMARY KEY,
  process_id INTEGER NOT NULL REFERENCES attach_process (id),
  tid INTEGER NOT NULL,
  name TEXT NOT NULL,
  n_dropped INTEGER NOT NULL
) STRICT;
CREATE TABLE attach_name (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL
) STRICT;
CREATE TABLE attach_range (
  id INTEGER PRIMARY KEY,
  thread_id INTEGER NOT NULL REFERENCES attach_thread (id),
  start_ns INTEGER NOT NULL,        -- CLOCK_MONOTONIC
  end_ns INTEGER NOT NULL,
  name_id INTEGER NOT NULL REFERENCES attach_name (id),
  domain_id INTEGER NOT NULL REFERENCES attach_name (id),
  category_id INTEGER NOT NULL REFERENCES attach_name (id),
  depth INTEGER NOT NULL,
  ended TEXT NOT NULL,              -- 'popped', 'stopped', 'mark' or 'cut'
  payload TEXT NOT NULL
) STRICT;
)sql";

constexpr const char* kVersion4 = R"sql(
ALTER TABLE point ADD COLUMN predicted_s REAL;  -- of a step, by the curves of the computer
)sql";

constexpr const char* kVersion5 = R"sql(
ALTER TABLE run ADD COLUMN break_even_json TEXT;    -- offload against recompute
ALTER TABLE run ADD COLUMN what_if_json TEXT;
ALTER TABLE point ADD COLUMN kv_traffic_json TEXT;  -- between tiers of the KV cache, all measured steps together
)sql";

constexpr const char* kVersion6 = R"sql(
ALTER TABLE point ADD COLUMN depth_tokens INTEGER NOT NULL DEFAULT 0;  -- of the context, in the cache before prefill
)sql";

constexpr const char* kVersion7 = R"sql(
CREATE TABLE attach_gpu (
  device INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  memory_bytes INTEGER NOT NULL,
  n_multiprocessors INTEGER NOT NULL,
  compute_capability INTEGER NOT NULL   -- 90: 9.0
) STRICT;
CREATE TABLE attach_work (
  id INTEGER PRIMARY KEY,
  activity TEXT NOT NULL,           -- 'kernel', 'copy', 'fill' or 'graph'
  start_ns INTEGER NOT NULL,        -- CLOCK_MONOTONIC, as the times below
  end_ns INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  process_id INTEGER NOT NULL REFERENCES attach_process (id),
  thread_id INTEGER REFERENCES attach_thread (id),  -- whose call asked for it; NULL: not recorded, as its times
  launch_start_ns INTEGER,
  launch_end_ns INTEGER,
  name_id INTEGER NOT NULL REFERENCES attach_name (id),
  device INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  registers INTEGER NOT NULL,       -- a thread
  shared_bytes INTEGER NOT NULL,    -- a block
  grid_x INTEGER NOT NULL,
  grid_y INTEGER NOT NULL,
  grid_z INTEGER NOT NULL,
  block_x INTEGER NOT NULL,
  block_y INTEGER NOT NULL,
  block_z INTEGER NOT NULL
) STRICT;
CREATE TABLE attach_host_time (
  process_id INTEGER NOT NULL REFERENCES attach_process (id),
  kind TEXT NOT NULL,               -- 'call', 'wait' or 'overhead'
  name TEXT NOT NULL,
  n INTEGER NOT NULL,
  total_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE attach_memory (
  process_id INTEGER NOT NULL REFERENCES attach_process (id),
  device INTEGER NOT NULL,
  kind TEXT NOT NULL,
  n_allocations INTEGER NOT NULL,
  peak_bytes INTEGER NOT NULL,
  end_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE attach_counter (
  process_id INTEGER NOT NULL REFERENCES attach_process (id),
  launch INTEGER NOT NULL,          -- number of the kernel's launch
  kernel_id INTEGER NOT NULL REFERENCES attach_name (id),
  metric_id INTEGER NOT NULL REFERENCES attach_name (id),
  value REAL NOT NULL
) STRICT;
CREATE TABLE attach_gpu_loss (
  process_id INTEGER NOT NULL REFERENCES attach_process (id),
  n_dropped INTEGER NOT NULL,
  n_unknown INTEGER NOT NULL,
  lost_bytes INTEGER NOT NULL,
  notes TEXT NOT NULL               -- a line each
) STRICT;
)sql";

constexpr const char* kVersion8 = R"sql(
CREATE TABLE memory_sample (
  id INTEGER PRIMARY KEY,
  point_id INTEGER NOT NULL REFERENCES point (id),
  at_ns INTEGER NOT NULL,           -- on the clock of spans
  resident_bytes REAL NOT NULL      -- of the process, as its kernel counts it
) STRICT;
)sql";

constexpr const char* kVersion9 = R"sql(
CREATE TABLE clock_power_source (
  quantity TEXT PRIMARY KEY,        -- 'clock' or 'power'
  source TEXT,                      -- where it was read: 'cpufreq'; NULL: nowhere
  reason TEXT                       -- then why, a sentence
) STRICT;
CREATE TABLE clock_power_sample (
  id INTEGER PRIMARY KEY,
  point_id INTEGER NOT NULL REFERENCES point (id),
  at_ns INTEGER NOT NULL,           -- on the clock of spans
  clock_hz REAL,                    -- mean of the processors that worked; NULL: not read
  power_w REAL                      -- mean since the sample before, of whole processor packages; NULL: not read
) STRICT;
)sql";

constexpr const char* kVersion10 = R"sql(
CREATE TABLE attach_sample (
  id INTEGER PRIMARY KEY,
  process_id INTEGER NOT NULL REFERENCES attach_process (id),
  device INTEGER NOT NULL,
  start_ns INTEGER NOT NULL,        -- on the clock of ranges; on one of the GPU's own where the uncertainty is NULL
  end_ns INTEGER NOT NULL,
  uncertainty_ns INTEGER,           -- of both, either way
  read_bytes REAL NOT NULL,         -- of DRAM, all work of the GPU together
  written_bytes REAL NOT NULL
) STRICT;
)sql";

constexpr Migration kMigrations[] = {{1, kVersion1}, {2, kVersion2}, {3, kVersion3}, {4, kVersion4}, {5, kVersion5},
                                     {6, kVersion6}, {7, kVersion7}, {8, kVersion8}, {9, kVersion9}, {10, kVersion10}};

std::vector<std::string> names(const Database& db, const std::string& sql) {
  std::vector<std::string> found;
  Statement statement = db.prepare(sql);
  while (statement.step()) found.push_back(statement.text(0));
  return found;
}

std::vector<std::string> tables_of(const Database& db) {
  return names(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
}

std::vector<std::string> columns_of(const Database& db, const std::string& table) {
  Statement statement = db.prepare("SELECT name FROM pragma_table_info(?) ORDER BY cid");
  statement.bind(table);
  std::vector<std::string> found;
  while (statement.step()) found.push_back(statement.text(0));
  return found;
}

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}

int schema_version() {
  return migrations().back().to_version;
}

void migrate(const Database& db, std::span<const Migration> steps) {
  const std::int64_t version = db.pragma("user_version");
  for (const Migration& step : steps) {
    if (step.to_version <= version) continue;
    Transaction transaction(db);
    db.execute(step.sql);
    db.execute(fmt::format("PRAGMA user_version = {}", step.to_version).c_str());
    transaction.commit();
  }
}

std::vector<std::string> unknown_parts(const Database& db) {
  const Database newest = Database::in_memory();
  migrate(newest, migrations());
  const std::vector<std::string> known_tables = tables_of(newest);
  std::vector<std::string> unknown;
  for (const std::string& table : tables_of(db)) {
    if (!contains(known_tables, table)) {
      unknown.push_back("table " + table);
      continue;
    }
    const std::vector<std::string> known_columns = columns_of(newest, table);
    for (const std::string& column : columns_of(db, table))
      if (!contains(known_columns, column)) unknown.push_back(fmt::format("column {}.{}", table, column));
  }
  return unknown;
}

}  // namespace dachlast
