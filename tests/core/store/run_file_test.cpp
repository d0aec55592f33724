#include "core/store/run_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "core/base/error.h"
#include "core/store/database.h"
#include "core/store/schema.h"
#include "tests/core/store/stored_run.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

using ::testing::ElementsAre;
using testing::full_header;
using testing::full_point;
using ::testing::IsEmpty;
using testing::steps;
using testing::TemporaryFolder;

void expect_equal(const OpCost& a, const OpCost& b) {
  EXPECT_TRUE(a == b);
}

void expect_equal(const std::vector<Remark>& a, const std::vector<Remark>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].code, b[i].code);
    EXPECT_EQ(a[i].text, b[i].text);
  }
}

void expect_equal(const MeasuredPoint& a, const MeasuredPoint& b) {
  EXPECT_EQ(a.phase, b.phase);
  EXPECT_EQ(a.context_tokens, b.context_tokens);
  EXPECT_EQ(a.depth_tokens, b.depth_tokens);
  EXPECT_EQ(a.batch_size, b.batch_size);
  EXPECT_EQ(a.kv_policy, b.kv_policy);
  EXPECT_EQ(a.samples_s, b.samples_s);  // to the last bit
  expect_equal(a.cost, b.cost);
  EXPECT_EQ(a.stop_reason, b.stop_reason);
  EXPECT_EQ(a.busy_share, b.busy_share);
  expect_equal(a.remarks, b.remarks);
  EXPECT_TRUE(a.kv_traffic == b.kv_traffic);
  ASSERT_EQ(a.ops.size(), b.ops.size());
  for (std::size_t i = 0; i < a.ops.size(); ++i) {
    EXPECT_EQ(a.ops[i].op, b.ops[i].op);
    EXPECT_EQ(a.ops[i].n_calls, b.ops[i].n_calls);
    EXPECT_EQ(a.ops[i].time, b.ops[i].time);
    expect_equal(a.ops[i].cost, b.ops[i].cost);
    EXPECT_EQ(a.ops[i].arithmetic, b.ops[i].arithmetic);
  }
}

void expect_equal(const HostTopology& a, const HostTopology& b) {
  EXPECT_EQ(a.cpu_name, b.cpu_name);
  EXPECT_EQ(a.n_packages, b.n_packages);
  EXPECT_EQ(a.n_cores, b.n_cores);
  EXPECT_EQ(a.n_hardware_threads, b.n_hardware_threads);
  EXPECT_EQ(a.n_numa_nodes, b.n_numa_nodes);
  ASSERT_EQ(a.caches.size(), b.caches.size());
  EXPECT_EQ(a.caches[2].level, b.caches[2].level);
  EXPECT_EQ(a.caches[2].size_bytes, b.caches[2].size_bytes);
  EXPECT_EQ(a.caches[2].n_instances, b.caches[2].n_instances);
  EXPECT_EQ(a.memory_bytes, b.memory_bytes);
  EXPECT_EQ(a.available_memory_bytes, b.available_memory_bytes);
  EXPECT_EQ(a.isa, b.isa);
  EXPECT_EQ(a.core_ids, b.core_ids);
}

void expect_equal(const ModelInfo& a, const ModelInfo& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.architecture, b.architecture);
  EXPECT_EQ(a.n_parameters, b.n_parameters);
  EXPECT_EQ(a.weight_bytes, b.weight_bytes);
  EXPECT_EQ(a.config_hash, b.config_hash);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.random_weights, b.random_weights);
  EXPECT_EQ(a.max_context, b.max_context);
}

// Tables of attached programs, memory, clock and power, which runs of old versions do not have.
constexpr const char* kDropLaterTables =
    "DROP TABLE attach_sample; DROP TABLE clock_power_source; DROP TABLE clock_power_sample; DROP TABLE memory_sample; "
    "DROP TABLE attach_range; "
    "DROP TABLE attach_work; DROP TABLE attach_host_time; DROP "
    "TABLE attach_memory; "
    "DROP TABLE attach_counter; DROP TABLE attach_gpu_loss; DROP TABLE attach_gpu; DROP TABLE attach_name; "
    "DROP TABLE attach_thread; DROP TABLE attach_process; DROP TABLE attach;";

TEST(RunFile, AHeaderComesBackWhole) {
  const TemporaryFolder folder;
  const dachlast::Run run = full_header();
  RunWriter::create(folder / "a.dachlast", run, IfExists::kRefuse).finish();
  const StoredRun stored = read_run(folder / "a.dachlast");
  const dachlast::Run& back = stored.run;
  EXPECT_EQ(back.id, run.id);
  EXPECT_EQ(back.created_at, run.created_at);
  EXPECT_EQ(back.program_version, run.program_version);
  EXPECT_EQ(back.command, run.command);
  expect_equal(back.model, run.model);
  EXPECT_EQ(back.precision.weights, DType::kBF16);
  EXPECT_EQ(back.precision.kv.format, KvFormat::kF16);
  EXPECT_EQ(back.n_threads, run.n_threads);
  EXPECT_EQ(back.attention_variant, run.attention_variant);
  expect_equal(back.host, run.host);
  EXPECT_EQ(back.planned_points, run.planned_points);
  EXPECT_TRUE(back.complete);
  EXPECT_EQ(back.bound_threshold, 0.7);
  EXPECT_EQ(back.generation->generated_ids, run.generation->generated_ids);
  EXPECT_EQ(back.generation->text, run.generation->text);
  EXPECT_EQ(back.uncached->uncached_s, run.uncached->uncached_s);
  EXPECT_EQ(back.uncached->n_repeats, 3);
  expect_equal(back.warnings, run.warnings);
  expect_equal(back.assumptions, run.assumptions);
  EXPECT_THAT(stored.skipped, IsEmpty());
}

TEST(RunFile, ServedRequestsAndMemoryComeBackWhole) {
  const TemporaryFolder folder;
  const dachlast::Run run = full_header();
  RunWriter::create(folder / "a.dachlast", run, IfExists::kRefuse).finish();
  const dachlast::Run back = read_run(folder / "a.dachlast").run;
  EXPECT_EQ(back.kv, "paged:16,int8");
  ASSERT_EQ(back.serving->requests.size(), 2u);
  EXPECT_EQ(back.serving->requests[0].hit_tokens, 32);
  EXPECT_EQ(back.serving->requests[0].itl_s, run.serving->requests[0].itl_s);
  EXPECT_EQ(back.serving->requests[1].ttft_s, 0.75);
  EXPECT_EQ(back.serving->n_steps, 77);
  EXPECT_EQ(back.serving->seconds, 1.25);
  const KvUsage& kv = back.serving->kv;
  EXPECT_EQ(kv.moments, run.serving->kv.moments);
  EXPECT_EQ(kv.block_bytes, 4096.5);
  EXPECT_EQ(kv.mean_token_use, 0.375);
  EXPECT_EQ(kv.held_tokens + kv.reserved_tokens + kv.internal_fragmentation_tokens, 960);
  EXPECT_EQ(kv.saved_tokens + kv.looked_up_tokens + kv.hit_tokens, 32 + 109 + 31);
  EXPECT_EQ(kv.n_evicted + kv.n_copied + kv.n_dropped_tokens, 6);
  EXPECT_EQ(back.memory->unaccounted_bytes(), 3e7);  // 1.05e9 − 2e7 − 1e9
  EXPECT_TRUE(back.serving->kv_traffic == run.serving->kv_traffic);
}

TEST(RunFile, AWhatIfComesBackWhole) {
  const TemporaryFolder folder;
  const dachlast::Run run = full_header();
  RunWriter::create(folder / "a.dachlast", run, IfExists::kRefuse).finish();
  EXPECT_TRUE(read_run(folder / "a.dachlast").run.what_if == run.what_if);
}

TEST(RunFile, OffloadAgainstRecomputeComesBackWhole) {
  const TemporaryFolder folder;
  dachlast::Run run = full_header();
  RunWriter::create(folder / "a.dachlast", run, IfExists::kRefuse).finish();
  EXPECT_TRUE(read_run(folder / "a.dachlast").run.break_even == run.break_even);
  run.break_even->fetch_faster_at.reset();
  run.break_even->break_even_bytes_per_s.reset();
  RunWriter::create(folder / "b.dachlast", run, IfExists::kRefuse).finish();
  EXPECT_TRUE(read_run(folder / "b.dachlast").run.break_even == run.break_even);
}

TEST(RunFile, AFileOfVersionOneHadAContiguousCacheAndServedNobody) {
  const TemporaryFolder folder;
  RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse).finish();
  {
    const Database db(folder / "a.dachlast", DatabaseMode::kWrite);
    db.execute(kDropLaterTables);
    db.execute(
        "ALTER TABLE run DROP COLUMN kv; ALTER TABLE run DROP COLUMN serving_json; "
        "ALTER TABLE run DROP COLUMN memory_json; ALTER TABLE point DROP COLUMN predicted_s; "
        "ALTER TABLE run DROP COLUMN break_even_json; ALTER TABLE run DROP COLUMN what_if_json; "
        "ALTER TABLE point DROP COLUMN kv_traffic_json; ALTER TABLE point DROP COLUMN depth_tokens; "
        "PRAGMA user_version = 1");
  }
  const StoredRun stored = read_run(folder / "a.dachlast");
  EXPECT_EQ(stored.run.kv, "contiguous");
  EXPECT_FALSE(stored.run.serving);
  EXPECT_FALSE(stored.run.memory);
  EXPECT_EQ(stored.run.bound_threshold, 0.7);
  EXPECT_THAT(stored.skipped, IsEmpty());
}

TEST(RunFile, RoofsComeBackWhole) {
  const TemporaryFolder folder;
  dachlast::Run run = full_header();
  run.roofs.bandwidths[3].probe = "avx512_stream";
  RunWriter::create(folder / "a.dachlast", run, IfExists::kRefuse).finish();
  const DeviceRoofs back = read_run(folder / "a.dachlast").run.roofs;
  EXPECT_EQ(back.device, run.roofs.device);
  EXPECT_EQ(back.host_id, run.roofs.host_id);
  EXPECT_EQ(back.measured_at, run.roofs.measured_at);
  ASSERT_EQ(back.bandwidths.size(), run.roofs.bandwidths.size());
  const BandwidthRoof& triad = back.bandwidths[3];
  EXPECT_EQ(triad.level, MemoryLevel::kDram);
  EXPECT_EQ(triad.pattern, AccessPattern::kTriad);
  EXPECT_EQ(triad.n_threads, 2);
  EXPECT_EQ(triad.working_set_bytes, 1e9);
  EXPECT_EQ(triad.bytes_per_s.median, 8e9);
  EXPECT_EQ(triad.bytes_per_s.n, 5);
  EXPECT_EQ(triad.origin, Origin::kDatasheet);
  EXPECT_EQ(triad.probe, "avx512_stream");
  ASSERT_EQ(back.computes.size(), 1u);
  EXPECT_EQ(back.computes[0].instruction, "AVX2 FMA");
  EXPECT_EQ(back.computes[0].dtype, DType::kF32);
}

TEST(RunFile, PointsAndSpansComeBackWhole) {
  const TemporaryFolder folder;
  {
    RunWriter writer = RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse);
    writer.add_point(full_point(512), steps(2));
    writer.add_point(full_point(1024));
    writer.finish();
  }
  const StoredRun stored = read_run(folder / "a.dachlast");
  ASSERT_EQ(stored.run.points.size(), 2u);
  expect_equal(stored.run.points[0], full_point(512));
  expect_equal(stored.run.points[1], full_point(1024));
  ASSERT_EQ(stored.timelines.size(), 2u);
  EXPECT_THAT(stored.timelines[1].spans, IsEmpty());
  const auto expected = steps(2);
  ASSERT_EQ(stored.timelines[0].spans.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const trace::Span& span = stored.timelines[0].spans[i];
    EXPECT_EQ(span.start_ns, expected[i].start_ns);
    EXPECT_EQ(span.end_ns, expected[i].end_ns);
    EXPECT_EQ(span.zone, expected[i].zone);
    EXPECT_EQ(span.phase, expected[i].phase);
    EXPECT_EQ(span.op, expected[i].op);
    EXPECT_EQ(span.arithmetic, expected[i].arithmetic);
    EXPECT_EQ(span.layer, expected[i].layer);
    EXPECT_EQ(span.n_tokens, expected[i].n_tokens);
    EXPECT_EQ(span.kv_len, expected[i].kv_len);
    expect_equal(span.cost, expected[i].cost);
  }
}

TEST(RunFile, TimelinesAreThinnedToTheFirstStepsAndSaySo) {
  const TemporaryFolder folder;
  for (const Timeline timeline : {Timeline::kFirstSteps, Timeline::kFull}) {
    RunWriter writer = RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kOverwrite, timeline);
    writer.add_point(full_point(512), steps(10));
    writer.finish();
    const int n_kept = timeline == Timeline::kFull ? 10 : kTimelineSteps;
    const PointTimeline back = read_run(folder / "a.dachlast").timelines.at(0);
    EXPECT_EQ(back.n_steps_measured, 10);
    EXPECT_EQ(back.n_steps_kept, n_kept);
    EXPECT_EQ(back.spans.size(), 3u * static_cast<unsigned>(n_kept));
  }
}

TEST(RunFile, AFinishedRunIsOneFile) {
  const TemporaryFolder folder;
  RunWriter writer = RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse);
  writer.add_point(full_point(512));
  writer.finish();
  EXPECT_EQ(folder.n_files(), 1);
}

TEST(RunFile, AnAbandonedRunIsOneFileMarkedIncomplete) {
  const TemporaryFolder folder;
  { RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse).add_point(full_point(512)); }
  EXPECT_EQ(folder.n_files(), 1);
  const StoredRun stored = read_run(folder / "a.dachlast");
  EXPECT_FALSE(stored.run.complete);
  EXPECT_EQ(stored.run.points.size(), 1u);
}

TEST(RunFile, UpdateReplacesWhatMayChange) {
  const TemporaryFolder folder;
  dachlast::Run run = full_header();
  RunWriter writer = RunWriter::create(folder / "a.dachlast", run, IfExists::kRefuse);
  writer.add_point(full_point(512));
  run.generation->text = "A new end";
  run.uncached.reset();
  run.warnings.push_back({"partial", "1 of 2 points."});
  run.planned_points = 7;
  writer.update(run);
  writer.finish();
  const StoredRun stored = read_run(folder / "a.dachlast");
  EXPECT_EQ(stored.run.generation->text, "A new end");
  EXPECT_FALSE(stored.run.uncached.has_value());
  expect_equal(stored.run.warnings, run.warnings);
  expect_equal(stored.run.points.at(0).remarks, full_point(512).remarks);  // not a header's remark: kept
  EXPECT_EQ(stored.run.planned_points, 7);
}

TEST(RunFile, HalfACharacterAtTheEndOfAGenerationIsReplaced) {
  const TemporaryFolder folder;
  dachlast::Run run = full_header();
  run.generation->text = "caf\xc3";  // the first byte of é
  RunWriter::create(folder / "a.dachlast", run, IfExists::kRefuse).finish();
  EXPECT_EQ(read_run(folder / "a.dachlast").run.generation->text, "caf\uFFFD");
}

TEST(RunFile, CanBeReadWhileItIsWritten) {
  const TemporaryFolder folder;
  RunWriter writer = RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse);
  writer.add_point(full_point(512));
  EXPECT_EQ(read_run(folder / "a.dachlast").run.points.size(), 1u);
  writer.add_point(full_point(1024));
  EXPECT_EQ(read_run(folder / "a.dachlast").run.points.size(), 2u);
}

/// A process that stores `n_points` points, says so through a pipe, and is then killed in the middle of its work.
void write_and_be_killed(const std::filesystem::path& file, int n_points) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    RunWriter writer = RunWriter::create(file, full_header(), IfExists::kRefuse);
    for (int i = 0; i < n_points; ++i) writer.add_point(full_point(100 + i), steps(3));
    const Database second(file, DatabaseMode::kWrite);  // a point in flight: begun, never committed
    second.execute("BEGIN IMMEDIATE; UPDATE point SET context_tokens = 1; UPDATE run SET complete = 1");
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(RunFile, AKilledProcessLosesAtMostThePointInFlight) {
  const TemporaryFolder folder;
  write_and_be_killed(folder / "a.dachlast", 4);
  EXPECT_TRUE(std::filesystem::exists(folder / "a.dachlast-wal"));  // else this test tests nothing
  const StoredRun stored = read_run(folder / "a.dachlast");
  EXPECT_FALSE(stored.run.complete);
  ASSERT_EQ(stored.run.points.size(), 4u);
  for (int i = 0; i < 4; ++i) expect_equal(stored.run.points[static_cast<std::size_t>(i)], full_point(100 + i));
  EXPECT_EQ(stored.timelines[3].spans.size(), 9u);
}

TEST(RunFile, OverwritingAKilledRunDoesNotReplayItsLog) {
  const TemporaryFolder folder;
  write_and_be_killed(folder / "a.dachlast", 4);
  RunWriter writer = RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kOverwrite);
  writer.add_point(full_point(7));
  writer.finish();
  EXPECT_EQ(folder.n_files(), 1);
  const StoredRun stored = read_run(folder / "a.dachlast");
  ASSERT_EQ(stored.run.points.size(), 1u);
  EXPECT_EQ(stored.run.points[0].context_tokens, 7);
}

TEST(RunFile, MemoryIsKeptAroundTheStepsWhoseSpansAre) {
  const TemporaryFolder folder;
  std::vector<trace::MemorySample> samples;
  for (int i = 0; i <= 10; ++i) samples.push_back({1'000 + i, 1e6 * i});
  {
    RunWriter writer = RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse);
    writer.add_point(full_point(512), steps(10), samples);
    writer.add_point(full_point(1024), {}, samples);
    writer.finish();
  }
  const StoredRun stored = read_run(folder / "a.dachlast");
  // One before each of the three steps that are kept, one after the last.
  EXPECT_EQ(stored.timelines.at(0).memory,
            (std::vector<trace::MemorySample>(samples.begin(), samples.begin() + kTimelineSteps + 1)));
  EXPECT_TRUE(stored.timelines.at(1).memory.empty());
}

TEST(RunFile, ClockAndPowerAreKeptAroundTheStepsWhoseSpansAre) {
  const TemporaryFolder folder;
  const std::vector<trace::Span> spans = steps(10);
  const std::int64_t start_ns = std::ranges::min(spans, {}, &trace::Span::start_ns).start_ns;
  const std::int64_t end_ns = spans.back().end_ns;
  const std::vector<trace::ClockPowerSample> samples{{start_ns - 90, 2e9, {}},
                                                     {start_ns - 10, 2e9, 80.0},
                                                     {start_ns + 1, {}, 95.5},
                                                     {end_ns + 10, 3e9, 90.0},
                                                     {end_ns + 90, 3e9, 20.0}};
  {
    RunWriter writer = RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse, Timeline::kFull);
    writer.note_sources({{"cpufreq", ""}, {"", "no counters"}});
    writer.add_point(full_point(512), spans, {}, samples);
    writer.add_point(full_point(1024), {}, {}, samples);
    writer.finish();
  }
  const StoredRun stored = read_run(folder / "a.dachlast");
  ASSERT_TRUE(stored.clock_power);
  EXPECT_EQ(stored.clock_power->clock.source, "cpufreq");
  EXPECT_EQ(stored.clock_power->power.reason, "no counters");
  // One before the first span, one within, one after the last.
  EXPECT_EQ(stored.timelines.at(0).clock_power,
            (std::vector<trace::ClockPowerSample>(samples.begin() + 1, samples.begin() + 4)));
  EXPECT_TRUE(stored.timelines.at(1).clock_power.empty());
}

TEST(RunFile, WithoutClockAndPowerNobodySaysWhy) {
  const TemporaryFolder folder;
  RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse).finish();
  EXPECT_FALSE(read_run(folder / "a.dachlast").clock_power);
}

TEST(RunFile, ANewerVersionIsReadAsFarAsItIsKnown) {
  const TemporaryFolder folder;
  {
    RunWriter writer = RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse);
    writer.add_point(full_point(512), steps(1));
    writer.finish();
  }
  const Database db(folder / "a.dachlast", DatabaseMode::kWrite);
  db.execute(
      "PRAGMA user_version = 99;"
      "CREATE TABLE counters (x INTEGER);"
      "ALTER TABLE point ADD COLUMN energy_j REAL;"
      "INSERT INTO op (point_id, op, n_calls, time_s, flops, weight_bytes, activation_bytes, kv_read_bytes, "
      "kv_write_bytes, arithmetic) VALUES (1, 'speculate', 1, 0.1, 1, 1, 1, 1, 1, 'f32');"
      "UPDATE run SET roofs_json = json_insert(roofs_json, '$.computes[#]', json(replace("
      "json_extract(roofs_json, '$.computes[0]'), 'f32', 'fp8')))");
  const StoredRun stored = read_run(folder / "a.dachlast");
  EXPECT_EQ(stored.run.points.at(0).ops.size(), 2u);
  EXPECT_EQ(stored.run.roofs.computes.size(), 1u);
  EXPECT_THAT(stored.skipped,
              ElementsAre("table counters", "column point.energy_j", "compute roof fp8", "operation speculate"));
}

TEST(RunFile, AnOlderVersionIsMigratedWithoutTouchingTheFile) {
  const TemporaryFolder folder;
  RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse).finish();
  const Database db(folder / "a.dachlast", DatabaseMode::kWrite);
  // Version 0 is the empty database every file starts as: its migration makes the tables, but no run is in them.
  db.execute(kDropLaterTables);
  db.execute(
      "DROP TABLE span; DROP TABLE op; DROP TABLE remark; DROP TABLE point; DROP TABLE run; "
      "PRAGMA user_version = 0");
  EXPECT_THROW(read_run(folder / "a.dachlast"), Error);
  EXPECT_EQ(db.pragma("user_version"), 0);
  Statement tables = db.prepare("SELECT count(*) FROM sqlite_schema");
  ASSERT_TRUE(tables.step());
  EXPECT_EQ(tables.integer(0), 0);
}

/// A file as the program of that version left it: its tables by its own steps, what they know of a run copied from a file of
/// today, column by column.
void write_as_version(const std::filesystem::path& file, const std::filesystem::path& today, int version) {
  const Database db(file, DatabaseMode::kCreate);
  migrate(db, migrations().first(static_cast<std::size_t>(version)));
  db.execute(fmt::format("PRAGMA application_id = {}; ATTACH '{}' AS today", kApplicationId, today.string()).c_str());
  for (const char* table : {"run", "point", "op", "span", "remark"}) {
    std::string columns;
    Statement column = db.prepare(fmt::format("SELECT name FROM pragma_table_info('{}')", table));
    while (column.step()) columns += (columns.empty() ? "" : ", ") + column.text(0);
    db.execute(fmt::format("INSERT INTO main.{0} ({1}) SELECT {1} FROM today.{0}", table, columns).c_str());
  }
}

TEST(RunFile, FilesOfEveryVersionAreRead) {
  const TemporaryFolder folder;
  const dachlast::Run run = full_header();
  {
    RunWriter writer = RunWriter::create(folder / "today.dachlast", run, IfExists::kRefuse);
    writer.add_point(full_point(64), steps(2));
    writer.finish();
  }
  const dachlast::Run today = read_run(folder / "today.dachlast").run;
  ASSERT_EQ(today.points.size(), 1u);
  for (int version = 1; version <= schema_version(); ++version) {
    SCOPED_TRACE(version);
    const std::filesystem::path file = folder / fmt::format("version-{}.dachlast", version);
    write_as_version(file, folder / "today.dachlast", version);
    const StoredRun stored = read_run(file);
    EXPECT_THAT(stored.skipped, IsEmpty());
    EXPECT_EQ(stored.run.id, run.id);
    EXPECT_EQ(stored.run.kv, version == 1 ? "contiguous" : run.kv);  // the second one knew other kinds of caches
    ASSERT_EQ(stored.run.points.size(), 1u);
    EXPECT_EQ(stored.run.points[0].samples_s, today.points[0].samples_s);
    EXPECT_EQ(stored.run.points[0].ops.size(), today.points[0].ops.size());
    EXPECT_EQ(stored.run.roofs.bandwidths.size(), today.roofs.bandwidths.size());
  }
}

}  // namespace
}  // namespace dachlast
