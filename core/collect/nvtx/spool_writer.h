#pragma once

#include <cstdint>
#include <string_view>

#include "core/collect/nvtx/spool.h"

/// The writing half of a spool, inside an annotated program: no exceptions, no locks on the way of an event, nothing that
/// is destroyed at exit, because events arrive until the very end.
namespace dachlast::spool {

/// One thread's file. Created at the thread's first event and never freed: what it wrote stays when the thread ends.
class Writer {
 public:
  /// Never null. Where no file can be made, the writer drops events and does nothing else.
  static Writer* of_this_thread();

  /// A file of no thread, for what the GPUs of this process do. Callers keep each other out. Null where none can be made.
  static Writer* of_gpus();

  void event(Kind kind, const Event& event);
  void short_push(std::uint64_t ticks, std::uint32_t name, NameSpace space, std::uint32_t domain);
  void pop(std::uint64_t ticks, std::uint32_t domain);
  void text(Kind kind, std::uint64_t id, std::string_view text);
  void payload(std::uint64_t schema, const void* bytes, std::size_t n);
  void schema(std::uint64_t id, std::string_view name, const SchemaEntry* entries, std::uint32_t n_entries);

  /// The thread's number of a name, which is written the first time it is seen.
  std::uint32_t name_of(std::string_view text);

  /// A record as it is, its head filled; false where it found no room and was counted.
  bool whole(const Record& record);

 private:
  Writer() = default;
  bool open(int tid);
  void* reserve(std::size_t bytes);
  void commit(std::size_t bytes);
  bool next_window();
  void forget_names();

  static constexpr std::uint32_t kNameSlots = 1U << 13;  // of 16 B; three quarters of them are used

  Header* header_ = nullptr;
  char* window_ = nullptr;
  std::size_t used_ = kWindowBytes;  // of the window
  std::uint64_t window_index_ = 0;
  int file_ = -1;

  struct NameSlot {
    std::uint64_t hash;
    std::uint32_t number;
  };
  NameSlot* names_ = nullptr;
  std::uint32_t n_names_ = 0;
  std::uint32_t next_name_ = 0;
};

/// The clock of all events. The time stamp counter where it runs at one rate, else CLOCK_MONOTONIC.
std::uint64_t now_ticks();

/// Numbers of the process, for domains, registered strings and schemas.
std::uint64_t next_process_id();

/// Nanoseconds of CLOCK_MONOTONIC, the scale that ranges are read on.
std::int64_t monotonic_now_ns();

/// Called once when the library is loaded: reads the environment, arms the handlers around fork.
void start();

}  // namespace dachlast::spool
