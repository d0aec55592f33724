#include "core/collect/nvtx/spool_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/base/error.h"
#include "core/collect/cupti/gpu_reader.h"
#include "core/collect/nvtx/payload_text.h"
#include "core/collect/nvtx/spool_file.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;
using spool::Event;
using spool::Kind;

/// Gives texts numbers, the empty one 0.
class Names {
 public:
  std::int32_t index_of(const std::string& text) {
    const auto [found, is_new] = numbers_.emplace(text, static_cast<std::int32_t>(texts_.size()));
    if (is_new) texts_.push_back(text);
    return found->second;
  }
  std::vector<std::string> take() && { return std::move(texts_); }

 private:
  std::unordered_map<std::string, std::int32_t> numbers_{{"", 0}};
  std::vector<std::string> texts_{""};
};

std::uint64_t category_key(std::uint32_t domain, std::uint32_t category) {
  return (std::uint64_t{domain} << 32U) | category;
}

/// What one process named, by the numbers it used.
struct ProcessTexts {
  std::int64_t parent_key = 0;
  std::int64_t last_ns = 0;                              // of its latest event
  std::unordered_map<std::uint64_t, std::string> texts;  // domains and registered strings
  std::unordered_map<std::uint64_t, std::string> categories;
  std::unordered_map<std::uint64_t, std::string> threads;
  std::unordered_map<std::uint64_t, std::vector<PayloadField>> schemas;
};

/// What all processes named.
class Texts {
 public:
  void collect(const SpoolFile& file) {
    ProcessTexts& process = processes_[file.process_key];
    process.parent_key = file.parent_key;
    for_each_record(file, [&](Kind kind, std::string_view record) {
      if (const auto event = spool_event(kind, record))
        process.last_ns = std::max(process.last_ns, file.ns_of(event->event.ticks));
      else if (const auto text = spool_text(record))
        take(process, kind, *text);
    });
  }

  /// A text by its number: of the process, or of the one it was forked from.
  template <class Map>
  const typename Map::mapped_type* find(std::int64_t key, Map ProcessTexts::*map, std::uint64_t id) const {
    for (std::size_t generation = 0; generation <= processes_.size(); ++generation) {
      const auto process = processes_.find(key);
      if (process == processes_.end()) return nullptr;
      const Map& texts = process->second.*map;
      if (const auto found = texts.find(id); found != texts.end()) return &found->second;
      key = process->second.parent_key;
    }
    return nullptr;
  }

  std::int64_t last_ns(std::int64_t key) const { return processes_.at(key).last_ns; }

 private:
  static void take(ProcessTexts& process, Kind kind, const SpoolText& record) {
    if (kind == Kind::kDomain || kind == Kind::kString) process.texts.emplace(record.id, record.text);
    if (kind == Kind::kCategory) process.categories.insert_or_assign(record.id, std::string(record.text));
    if (kind == Kind::kThread) process.threads.insert_or_assign(record.id, std::string(record.text));
    if (kind == Kind::kSchema) process.schemas.insert_or_assign(record.id, payload_fields(record.entries));
  }

  std::map<std::int64_t, ProcessTexts> processes_;  // by key
};

/// Turns the events of one thread after another into ranges.
class Assembler {
 public:
  explicit Assembler(const Texts& texts) : texts_(texts) {}

  void add(const SpoolFile& file, std::int32_t thread) {
    names_of_thread_.clear();
    open_.clear();
    payload_of_last_ = nullptr;
    for_each_record(file, [&](Kind kind, std::string_view record) { take(file, thread, kind, record); });
    // What was never popped lasted as long as its process is known to have run.
    for (const auto& [domain, stack] : open_)
      for (const std::size_t index : stack) {
        AttachedRange& range = ranges_[index];
        range.end = RangeEnd::kCut;
        range.end_ns = std::max(texts_.last_ns(file.process_key), range.start_ns);
      }
  }

  void finish(AttachRecord& record) && {
    // A range that was started by number may end on another thread, so these are paired last.
    for (auto& [number, range] : started_) {
      const auto stop = stopped_.find(number);
      range.end = stop != stopped_.end() ? RangeEnd::kStopped : RangeEnd::kCut;
      range.end_ns = std::max(stop != stopped_.end() ? stop->second : texts_.last_ns(number.first), range.start_ns);
      ranges_.push_back(std::move(range));
    }
    std::stable_sort(ranges_.begin(), ranges_.end(), [](const AttachedRange& a, const AttachedRange& b) {
      return std::tie(a.thread, a.start_ns, b.end_ns) < std::tie(b.thread, b.start_ns, a.end_ns);
    });
    record.ranges = std::move(ranges_);
    record.names = std::move(names_).take();
  }

 private:
  using RangeNumber = std::pair<std::int64_t, std::uint64_t>;  // process and number

  std::int32_t name_of(const SpoolFile& file, const Event& event) {
    if (event.name == spool::kNoName) return 0;
    if (event.name_space == spool::NameSpace::kThread) {
      const auto found = names_of_thread_.find(event.name);
      return found == names_of_thread_.end() ? 0 : found->second;
    }
    return text_index(file, event.name);
  }

  std::int32_t text_index(const SpoolFile& file, std::uint32_t number) {
    if (number == 0) return 0;
    const std::string* text = texts_.find(file.process_key, &ProcessTexts::texts, number);
    return text == nullptr ? 0 : names_.index_of(*text);
  }

  std::int32_t category_index(const SpoolFile& file, const Event& event) {
    if (event.category == 0) return 0;
    const std::string* text =
        texts_.find(file.process_key, &ProcessTexts::categories, category_key(event.domain, event.category));
    return names_.index_of(text != nullptr ? *text : fmt::format("{}", event.category));
  }

  AttachedRange range_of(const SpoolFile& file, std::int32_t thread, const Event& event) {
    AttachedRange range;
    range.start_ns = file.ns_of(event.ticks);
    range.end_ns = range.start_ns;
    range.thread = thread;
    range.name = name_of(file, event);
    range.domain = text_index(file, event.domain);
    range.category = category_index(file, event);
    range.payload = payload_text(event);
    return range;
  }

  void take(const SpoolFile& file, std::int32_t thread, Kind kind, std::string_view record) {
    if (const auto event = spool_event(kind, record)) {
      take_event(file, thread, event->kind, event->event);
    } else if (const auto text = spool_text(record)) {
      if (kind == Kind::kName) names_of_thread_[text->id] = names_.index_of(std::string(text->text));
      if (kind == Kind::kPayload) take_payload(file, *text);
    }
  }

  void take_payload(const SpoolFile& file, const SpoolText& record) {
    const auto* fields = texts_.find(file.process_key, &ProcessTexts::schemas, record.id);
    if (fields == nullptr || payload_of_last_ == nullptr) return;
    if (!payload_of_last_->empty()) *payload_of_last_ += "; ";
    *payload_of_last_ += payload_text(*fields, record.text);
  }

  void take_event(const SpoolFile& file, std::int32_t thread, Kind kind, const Event& event) {
    payload_of_last_ = nullptr;
    switch (kind) {
      case Kind::kPush: push(range_of(file, thread, event), event.domain); break;
      case Kind::kPop: pop(file.ns_of(event.ticks), event.domain); break;
      case Kind::kStop: stopped_[{file.process_key, event.range}] = file.ns_of(event.ticks); break;
      case Kind::kStart: {
        AttachedRange& range = started_[{file.process_key, event.range}];
        range = range_of(file, thread, event);
        payload_of_last_ = &range.payload;
        break;
      }
      default: {
        AttachedRange range = range_of(file, thread, event);
        range.end = RangeEnd::kMark;
        keep(std::move(range));
      }
    }
  }

  void push(AttachedRange range, std::uint32_t domain) {
    std::vector<std::size_t>& stack = open_[domain];
    range.depth = static_cast<std::int32_t>(stack.size());
    stack.push_back(ranges_.size());
    keep(std::move(range));
  }

  void pop(std::int64_t at_ns, std::uint32_t domain) {
    std::vector<std::size_t>& stack = open_[domain];
    if (stack.empty()) return;  // pushed before the recording began, or its push was dropped
    ranges_[stack.back()].end_ns = at_ns;
    stack.pop_back();
  }

  void keep(AttachedRange range) {
    ranges_.push_back(std::move(range));
    payload_of_last_ = &ranges_.back().payload;
  }

  const Texts& texts_;
  Names names_;
  std::vector<AttachedRange> ranges_;
  std::unordered_map<std::uint64_t, std::int32_t> names_of_thread_;
  std::map<std::uint32_t, std::vector<std::size_t>> open_;  // by domain: indices of pushed ranges
  std::map<RangeNumber, AttachedRange> started_;
  std::map<RangeNumber, std::int64_t> stopped_;
  std::string* payload_of_last_ = nullptr;
};

std::vector<SpoolFile> files_of(const fs::path& folder) {
  std::vector<SpoolFile> files;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (entry.path().extension() == ".spool")
      if (auto file = read_spool_file(entry.path())) files.push_back(*std::move(file));
  if (failed)
    throw Error(ErrorKind::kFailure, folder.string(), "cannot be read: " + failed.message() + ".",
                "Check its permissions.");
  std::sort(files.begin(), files.end(), [](const SpoolFile& a, const SpoolFile& b) {
    return std::tie(a.process_key, a.pid, a.first_ns, a.tid) < std::tie(b.process_key, b.pid, b.first_ns, b.tid);
  });
  return files;
}

/// The processes of a record by what their files say of them.
class ProcessList {
 public:
  explicit ProcessList(AttachRecord& record) : record_(record) {}

  std::int32_t index_of(const SpoolFile& file) {
    const auto [found, is_new] = by_key_.emplace(file.process_key, static_cast<std::int32_t>(record_.processes.size()));
    if (is_new) {
      record_.processes.push_back({file.pid, file.parent_pid, file.program});
      by_program_[{file.pid, file.image}] = found->second;
    }
    return found->second;
  }
  std::map<ProgramKey, std::int32_t>& by_program() { return by_program_; }

 private:
  AttachRecord& record_;
  std::map<std::int64_t, std::int32_t> by_key_;
  std::map<ProgramKey, std::int32_t> by_program_;
};

}  // namespace

AttachRecord read_spools(const fs::path& folder) {
  std::vector<SpoolFile> files = files_of(folder);
  const auto first_gpu =
      std::stable_partition(files.begin(), files.end(), [](const SpoolFile& file) { return file.tid != 0; });
  const std::span<const SpoolFile> of_threads(files.begin(), first_gpu);
  Texts texts;
  for (const SpoolFile& file : of_threads) texts.collect(file);
  AttachRecord record;
  ProcessList processes(record);
  Assembler assembler(texts);
  for (const SpoolFile& file : of_threads) {
    const auto thread = static_cast<std::int32_t>(record.threads.size());
    const std::string* name =
        texts.find(file.process_key, &ProcessTexts::threads, static_cast<std::uint64_t>(file.tid));
    record.threads.push_back({processes.index_of(file), file.tid, name == nullptr ? "" : *name, file.n_dropped});
    assembler.add(file, thread);
  }
  std::move(assembler).finish(record);
  add_gpu_work({first_gpu, files.end()}, processes.by_program(), record);
  return record;
}

}  // namespace dachlast
