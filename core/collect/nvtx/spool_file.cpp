#include "core/collect/nvtx/spool_file.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include "core/collect/nvtx/spool_clock.h"

namespace dachlast {
namespace {

/// Nanoseconds of one tick, from the spool's first moment to now: the longest stretch there is.
double tick_length(spool::Clock clock, std::uint64_t first_ticks, std::int64_t first_ns) {
  if (clock == spool::Clock::kMonotonic) return 1.0;
  const std::int64_t ns = spool::monotonic_ns() - first_ns;
  const auto ticks = static_cast<std::int64_t>(spool::ticks_of(clock) - first_ticks);
  return ns > 0 && ticks > 0 ? static_cast<double>(ns) / static_cast<double>(ticks) : 1.0;
}

}  // namespace

std::int64_t SpoolFile::ns_of(std::uint64_t ticks) const {
  const auto since = static_cast<std::int64_t>(ticks - first_ticks);
  return first_ns + static_cast<std::int64_t>(static_cast<double>(since) * ns_per_tick);
}

std::optional<SpoolFile> read_spool_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::vector<char> page(spool::kHeaderBytes);
  if (!stream.read(page.data(), static_cast<std::streamsize>(page.size()))) return std::nullopt;
  const auto* header = reinterpret_cast<const spool::Header*>(page.data());
  if (std::memcmp(header->magic, spool::kMagic, sizeof(spool::kMagic)) != 0 || header->version != spool::kVersion)
    return std::nullopt;
  SpoolFile read;
  read.process_key = header->process_key;
  read.parent_key = header->parent_key;
  read.pid = header->pid;
  read.parent_pid = header->parent_pid;
  read.tid = header->tid;
  read.image = header->image;
  read.n_dropped = static_cast<std::int64_t>(header->n_dropped.load());
  read.program.assign(header->program, strnlen(header->program, sizeof(header->program)));
  read.first_ticks = header->first_ticks;
  read.first_ns = header->first_ns;
  read.ns_per_tick = tick_length(header->clock, header->first_ticks, header->first_ns);
  const std::uint64_t there = std::filesystem::file_size(file) - spool::kHeaderBytes;
  read.records.resize(std::min<std::uint64_t>(header->committed_bytes.load(), there));
  stream.read(read.records.data(), static_cast<std::streamsize>(read.records.size()));
  read.records.resize(static_cast<std::size_t>(stream.gcount()));
  return read;
}

void for_each_record(const SpoolFile& file, const std::function<void(spool::Kind, std::string_view)>& take) {
  const std::vector<char>& bytes = file.records;
  std::size_t at = 0;
  while (at + sizeof(spool::Record) <= bytes.size()) {
    spool::Record record{};
    std::memcpy(&record, bytes.data() + at, sizeof(record));
    const std::size_t window_end = (at / spool::kWindowBytes + 1) * spool::kWindowBytes;
    if (record.kind == spool::Kind::kEnd || window_end - at < sizeof(record)) {
      at = window_end;
      continue;
    }
    const std::size_t end = at + record.bytes;
    if (record.bytes < sizeof(record) || record.bytes % 8 != 0 || end > bytes.size() || end > window_end) return;
    take(record.kind, {bytes.data() + at, record.bytes});
    at = end;
  }
}

std::optional<SpoolEvent> spool_event(spool::Kind kind, std::string_view record) {
  using spool::Kind;
  SpoolEvent read{.kind = kind};
  if (kind >= Kind::kPush && kind <= Kind::kMark) {
    if (record.size() != sizeof(spool::Event)) return std::nullopt;
    std::memcpy(&read.event, record.data(), sizeof(read.event));
    return read;
  }
  const std::size_t bytes = kind == Kind::kShortPush ? spool::kShortPushBytes : spool::kShortPopBytes;
  if ((kind != Kind::kShortPush && kind != Kind::kShortPop) || record.size() != bytes) return std::nullopt;
  spool::ShortEvent brief{};
  std::memcpy(&brief, record.data(), bytes);
  const bool is_push = kind == Kind::kShortPush;
  read.kind = is_push ? Kind::kPush : Kind::kPop;
  read.event.ticks = brief.ticks;
  read.event.name = is_push ? brief.name : spool::kNoName;
  read.event.domain = is_push ? brief.domain : brief.record.detail;
  read.event.name_space = is_push ? static_cast<spool::NameSpace>(brief.record.detail) : spool::NameSpace::kThread;
  return read;
}

std::optional<SpoolText> spool_text(std::string_view record) {
  spool::Text head{};
  if (record.size() < sizeof(head)) return std::nullopt;
  std::memcpy(&head, record.data(), sizeof(head));
  const std::size_t padded = (std::size_t{head.text_bytes} + 7) / 8 * 8;
  const std::size_t entry_bytes = std::size_t{head.n_entries} * sizeof(spool::SchemaEntry);
  if (sizeof(head) + padded + entry_bytes > record.size()) return std::nullopt;
  return SpoolText{head.id, record.substr(sizeof(head), head.text_bytes),
                   record.substr(sizeof(head) + padded, entry_bytes)};
}

}  // namespace dachlast
