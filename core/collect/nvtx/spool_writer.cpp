#include "core/collect/nvtx/spool_writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/collect/nvtx/spool_clock.h"

namespace dachlast::spool {
namespace {

// State of the process. Plain values: nothing here may be destroyed before the last event.
char g_folder[3072] = {};
std::int64_t g_process_key = 0;
std::int64_t g_parent_key = 0;
std::atomic<std::uint64_t> g_next_id{1};
std::atomic<std::uint64_t> g_windows_left{0};
Clock g_clock = Clock::kMonotonic;

__attribute__((tls_model("initial-exec"))) thread_local Writer* t_writer = nullptr;

constexpr std::uint64_t kDefaultMaximumMib = 2048;  // of all threads of a process

/// The child of a fork writes files of its own: the parent's are mapped into it and must not be touched.
void forget_parent() {
  t_writer = nullptr;
  g_parent_key = g_process_key;
  g_process_key = monotonic_ns();
}

void read_program_name(char* text, std::size_t size) {
  const int file = ::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  const ssize_t n = ::read(file, text, size - 1);
  ::close(file);
  for (ssize_t i = 0; i + 1 < n; ++i)
    if (text[i] == '\0') text[i] = ' ';
}

__extension__ using Wide = unsigned __int128;

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

/// 64 bits of a text, eight bytes at a time. Two of 6,000 names agree with a probability of 10^-12.
std::uint64_t hash_of(std::string_view text) {
  constexpr std::uint64_t kOdd1 = 0x9E3779B97F4A7C15ULL;  // 2^64 / golden ratio
  constexpr std::uint64_t kOdd2 = 0xD6E8FEB86659FD93ULL;
  std::uint64_t hash = kOdd1 ^ text.size();
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    hash = mixed(hash ^ word, kOdd2);
  }
  std::uint64_t tail = 0;
  std::memcpy(&tail, at, left);
  hash = mixed(hash ^ tail, kOdd1);
  return hash == 0 ? 1 : hash;  // 0 marks an empty slot
}

constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + 7) / 8 * 8;
}

/// A number of the program in this process: libraries that know nothing of each other find the same. The kernel hands
/// each program 16 random bytes at exec (AT_RANDOM), of which this shows a hash.
std::uint32_t image_number() {
  const auto* random = reinterpret_cast<const char*>(::getauxval(AT_RANDOM));
  return random == nullptr ? 0 : static_cast<std::uint32_t>(hash_of({random, 16}));
}

}  // namespace

std::int64_t monotonic_now_ns() {
  return monotonic_ns();
}

std::uint64_t now_ticks() {
  return ticks_of(g_clock);
}

std::uint64_t next_process_id() {
  return g_next_id.fetch_add(1, std::memory_order_relaxed);
}

void start() {
  const char* folder = std::getenv("DACHLAST_ATTACH_DIR");
  if (folder != nullptr && std::strlen(folder) < sizeof(g_folder) - 1) std::strcpy(g_folder, folder);
  const char* maximum = std::getenv("DACHLAST_ATTACH_MAX_MIB");
  const std::uint64_t mib = maximum != nullptr ? std::strtoull(maximum, nullptr, 10) : kDefaultMaximumMib;
  g_windows_left.store(mib * ((std::size_t{1} << 20) / kWindowBytes));
  g_process_key = monotonic_ns();
  g_clock = best_clock();
  pthread_atfork(nullptr, nullptr, forget_parent);
}

Writer* Writer::of_this_thread() {
  if (t_writer != nullptr) return t_writer;
  const int saved = errno;
  auto* memory = static_cast<Writer*>(std::calloc(1, sizeof(Writer)));
  static Writer* const fallback = new Writer;  // drops everything; for the day memory is gone
  t_writer = memory != nullptr ? new (memory) Writer : fallback;
  if (memory != nullptr) t_writer->open(static_cast<int>(::syscall(SYS_gettid)));
  errno = saved;
  return t_writer;
}

Writer* Writer::of_gpus() {
  const int saved = errno;
  auto* memory = static_cast<Writer*>(std::calloc(1, sizeof(Writer)));
  Writer* writer = memory != nullptr ? new (memory) Writer : nullptr;
  const bool opened = writer != nullptr && writer->open(0);
  errno = saved;
  return opened ? writer : nullptr;
}

bool Writer::open(int tid) {
  if (g_folder[0] == '\0') return false;
  const int pid = ::getpid();
  char path[3200];
  std::snprintf(path, sizeof(path), "%s/%d-%lld-%d.spool", g_folder, pid, static_cast<long long>(g_process_key), tid);
  file_ = ::open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file_ < 0) return false;
  // Room is reserved before it is mapped: a page without room behind it would end the program with SIGBUS.
  if (::posix_fallocate(file_, 0, kHeaderBytes) != 0) return false;
  void* page = ::mmap(nullptr, kHeaderBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (page == MAP_FAILED) return false;
  auto* header = static_cast<Header*>(page);
  header->version = kVersion;
  header->clock = g_clock;
  header->process_key = g_process_key;
  header->parent_key = g_parent_key;
  header->pid = pid;
  header->parent_pid = ::getppid();
  header->tid = tid;
  header->image = image_number();
  header->first_ns = monotonic_ns();
  header->first_ticks = now_ticks();
  read_program_name(header->program, sizeof(header->program));
  std::memcpy(header->magic, kMagic, sizeof(kMagic));
  header_ = header;
  names_ = static_cast<NameSlot*>(std::calloc(kNameSlots, sizeof(NameSlot)));
  return true;
}

bool Writer::next_window() {
  if (header_ == nullptr || file_ < 0) return false;
  std::uint64_t left = g_windows_left.load(std::memory_order_relaxed);
  do {
    if (left == 0) return false;
  } while (!g_windows_left.compare_exchange_weak(left, left - 1, std::memory_order_relaxed));
  const auto offset = static_cast<off_t>(kHeaderBytes + window_index_ * kWindowBytes);
  const int saved = errno;
  const bool reserved = ::posix_fallocate(file_, offset, kWindowBytes) == 0;
  void* memory =
      reserved ? ::mmap(nullptr, kWindowBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, offset) : MAP_FAILED;
  errno = saved;
  if (memory == MAP_FAILED) {
    ::close(file_);
    file_ = -1;  // the disk is full: the rest of this thread's events are counted and dropped
    return false;
  }
#ifdef MADV_POPULATE_WRITE
  // All pages at once cost a third of their faults one by one. Where the kernel is older, they come one by one.
  ::madvise(memory, kWindowBytes, MADV_POPULATE_WRITE);
#endif
  errno = saved;
  if (window_ != nullptr) ::munmap(window_, kWindowBytes);
  window_ = static_cast<char*>(memory);
  used_ = 0;
  ++window_index_;
  return true;
}

void* Writer::reserve(std::size_t bytes) {
  if (used_ + bytes <= kWindowBytes) return window_ + used_;
  if (next_window()) return window_;
  if (header_ != nullptr) header_->n_dropped.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

void Writer::commit(std::size_t bytes) {
  used_ += bytes;
  const std::uint64_t total = (window_index_ - 1) * kWindowBytes + used_;
  // Release: whoever sees the count sees the record.
  header_->committed_bytes.store(total, std::memory_order_release);
}

void Writer::event(Kind kind, const Event& event) {
  auto* record = static_cast<Event*>(reserve(sizeof(Event)));
  if (record == nullptr) return;
  *record = event;
  record->record = {static_cast<std::uint32_t>(sizeof(Event)), kind, 0};
  commit(sizeof(Event));
}

bool Writer::whole(const Record& record) {
  void* memory = reserve(record.bytes);
  if (memory == nullptr) return false;
  std::memcpy(memory, &record, record.bytes);
  commit(record.bytes);
  return true;
}

void Writer::short_push(std::uint64_t ticks, std::uint32_t name, NameSpace space, std::uint32_t domain) {
  auto* record = static_cast<ShortEvent*>(reserve(kShortPushBytes));
  if (record == nullptr) return;
  *record = {{kShortPushBytes, Kind::kShortPush, static_cast<std::uint16_t>(space)}, ticks, name, domain};
  commit(kShortPushBytes);
}

void Writer::pop(std::uint64_t ticks, std::uint32_t domain) {
  if (domain > kMostShortDomains) {
    Event event{};
    event.ticks = ticks;
    event.domain = domain;
    event.name = kNoName;
    this->event(Kind::kPop, event);
    return;
  }
  auto* record = static_cast<ShortEvent*>(reserve(kShortPopBytes));
  if (record == nullptr) return;
  record->record = {kShortPopBytes, Kind::kShortPop, static_cast<std::uint16_t>(domain)};
  record->ticks = ticks;
  commit(kShortPopBytes);
}

void Writer::text(Kind kind, std::uint64_t id, std::string_view text) {
  const std::size_t n = text.size() < kLongestText ? text.size() : kLongestText;
  const std::size_t bytes = sizeof(Text) + padded(n);
  auto* record = static_cast<Text*>(reserve(bytes));
  if (record == nullptr) return;
  *record = {{static_cast<std::uint32_t>(bytes), kind, 0}, id, static_cast<std::uint32_t>(n), 0};
  std::memcpy(record + 1, text.data(), n);
  commit(bytes);
}

void Writer::payload(std::uint64_t schema, const void* data, std::size_t n) {
  text(Kind::kPayload, schema, {static_cast<const char*>(data), n < kLongestPayload ? n : kLongestPayload});
}

void Writer::schema(std::uint64_t id, std::string_view name, const SchemaEntry* entries, std::uint32_t n_entries) {
  const std::size_t n = name.size() < kLongestText ? name.size() : kLongestText;
  const std::size_t bytes = sizeof(Text) + padded(n) + n_entries * sizeof(SchemaEntry);
  auto* record = static_cast<Text*>(reserve(bytes));
  if (record == nullptr) return;
  *record = {{static_cast<std::uint32_t>(bytes), Kind::kSchema, 0}, id, static_cast<std::uint32_t>(n), n_entries};
  char* behind = reinterpret_cast<char*>(record + 1);
  std::memcpy(behind, name.data(), n);
  std::memcpy(behind + padded(n), entries, n_entries * sizeof(SchemaEntry));
  commit(bytes);
}

void Writer::forget_names() {
  std::memset(names_, 0, kNameSlots * sizeof(NameSlot));
  n_names_ = 0;
}

std::uint32_t Writer::name_of(std::string_view text) {
  if (names_ == nullptr) return kNoName;
  const std::uint64_t hash = hash_of(text);
  std::uint32_t slot = static_cast<std::uint32_t>(hash) % kNameSlots;
  while (names_[slot].hash != 0) {
    if (names_[slot].hash == hash) return names_[slot].number;
    slot = (slot + 1) % kNameSlots;
  }
  // A program that makes up a name per event would fill any table: it starts over, and names are written again.
  if (n_names_ >= kNameSlots / 4 * 3) {
    forget_names();
    slot = static_cast<std::uint32_t>(hash) % kNameSlots;
  }
  const std::uint32_t number = next_name_++;
  names_[slot] = {hash, number};
  ++n_names_;
  this->text(Kind::kName, number, text);
  return number;
}

}  // namespace dachlast::spool
