#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <system_error>

#include "core/base/error.h"
#include "core/store/database.h"
#include "core/store/enum_names.h"
#include "core/store/record_json.h"
#include "core/store/run_file.h"
#include "core/store/run_json.h"
#include "core/store/schema.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_damaged(const Database& db, std::string_view what) {
  throw Error(ErrorKind::kInput, db.subject(), fmt::format("the file is damaged: {}.", what),
              "Copy it again, or repeat the run.");
}

void require_file(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status))
    throw Error(ErrorKind::kInput, file.string(), "there is no such file.", "Give a file that `dachlast run` wrote.");
  if (fs::is_directory(status))
    throw Error(ErrorKind::kInput, file.string(), "this is a folder.", "Give a file that `dachlast run` wrote.");
}

void require_sound(const Database& db, const char* check_sql) {
  Statement check = db.prepare(check_sql);
  if (check.step() && check.text(0) != "ok") throw_damaged(db, check.text(0));
}

/// Checks every page that will be read: a file of a million spans takes a second to go through.
void require_run_file(const Database& db, Spans spans) {
  if (db.pragma("application_id") != kApplicationId)
    throw Error(ErrorKind::kInput, db.subject(), "this is not a Dachlast run file.",
                "Give a file that `dachlast run` wrote.");
  if (spans == Spans::kRead) return require_sound(db, "PRAGMA quick_check(1)");
  for (const char* sql : {"PRAGMA quick_check('run')", "PRAGMA quick_check('point')", "PRAGMA quick_check('op')",
                          "PRAGMA quick_check('remark')"})
    require_sound(db, sql);
}

/// Costs lie in five neighbouring columns, in this order, wherever they are stored.
OpCost cost_at(const Statement& row, int first) {
  return {Flops{row.real(first)}, Bytes{row.real(first + 1)}, Bytes{row.real(first + 2)}, Bytes{row.real(first + 3)},
          Bytes{row.real(first + 4)}};
}

/// Reads all tables of one run. Rows with names of a newer version are left out and counted by what they are.
class Reader {
 public:
  explicit Reader(const Database& db) : db_(db) { stored_.skipped = unknown_parts(db); }

  StoredRun read(Spans spans) {
    read_header();
    read_points();
    read_ops();
    if (spans == Spans::kRead) {
      read_spans();
      read_memory();
      read_clock_power();
    }
    read_remarks();
    for (const auto& [what, n] : skipped_rows_)
      stored_.skipped.push_back(n == 1 ? what : fmt::format("{} ({} times)", what, n));
    return std::move(stored_);
  }

 private:
  void read_header() {
    Statement row = db_.prepare(
        "SELECT id, created_at, program_version, command, model_json, weight_dtype, kv_dtype, n_threads, "
        "attention_variant, host_json, roofs_json, planned_points, complete, bound_threshold, generation_json, "
        "uncached_json, kv, serving_json, memory_json, break_even_json, what_if_json FROM run LIMIT 1");
    if (!row.step()) throw_damaged(db_, "it holds no run");
    Run& run = stored_.run;
    run.id = row.text(0);
    run.created_at = row.text(1);
    run.program_version = row.text(2);
    run.command = row.text(3);
    run.model = nlohmann::json::parse(row.text(4)).get<ModelInfo>();
    run.precision = {required_weight_type(row.text(5)), {.format = required_kv_format(row.text(6))}};
    run.n_threads = row.count(7);
    run.attention_variant = row.text(8);
    run.host = nlohmann::json::parse(row.text(9)).get<HostTopology>();
    run.roofs = roofs_from_json(nlohmann::json::parse(row.text(10)), stored_.skipped);
    run.planned_points = row.count(11);
    run.complete = row.integer(12) != 0;
    run.bound_threshold = row.real(13);
    if (!row.is_null(14)) run.generation = nlohmann::json::parse(row.text(14)).get<Generation>();
    if (!row.is_null(15)) run.uncached = nlohmann::json::parse(row.text(15)).get<UncachedComparison>();
    run.kv = row.text(16);
    if (!row.is_null(17)) run.serving = nlohmann::json::parse(row.text(17)).get<Serving>();
    if (!row.is_null(18)) run.memory = nlohmann::json::parse(row.text(18)).get<MemoryReading>();
    if (!row.is_null(19)) run.break_even = nlohmann::json::parse(row.text(19)).get<KvBreakEven>();
    if (!row.is_null(20)) run.what_if = what_if_from_json(nlohmann::json::parse(row.text(20)), stored_.skipped);
  }

  void read_points() {
    Statement row = db_.prepare(
        "SELECT id, phase, context_tokens, batch_size, kv_policy, samples_s, flops, weight_bytes, activation_bytes, "
        "kv_read_bytes, kv_write_bytes, stop_reason, busy_share, n_steps_measured, n_steps_kept, predicted_s, "
        "kv_traffic_json, depth_tokens "
        "FROM point ORDER BY id");
    while (row.step()) {
      const auto phase = known(row.text(1), kAllPhases, "point of phase");
      const auto policy = known(row.text(4), kAllKvPolicies, "point with KV policy");
      if (!phase || !policy) continue;
      index_of_[row.integer(0)] = stored_.run.points.size();
      MeasuredPoint& point = stored_.run.points.emplace_back();
      point.phase = *phase;
      point.context_tokens = row.count(2);
      point.batch_size = row.count(3);
      point.kv_policy = *policy;
      point.samples_s = row.reals(5);
      point.cost = cost_at(row, 6);
      point.stop_reason = row.text(11);
      point.busy_share = row.real(12);
      if (!row.is_null(15)) point.predicted_s = row.real(15);
      if (!row.is_null(16)) point.kv_traffic = nlohmann::json::parse(row.text(16)).get<KvTrafficPerStep>();
      point.depth_tokens = row.count(17);
      stored_.timelines.push_back({row.count(13), row.count(14), {}, {}, {}});
    }
  }

  void read_ops() {
    Statement row = db_.prepare(
        "SELECT point_id, op, n_calls, time_s, flops, weight_bytes, activation_bytes, kv_read_bytes, kv_write_bytes, "
        "arithmetic FROM op ORDER BY id");
    while (row.step()) {
      const auto point = index_of_.find(row.integer(0));
      const auto op = known_op(row.text(1), "operation");
      const auto arithmetic = known(row.text(9), kAllDTypes, "operation in");
      if (point == index_of_.end() || !op || !arithmetic) continue;
      stored_.run.points[point->second].ops.push_back(
          {*op, row.count(2), Seconds{row.real(3)}, cost_at(row, 4), *arithmetic});
    }
  }

  void read_spans() {
    Statement row = db_.prepare(
        "SELECT point_id, start_ns, end_ns, zone, phase, op, arithmetic, layer, n_tokens, kv_len, flops, weight_bytes, "
        "activation_bytes, kv_read_bytes, kv_write_bytes FROM span ORDER BY id");
    while (row.step()) {
      const auto point = index_of_.find(row.integer(0));
      const auto zone = known(row.view(3), kAllZones, "span of zone");
      const auto phase = known(row.view(4), kAllPhases, "span of phase");
      const auto op = known_op(row.view(5), "span of operation");
      const auto arithmetic = known(row.view(6), kAllDTypes, "span in");
      if (point == index_of_.end() || !zone || !phase || !op || !arithmetic) continue;
      stored_.timelines[point->second].spans.push_back({row.integer(1), row.integer(2), *zone, *phase, *op, *arithmetic,
                                                        row.count(7), row.count(8), row.count(9), cost_at(row, 10)});
    }
  }

  void read_memory() {
    Statement row = db_.prepare("SELECT point_id, at_ns, resident_bytes FROM memory_sample ORDER BY id");
    while (row.step())
      if (const auto point = index_of_.find(row.integer(0)); point != index_of_.end())
        stored_.timelines[point->second].memory.push_back({row.integer(1), row.real(2)});
  }

  void read_clock_power() {
    const auto real = [](const Statement& from, int column) {
      return from.is_null(column) ? std::nullopt : std::optional(from.real(column));
    };
    Statement row = db_.prepare("SELECT point_id, at_ns, clock_hz, power_w FROM clock_power_sample ORDER BY id");
    while (row.step())
      if (const auto point = index_of_.find(row.integer(0)); point != index_of_.end())
        stored_.timelines[point->second].clock_power.push_back({row.integer(1), real(row, 2), real(row, 3)});
    const auto text = [](const Statement& from, int column) {
      return from.is_null(column) ? std::string() : from.text(column);
    };
    Statement source = db_.prepare("SELECT quantity, source, reason FROM clock_power_source");
    while (source.step()) {
      if (!stored_.clock_power) stored_.clock_power.emplace();
      const std::string quantity = source.text(0);
      if (quantity == "clock") stored_.clock_power->clock = {text(source, 1), text(source, 2)};
      if (quantity == "power") stored_.clock_power->power = {text(source, 1), text(source, 2)};
    }
  }

  void read_remarks() {
    Statement row = db_.prepare("SELECT scope, point_id, code, text FROM remark ORDER BY id");
    while (row.step()) {
      std::vector<Remark>* list = remarks_of(row.text(0), row.integer(1));
      if (list != nullptr) list->push_back({row.text(2), row.text(3)});
    }
  }

  std::vector<Remark>* remarks_of(const std::string& scope, std::int64_t point_id) {
    if (scope == "warning") return &stored_.run.warnings;
    if (scope == "assumption") return &stored_.run.assumptions;
    if (scope != "point") {
      ++skipped_rows_["remark about " + scope];
      return nullptr;
    }
    const auto point = index_of_.find(point_id);
    return point == index_of_.end() ? nullptr : &stored_.run.points[point->second].remarks;
  }

  template <class Enum, std::size_t n>
  std::optional<Enum> known(std::string_view name, const Enum (&candidates)[n], const char* what) {
    const auto found = enum_from_name(name, candidates);
    if (!found) ++skipped_rows_[fmt::format("{} {}", what, name)];
    return found;
  }

  std::optional<OpKind> known_op(std::string_view name, const char* what) {
    const auto found = op_kind_from_name(name);
    if (!found) ++skipped_rows_[fmt::format("{} {}", what, name)];
    return found;
  }

  KvFormat required_kv_format(const std::string& name) const {
    if (const auto format = kv_format_from_name(name)) return *format;
    throw_damaged(db_, fmt::format("\"{}\" is no KV cache format of this version", name));
  }

  WeightType required_weight_type(const std::string& name) const {
    if (const auto type = weight_type_from_name(name)) return *type;
    throw_damaged(db_, fmt::format("\"{}\" is no weight type of this version", name));
  }

  DType required_dtype(const std::string& name) const {
    if (const auto dtype = dtype_from_name(name)) return *dtype;
    throw_damaged(db_, fmt::format("\"{}\" is no data type of this version", name));
  }

  const Database& db_;
  StoredRun stored_;
  std::map<std::int64_t, std::size_t> index_of_;  // point id → place in run.points
  std::map<std::string, int> skipped_rows_;
};

/// A database of the schema known here: the file itself, or a migrated copy of an older one.
Database open_current(const fs::path& file, Spans spans) {
  Database db(file, DatabaseMode::kRead);
  require_run_file(db, spans);
  if (db.pragma("user_version") >= schema_version()) return db;
  Database copy = db.copy_in_memory();
  migrate(copy, migrations());
  return copy;
}

}  // namespace

StoredRun read_run(const fs::path& file, Spans spans) {
  require_file(file);
  if (const auto text = document_text(file)) return run_from_document(file.string(), *text);
  const Database db = open_current(file, spans);
  try {
    return Reader(db).read(spans);
  } catch (const nlohmann::json::exception& error) {
    throw_damaged(db, error.what());
  }
}

}  // namespace dachlast
