#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/store/database.h"
#include "core/store/enum_names.h"
#include "core/store/part_file.h"
#include "core/store/record_json.h"
#include "core/store/run_file.h"
#include "core/store/schema.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

void insert_remarks(const Database& db, std::string_view scope, const std::vector<Remark>& remarks) {
  Statement insert = db.prepare("INSERT INTO remark (scope, point_id, code, text) VALUES (?, NULL, ?, ?)");
  for (const Remark& remark : remarks) insert.bind(scope, remark.code, remark.text).run();
}

void insert_point_remarks(const Database& db, std::int64_t point_id, const std::vector<Remark>& remarks) {
  Statement insert = db.prepare("INSERT INTO remark (scope, point_id, code, text) VALUES ('point', ?, ?, ?)");
  for (const Remark& remark : remarks) insert.bind(point_id, remark.code, remark.text).run();
}

void insert_header(const Database& db, const Run& run) {
  db.prepare(
        "INSERT INTO run (id, created_at, program_version, command, model_json, weight_dtype, kv_dtype, n_threads, "
        "attention_variant, host_json, roofs_json, planned_points, complete, bound_threshold, kv) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)")
      .bind(run.id, run.created_at, run.program_version, run.command, dump(run.model), name_of(run.precision.weights),
            name_of(run.precision.kv.format), run.n_threads, run.attention_variant, dump(run.host), dump(run.roofs),
            run.planned_points, run.bound_threshold, run.kv)
      .run();
}

template <class Record>
void set_optional(const Database& db, const char* sql, const std::optional<Record>& record) {
  Statement update = db.prepare(sql);
  if (record)
    update.bind(dump(*record)).run();
  else
    update.bind(nullptr).run();
}

void write_changeable(const Database& db, const Run& run) {
  db.prepare("UPDATE run SET planned_points = ?, roofs_json = ?").bind(run.planned_points, dump(run.roofs)).run();
  set_optional(db, "UPDATE run SET generation_json = ?", run.generation);
  set_optional(db, "UPDATE run SET uncached_json = ?", run.uncached);
  set_optional(db, "UPDATE run SET serving_json = ?", run.serving);
  set_optional(db, "UPDATE run SET memory_json = ?", run.memory);
  set_optional(db, "UPDATE run SET break_even_json = ?", run.break_even);
  set_optional(db, "UPDATE run SET what_if_json = ?", run.what_if);
  db.execute("DELETE FROM remark WHERE scope IN ('warning', 'assumption')");
  insert_remarks(db, "warning", run.warnings);
  insert_remarks(db, "assumption", run.assumptions);
}

std::int64_t insert_point(const Database& db, const MeasuredPoint& p, const PointTimeline& timeline) {
  Statement insert = db.prepare(
      "INSERT INTO point (phase, context_tokens, batch_size, kv_policy, samples_s, flops, weight_bytes, "
      "activation_bytes, kv_read_bytes, kv_write_bytes, stop_reason, busy_share, n_steps_measured, n_steps_kept, "
      "predicted_s, kv_traffic_json, depth_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "RETURNING id");
  insert.bind(name_of(p.phase), p.context_tokens, p.batch_size, name_of(p.kv_policy),
              std::span<const double>(p.samples_s), p.cost.flops.value, p.cost.weight_bytes.value,
              p.cost.activation_bytes.value, p.cost.kv_read_bytes.value, p.cost.kv_write_bytes.value, p.stop_reason,
              p.busy_share, timeline.n_steps_measured, timeline.n_steps_kept, p.predicted_s,
              p.kv_traffic ? std::optional(dump(*p.kv_traffic)) : std::nullopt, p.depth_tokens);
  insert.step();
  const std::int64_t id = insert.integer(0);
  insert.step();  // the row is only kept once the statement has ended
  return id;
}

void insert_ops(const Database& db, std::int64_t point_id, const std::vector<OpMeasurement>& ops) {
  Statement insert = db.prepare(
      "INSERT INTO op (point_id, op, n_calls, time_s, flops, weight_bytes, activation_bytes, kv_read_bytes, "
      "kv_write_bytes, arithmetic) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const OpMeasurement& op : ops)
    insert
        .bind(point_id, name_of(op.op), op.n_calls, op.time.value, op.cost.flops.value, op.cost.weight_bytes.value,
              op.cost.activation_bytes.value, op.cost.kv_read_bytes.value, op.cost.kv_write_bytes.value,
              name_of(op.arithmetic))
        .run();
}

void insert_spans(const Database& db, std::int64_t point_id, const std::vector<trace::Span>& spans) {
  Statement insert = db.prepare(
      "INSERT INTO span (point_id, start_ns, end_ns, zone, phase, op, arithmetic, layer, n_tokens, kv_len, flops, "
      "weight_bytes, activation_bytes, kv_read_bytes, kv_write_bytes) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const trace::Span& s : spans)
    insert
        .bind(point_id, s.start_ns, s.end_ns, name_of(s.zone), name_of(s.phase), name_of(s.op), name_of(s.arithmetic),
              s.layer, s.n_tokens, s.kv_len, s.cost.flops.value, s.cost.weight_bytes.value,
              s.cost.activation_bytes.value, s.cost.kv_read_bytes.value, s.cost.kv_write_bytes.value)
        .run();
}

void insert_memory(const Database& db, std::int64_t point_id, const std::vector<trace::MemorySample>& samples) {
  Statement insert = db.prepare("INSERT INTO memory_sample (point_id, at_ns, resident_bytes) VALUES (?, ?, ?)");
  for (const trace::MemorySample& sample : samples) insert.bind(point_id, sample.at_ns, sample.resident_bytes).run();
}

/// What was read around the steps whose spans are kept: one sample before each of them, one after the last.
std::vector<trace::MemorySample> around(const PointTimeline& kept, std::span<const trace::MemorySample> samples) {
  const auto n = std::min(samples.size(), static_cast<std::size_t>(kept.n_steps_kept) + 1);
  return {samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(kept.n_steps_kept > 0 ? n : 0)};
}

/// From the last sample before the first kept span to the first after the last.
std::span<const trace::ClockPowerSample> around(const PointTimeline& kept,
                                                std::span<const trace::ClockPowerSample> samples) {
  if (kept.spans.empty()) return {};
  const auto [first, last] = std::ranges::minmax_element(kept.spans, {}, &trace::Span::start_ns);
  std::int64_t end_ns = last->end_ns;
  for (const trace::Span& span : kept.spans) end_ns = std::max(end_ns, span.end_ns);
  auto from = std::ranges::upper_bound(samples, first->start_ns, {}, &trace::ClockPowerSample::at_ns);
  if (from != samples.begin()) --from;
  auto to = std::ranges::lower_bound(samples, end_ns, {}, &trace::ClockPowerSample::at_ns);
  if (to != samples.end()) ++to;
  return {from, to};
}

void insert_clock_power(const Database& db, std::int64_t point_id, std::span<const trace::ClockPowerSample> samples) {
  Statement insert =
      db.prepare("INSERT INTO clock_power_sample (point_id, at_ns, clock_hz, power_w) VALUES (?, ?, ?, ?)");
  for (const trace::ClockPowerSample& sample : samples)
    insert.bind(point_id, sample.at_ns, sample.clock_hz, sample.power_w).run();
}

/// The whole header in one file without journal, ready to be renamed.
void write_new_file(const fs::path& part, const std::string& subject, const Run& run) {
  const Database db(part, DatabaseMode::kCreate, subject);
  db.execute(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str());
  migrate(db, migrations());
  Transaction transaction(db);
  insert_header(db, run);
  write_changeable(db, run);
  transaction.commit();
}

}  // namespace

void require_writable_name(const fs::path& file, IfExists if_exists) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (fs::is_directory(status))
    throw Error(ErrorKind::kUsage, file.string(), "this is a folder.", "Give the name of a file in it.");
  if (fs::exists(status) && if_exists == IfExists::kRefuse)
    throw Error(ErrorKind::kUsage, file.string(), "the file exists already.",
                "Choose another --output or add --overwrite.");
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, error))
    throw Error(ErrorKind::kFailure, file.string(), fmt::format("there is no folder \"{}\".", folder.string()),
                "Make the folder first, or choose another --output.");
}

PointTimeline keep_first_steps(std::span<const trace::Span> spans, int n_steps) {
  const auto is_step = [](const trace::Span& span) { return span.zone == trace::ZoneKind::kStep; };
  PointTimeline timeline;
  timeline.n_steps_measured = static_cast<int>(std::count_if(spans.begin(), spans.end(), is_step));
  timeline.n_steps_kept = std::min(n_steps, timeline.n_steps_measured);
  for (int steps_left = timeline.n_steps_kept; const trace::Span& span : spans) {
    if (steps_left == 0) break;
    timeline.spans.push_back(span);
    if (is_step(span)) --steps_left;
  }
  return timeline;
}

struct RunWriter::State {
  State(const fs::path& path, Timeline kept) : file(path), db(path, DatabaseMode::kWrite), timeline(kept) {
    // Readers may look at a run that is being measured, and a killed process loses nothing that was committed. File
    // systems without shared memory refuse; the rollback journal then keeps the same promise.
    db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  }
  ~State() {
    try {
      fold_journal();
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
      // A destructor cannot report it; the next reader replays the log.
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void fold_journal() const { db.execute("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE"); }

  fs::path file;
  Database db;
  Timeline timeline;
};

RunWriter RunWriter::create(const fs::path& file, const Run& run, IfExists if_exists, Timeline timeline) {
  require_writable_name(file, if_exists);
  const PartFile part(file);
  write_new_file(part.path(), file.string(), run);
  part.rename_to(file);
  return RunWriter(std::make_unique<State>(file, timeline));
}

RunWriter::RunWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunWriter::RunWriter(RunWriter&&) noexcept = default;
RunWriter& RunWriter::operator=(RunWriter&&) noexcept = default;
RunWriter::~RunWriter() = default;

void RunWriter::add_point(const MeasuredPoint& point, std::span<const trace::Span> spans,
                          std::span<const trace::MemorySample> memory,
                          std::span<const trace::ClockPowerSample> clock_power) {
  const int all = static_cast<int>(spans.size());
  const PointTimeline kept = keep_first_steps(spans, state_->timeline == Timeline::kFull ? all : kTimelineSteps);
  Transaction transaction(state_->db);
  const std::int64_t id = insert_point(state_->db, point, kept);
  insert_ops(state_->db, id, point.ops);
  insert_point_remarks(state_->db, id, point.remarks);
  insert_spans(state_->db, id, kept.spans);
  insert_memory(state_->db, id, around(kept, memory));
  insert_clock_power(state_->db, id, around(kept, clock_power));
  transaction.commit();
}

void RunWriter::note_sources(const trace::ClockPowerSources& sources) {
  Transaction transaction(state_->db);
  Statement insert =
      state_->db.prepare("INSERT OR REPLACE INTO clock_power_source (quantity, source, reason) VALUES (?, ?, ?)");
  const auto text = [](const std::string& given) { return given.empty() ? std::nullopt : std::optional(given); };
  const auto note = [&](std::string_view quantity, const trace::QuantitySource& source) {
    insert.bind(quantity, text(source.source), text(source.reason)).run();
  };
  note("clock", sources.clock);
  note("power", sources.power);
  transaction.commit();
}

void RunWriter::update(const Run& run) {
  Transaction transaction(state_->db);
  write_changeable(state_->db, run);
  transaction.commit();
}

void RunWriter::finish() {
  state_->db.execute("UPDATE run SET complete = 1");
  state_->fold_journal();
}

}  // namespace dachlast
