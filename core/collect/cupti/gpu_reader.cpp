#include "core/collect/cupti/gpu_reader.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/collect/cupti/gpu_records.h"
#include "core/collect/cupti/memory_ledger.h"
#include "core/collect/cupti/sample_clock.h"

namespace dachlast {
namespace {

using spool::Kind;

/// Texts with numbers, those of the record first.
class NameList {
 public:
  explicit NameList(std::vector<std::string>& names) : names_(names) {
    if (names_.empty()) names_.emplace_back();
    for (std::size_t i = 0; i < names_.size(); ++i) numbers_.emplace(names_[i], static_cast<std::int32_t>(i));
  }
  std::int32_t index_of(const std::string& text) {
    const auto [found, is_new] = numbers_.emplace(text, static_cast<std::int32_t>(names_.size()));
    if (is_new) names_.push_back(text);
    return found->second;
  }

 private:
  std::vector<std::string>& names_;
  std::unordered_map<std::string, std::int32_t> numbers_;
};

/// "void attend<128>(float*)" for "_Z6attendILi128EEvPf"; other texts as they are.
std::string demangled(const std::string& name) {
  if (!name.starts_with("_Z")) return name;
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status),
                                                    std::free);
  return status == 0 && text ? std::string(text.get()) : name;
}

/// Source   CUpti_ActivitySynchronizationType of cupti_activity.h.
std::string wait_name(std::uint32_t type) {
  switch (type) {
    case 1: return "for an event";
    case 2: return "of a stream for an event";
    case 3: return "for a stream";
    case 4: return "for a context";
    default: return "of another kind";
  }
}

/// Source   CUpti_ActivityOverheadKind of cupti_activity.h.
std::string overhead_name(std::uint32_t kind) {
  if (kind == 1) return "compiling by the driver";
  switch (kind >> 16U) {
    case 1: return "flushing CUPTI's buffers";
    case 2: return "CUPTI's instrumentation";
    case 3: return "CUPTI's resources";
    case 4: return "loading modules";
    case 5: return "loading functions";
    case 6: return "command buffer full";
    case 7: return "asking for buffers";
    case 8: return "preparing unified memory";
    default: return "of another kind";
  }
}

/// A call that may have asked for work.
struct Call {
  std::uint64_t start_ns;
  std::uint64_t end_ns;
  std::uint32_t thread;
};

/// What one process's file holds.
class GpuFile {
 public:
  GpuFile(const SpoolFile& file, std::int32_t process, AttachRecord& record, NameList& names)
      : process_(process), record_(record), names_(names) {
    loss_.process = process;
    loss_.n_dropped = file.n_dropped;
    for_each_record(file, [&](Kind kind, std::string_view bytes) { take(kind, bytes); });
    ties_.finish();
  }

  void finish() {
    for (const spool::GpuWork& work : work_) record_.gpu.work.push_back(attached(work));
    place_samples();
    for (auto& [key, time] : host_times_) record_.gpu.host_times.push_back(time);
    for (AttachedMemory& memory : memory_.totals(process_)) record_.gpu.memory.push_back(std::move(memory));
    record_.gpu.losses.push_back(std::move(loss_));
  }

 private:
  template <class Body>
  static bool read(std::string_view bytes, Body& body) {
    if (bytes.size() != sizeof(Body)) return false;
    std::memcpy(&body, bytes.data(), sizeof(Body));  // NOLINT(bugprone-suspicious-stringview-data-usage): counted bytes
    return true;
  }

  std::string named(std::uint32_t name) const {
    const auto found = texts_.find(name);
    return found == texts_.end() ? std::string() : found->second;
  }

  void take(Kind kind, std::string_view bytes) {
    switch (kind) {
      case Kind::kName:
      case Kind::kNote: take_text(kind, bytes); return;
      case Kind::kGpuWork: take_body<spool::GpuWork>(bytes, [&](const auto& work) { work_.push_back(work); }); return;
      case Kind::kApiCall: take_body<spool::ApiCall>(bytes, [&](const auto& call) { take_call(call); }); return;
      case Kind::kWait:
        take_body<spool::Wait>(bytes, [&](const auto& wait) {
          add_time(HostTimeKind::kWait, wait_name(wait.type), wait.start_ns, wait.end_ns);
        });
        return;
      case Kind::kOverhead:
        take_body<spool::Overhead>(bytes, [&](const auto& overhead) {
          add_time(HostTimeKind::kOverhead, overhead_name(overhead.kind), overhead.start_ns, overhead.end_ns);
        });
        return;
      case Kind::kAllocation: take_body<spool::Allocation>(bytes, [&](const auto& one) { memory_.add(one); }); return;
      case Kind::kGpu: take_body<spool::Gpu>(bytes, [&](const auto& gpu) { take_gpu(gpu); }); return;
      case Kind::kClockPair:
        take_body<spool::ClockPair>(bytes, [&](const auto& pair) { ties_.add(pair.cupti_ns, pair.monotonic_ns); });
        return;
      case Kind::kLoss: take_body<spool::Loss>(bytes, [&](const auto& loss) { take_loss(loss); }); return;
      case Kind::kCounter: take_body<spool::Counter>(bytes, [&](const auto& one) { take_counter(one); }); return;
      case Kind::kSample: take_body<spool::Sample>(bytes, [&](const auto& one) { samples_.push_back(one); }); return;
      case Kind::kSampleTie:
        take_body<spool::SampleTie>(bytes, [&](const auto& one) { sample_ties_.push_back(one); });
        return;
      default: return;  // kept in the file for those who look for them: pools, streams, contexts, markers
    }
  }

  template <class Body, class Take>
  void take_body(std::string_view bytes, const Take& take) {
    Body body{};
    if (read(bytes, body)) take(body);
  }

  void take_text(Kind kind, std::string_view bytes) {
    const auto text = spool_text(bytes);
    if (!text) return;
    if (kind == Kind::kName)
      texts_.insert_or_assign(static_cast<std::uint32_t>(text->id), std::string(text->text));
    else
      loss_.notes.emplace_back(text->text);
  }

  /// A call of the runtime and the call of the driver inside it share a number: the outer one began first.
  void take_call(const spool::ApiCall& call) {
    const std::string name = named(call.name);
    add_time(HostTimeKind::kCall, name, call.start_ns, call.end_ns);
    const auto [found, is_new] = calls_.emplace(call.correlation, Call{call.start_ns, call.end_ns, call.thread});
    if (!is_new && call.start_ns < found->second.start_ns) found->second = {call.start_ns, call.end_ns, call.thread};
  }

  void add_time(HostTimeKind kind, const std::string& name, std::uint64_t start_ns, std::uint64_t end_ns) {
    AttachedHostTime& time = host_times_[{kind, name}];
    time.process = process_;
    time.kind = kind;
    time.name = name;
    ++time.n;
    if (end_ns > start_ns) time.total_ns += static_cast<std::int64_t>(end_ns - start_ns);
  }

  void take_gpu(const spool::Gpu& gpu) {
    const auto index = static_cast<std::int32_t>(gpu.index);
    for (const AttachedGpu& known : record_.gpu.gpus)
      if (known.index == index) return;
    record_.gpu.gpus.push_back({index, named(gpu.name), static_cast<std::int64_t>(gpu.memory_bytes),
                                static_cast<std::int32_t>(gpu.n_multiprocessors),
                                static_cast<std::int32_t>(gpu.capability_major * 10 + gpu.capability_minor)});
  }

  void take_loss(const spool::Loss& loss) {
    loss_.n_dropped += static_cast<std::int64_t>(loss.n_dropped);
    loss_.n_unknown += static_cast<std::int64_t>(loss.n_unknown);
    loss_.lost_bytes += static_cast<std::int64_t>(loss.lost_bytes);
  }

  void take_counter(const spool::Counter& counter) {
    record_.gpu.counters.push_back({process_, static_cast<std::int32_t>(counter.range),
                                    names_.index_of(demangled(named(counter.kernel))),
                                    names_.index_of(named(counter.metric)), counter.value});
  }

  void place_samples() {
    std::map<std::uint32_t, SampleClock> clocks;  // by device
    for (const spool::SampleTie& tie : sample_ties_) {
      const auto sample_ns = static_cast<std::int64_t>(tie.sample_ns);
      const std::int64_t monotonic_ns = ties_.monotonic_ns(tie.cupti_ns);
      if (tie.side == spool::TieSide::kNotBefore)
        clocks[tie.device].not_before(sample_ns, monotonic_ns);
      else
        clocks[tie.device].not_after(sample_ns, monotonic_ns);
    }
    for (auto& [device, clock] : clocks) clock.finish();
    for (const spool::Sample& sample : samples_) record_.gpu.samples.push_back(placed(sample, clocks[sample.device]));
  }

  AttachedSample placed(const spool::Sample& from, const SampleClock& clock) const {
    AttachedSample to;
    to.start_ns = static_cast<std::int64_t>(from.start_ns);
    to.end_ns = static_cast<std::int64_t>(from.end_ns);
    to.process = process_;
    to.device = static_cast<std::int32_t>(from.device);
    to.read_bytes = from.read_bytes;
    to.written_bytes = from.written_bytes;
    const auto end = clock.monotonic(to.end_ns);
    if (!end) return to;
    to.uncertainty_ns = end->uncertainty_ns;
    to.start_ns = end->at_ns - (to.end_ns - to.start_ns);  // the length is the sample's own
    to.end_ns = end->at_ns;
    return to;
  }

  std::int32_t thread_index(std::uint32_t tid) {
    const auto [found, is_new] = threads_.emplace(tid, kNoThread);
    if (!is_new) return found->second;
    for (std::size_t i = 0; i < record_.threads.size(); ++i)
      if (record_.threads[i].process == process_ && record_.threads[i].tid == tid)
        return found->second = static_cast<std::int32_t>(i);
    record_.threads.push_back({process_, tid, "", 0});
    return found->second = static_cast<std::int32_t>(record_.threads.size()) - 1;
  }

  AttachedWork attached(const spool::GpuWork& from) {
    AttachedWork to;
    to.start_ns = ties_.monotonic_ns(from.start_ns);
    to.end_ns = std::max(to.start_ns, ties_.monotonic_ns(from.end_ns));
    to.bytes = static_cast<std::int64_t>(from.bytes);
    to.process = process_;
    to.name = names_.index_of(demangled(named(from.name)));
    to.device = static_cast<std::int32_t>(from.device);
    to.stream = static_cast<std::int32_t>(from.stream);
    to.registers = static_cast<std::int32_t>(from.registers);
    to.shared_bytes = std::int64_t{from.static_shared_bytes} + from.dynamic_shared_bytes;
    for (std::size_t i = 0; i < 3; ++i) {
      to.grid[i] = static_cast<std::int32_t>(from.grid[i]);
      to.block[i] = static_cast<std::int32_t>(from.block[i]);
    }
    to.activity = static_cast<AttachedActivity>(std::min<std::uint32_t>(static_cast<std::uint32_t>(from.activity), 3));
    if (const auto call = calls_.find(from.correlation); call != calls_.end()) {
      to.thread = thread_index(call->second.thread);
      to.launch_start_ns = ties_.monotonic_ns(call->second.start_ns);
      to.launch_end_ns = ties_.monotonic_ns(call->second.end_ns);
    }
    return to;
  }

  std::int32_t process_;
  AttachRecord& record_;
  NameList& names_;
  ClockTies ties_;
  std::unordered_map<std::uint32_t, std::string> texts_;
  std::vector<spool::GpuWork> work_;
  std::unordered_map<std::uint32_t, Call> calls_;  // by correlation
  std::map<std::pair<HostTimeKind, std::string>, AttachedHostTime> host_times_;
  std::unordered_map<std::uint32_t, std::int32_t> threads_;  // by tid
  MemoryLedger memory_;
  std::vector<spool::Sample> samples_;
  std::vector<spool::SampleTie> sample_ties_;
  AttachedGpuLoss loss_;
};

}  // namespace

void ClockTies::add(std::uint64_t cupti_ns, std::int64_t monotonic_ns) {
  ties_.emplace_back(static_cast<std::int64_t>(cupti_ns), monotonic_ns);
}

void ClockTies::finish() {
  std::sort(ties_.begin(), ties_.end());
}

std::int64_t ClockTies::monotonic_ns(std::uint64_t cupti_ns) const {
  const auto at = static_cast<std::int64_t>(cupti_ns);
  if (ties_.empty()) return at;
  const auto after = std::upper_bound(ties_.begin(), ties_.end(), at,
                                      [](std::int64_t moment, const auto& tie) { return moment < tie.first; });
  if (after == ties_.begin()) return ties_.front().second + (at - ties_.front().first);
  const auto before = std::prev(after);
  const std::int64_t since = at - before->first;
  if (after == ties_.end()) return before->second + since;
  const double rate = static_cast<double>(after->second - before->second) /
                      static_cast<double>(std::max<std::int64_t>(1, after->first - before->first));
  return before->second + static_cast<std::int64_t>(static_cast<double>(since) * rate);
}

void add_gpu_work(std::span<const SpoolFile> files, std::map<ProgramKey, std::int32_t>& processes,
                  AttachRecord& record) {
  NameList names(record.names);
  for (const SpoolFile& file : files) {
    const auto [found, is_new] =
        processes.emplace(ProgramKey{file.pid, file.image}, static_cast<std::int32_t>(record.processes.size()));
    if (is_new) record.processes.push_back({file.pid, file.parent_pid, file.program});
    GpuFile(file, found->second, record, names).finish();
  }
  std::stable_sort(record.gpu.work.begin(), record.gpu.work.end(),
                   [](const AttachedWork& a, const AttachedWork& b) { return a.start_ns < b.start_ns; });
}

}  // namespace dachlast
