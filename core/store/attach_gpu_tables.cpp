#include "core/store/attach_gpu_tables.h"

#include <fmt/core.h>

#include <string_view>

#include "core/base/error.h"
#include "core/store/enum_names.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

void insert_work(const Database& db, const std::vector<AttachedWork>& list) {
  Statement insert = db.prepare(
      "INSERT INTO attach_work (activity, start_ns, end_ns, bytes, process_id, thread_id, launch_start_ns, "
      "launch_end_ns, name_id, device, stream, registers, shared_bytes, grid_x, grid_y, grid_z, block_x, block_y, "
      "block_z) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const AttachedWork& work : list) {
    const auto bind = [&](const auto& thread, const auto& launch_start, const auto& launch_end) {
      insert
          .bind(name_of(work.activity), work.start_ns, work.end_ns, work.bytes, work.process, thread, launch_start,
                launch_end, work.name, work.device, work.stream, work.registers, work.shared_bytes, work.grid[0],
                work.grid[1], work.grid[2], work.block[0], work.block[1], work.block[2])
          .run();
    };
    if (work.thread == kNoThread)
      bind(nullptr, nullptr, nullptr);
    else
      bind(work.thread, work.launch_start_ns, work.launch_end_ns);
  }
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

/// Reads the rows of one file's GPU tables.
class GpuRows {
 public:
  GpuRows(const fs::path& file, const Database& db, AttachRecord& record) : file_(file), db_(db), record_(record) {}

  void read() {
    read_gpus();
    read_work();
    read_host_times();
    read_memory();
    read_counters();
    read_losses();
    if (db_.pragma("user_version") >= kFirstVersionWithSamples) read_samples();
  }

 private:
  [[noreturn]] void throw_damaged(const std::string& what) const {
    throw Error(ErrorKind::kInput, file_.string(), fmt::format("is damaged: {}.", what), "Record it once more.");
  }

  std::int32_t index_in(const Statement& row, int column, std::size_t size) const {
    const std::int64_t value = row.integer(column);
    if (value < 0 || value >= static_cast<std::int64_t>(size)) throw_damaged(fmt::format("{} names nothing", value));
    return static_cast<std::int32_t>(value);
  }

  template <class Enum, std::size_t N>
  Enum value_in(const Statement& row, int column, const Enum (&all)[N]) const {
    const auto value = enum_from_name(row.text(column), all);
    if (!value) throw_damaged(fmt::format("'{}' is no kind of this table", row.text(column)));
    return *value;
  }

  std::int32_t process_of(const Statement& row) const { return index_in(row, 0, record_.processes.size()); }

  void read_gpus() {
    Statement row = db_.prepare(
        "SELECT device, name, memory_bytes, n_multiprocessors, compute_capability FROM attach_gpu ORDER BY device");
    while (row.step())
      record_.gpu.gpus.push_back({row.count(0), row.text(1), row.integer(2), row.count(3), row.count(4)});
  }

  void read_work() {
    Statement row = db_.prepare(
        "SELECT process_id, activity, start_ns, end_ns, bytes, thread_id, launch_start_ns, launch_end_ns, name_id, "
        "device, stream, registers, shared_bytes, grid_x, grid_y, grid_z, block_x, block_y, block_z FROM attach_work "
        "ORDER BY id");
    while (row.step()) record_.gpu.work.push_back(work_of(row));
  }

  AttachedWork work_of(const Statement& row) const {
    AttachedWork work;
    work.process = process_of(row);
    work.activity = value_in(row, 1, kAllAttachedActivities);
    work.start_ns = row.integer(2);
    work.end_ns = row.integer(3);
    work.bytes = row.integer(4);
    if (!row.is_null(5)) {
      work.thread = index_in(row, 5, record_.threads.size());
      work.launch_start_ns = row.integer(6);
      work.launch_end_ns = row.integer(7);
    }
    work.name = index_in(row, 8, record_.names.size());
    work.device = row.count(9);
    work.stream = row.count(10);
    work.registers = row.count(11);
    work.shared_bytes = row.integer(12);
    for (int i = 0; i < 3; ++i) {
      work.grid[static_cast<std::size_t>(i)] = row.count(13 + i);
      work.block[static_cast<std::size_t>(i)] = row.count(16 + i);
    }
    return work;
  }

  void read_host_times() {
    Statement row = db_.prepare("SELECT process_id, kind, name, n, total_ns FROM attach_host_time ORDER BY rowid");
    while (row.step())
      record_.gpu.host_times.push_back(
          {process_of(row), value_in(row, 1, kAllHostTimeKinds), row.text(2), row.integer(3), row.integer(4)});
  }

  void read_memory() {
    Statement row = db_.prepare(
        "SELECT process_id, device, kind, n_allocations, peak_bytes, end_bytes FROM attach_memory ORDER BY rowid");
    while (row.step())
      record_.gpu.memory.push_back(
          {process_of(row), row.count(1), row.text(2), row.integer(3), row.integer(4), row.integer(5)});
  }

  void read_counters() {
    Statement row =
        db_.prepare("SELECT process_id, launch, kernel_id, metric_id, value FROM attach_counter ORDER BY rowid");
    while (row.step())
      record_.gpu.counters.push_back({process_of(row), row.count(1), index_in(row, 2, record_.names.size()),
                                      index_in(row, 3, record_.names.size()), row.real(4)});
  }

  void read_losses() {
    Statement row =
        db_.prepare("SELECT process_id, n_dropped, n_unknown, lost_bytes, notes FROM attach_gpu_loss ORDER BY rowid");
    while (row.step())
      record_.gpu.losses.push_back(
          {process_of(row), row.integer(1), row.integer(2), row.integer(3), lines_of(row.text(4))});
  }

  void read_samples() {
    Statement row = db_.prepare(
        "SELECT process_id, device, start_ns, end_ns, uncertainty_ns, read_bytes, written_bytes FROM attach_sample "
        "ORDER BY id");
    while (row.step()) {
      AttachedSample sample;
      sample.process = process_of(row);
      sample.device = row.count(1);
      sample.start_ns = row.integer(2);
      sample.end_ns = row.integer(3);
      if (!row.is_null(4)) sample.uncertainty_ns = row.integer(4);
      sample.read_bytes = row.real(5);
      sample.written_bytes = row.real(6);
      record_.gpu.samples.push_back(sample);
    }
  }

  const fs::path& file_;
  const Database& db_;
  AttachRecord& record_;
};

void insert_samples(const Database& db, const std::vector<AttachedSample>& list) {
  Statement insert = db.prepare(
      "INSERT INTO attach_sample (process_id, device, start_ns, end_ns, uncertainty_ns, read_bytes, written_bytes) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const AttachedSample& sample : list) {
    const auto bind = [&](const auto& uncertainty) {
      insert
          .bind(sample.process, sample.device, sample.start_ns, sample.end_ns, uncertainty, sample.read_bytes,
                sample.written_bytes)
          .run();
    };
    if (sample.uncertainty_ns)
      bind(*sample.uncertainty_ns);
    else
      bind(nullptr);
  }
}

}  // namespace

void insert_gpu_part(const Database& db, const AttachedGpuPart& gpu) {
  Statement gpus = db.prepare("INSERT INTO attach_gpu VALUES (?, ?, ?, ?, ?)");
  for (const AttachedGpu& one : gpu.gpus)
    gpus.bind(one.index, one.name, one.memory_bytes, one.n_multiprocessors, one.compute_capability).run();
  insert_work(db, gpu.work);
  Statement times = db.prepare("INSERT INTO attach_host_time VALUES (?, ?, ?, ?, ?)");
  for (const AttachedHostTime& time : gpu.host_times)
    times.bind(time.process, name_of(time.kind), time.name, time.n, time.total_ns).run();
  Statement memory = db.prepare("INSERT INTO attach_memory VALUES (?, ?, ?, ?, ?, ?)");
  for (const AttachedMemory& one : gpu.memory)
    memory.bind(one.process, one.device, one.kind, one.n_allocations, one.peak_bytes, one.end_bytes).run();
  Statement counters = db.prepare("INSERT INTO attach_counter VALUES (?, ?, ?, ?, ?)");
  for (const AttachedCounter& one : gpu.counters)
    counters.bind(one.process, one.range, one.kernel, one.metric, one.value).run();
  insert_samples(db, gpu.samples);
  Statement losses = db.prepare("INSERT INTO attach_gpu_loss VALUES (?, ?, ?, ?, ?)");
  for (const AttachedGpuLoss& loss : gpu.losses)
    losses.bind(loss.process, loss.n_dropped, loss.n_unknown, loss.lost_bytes, joined(loss.notes)).run();
}

void read_gpu_part(const fs::path& file, const Database& db, AttachRecord& record) {
  GpuRows(file, db, record).read();
}

}  // namespace dachlast
