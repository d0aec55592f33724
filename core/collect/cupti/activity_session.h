#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/collect/cupti/activity_decoder.h"
#include "core/collect/nvtx/spool_writer.h"

namespace dachlast::cupti {

/// Writes records into the process's file of GPU work.
class SpoolSink final : public RecordSink {
 public:
  explicit SpoolSink(spool::Writer& writer) : writer_(writer) {}
  std::uint32_t name_of(std::string_view text) override { return writer_.name_of(text); }
  void take(const spool::Record& record) override { writer_.whole(record); }

 private:
  spool::Writer& writer_;
};

/// Why nothing is recorded, or null. Static text.
using Refusal = const char*;

/// Asks CUPTI for the activity of this process and writes it into `writer`, until the process ends: buffers as they fill,
/// and what there is every half second. Call once, with a subscription to CUPTI at hand.
/// Memory   at most `kMostBuffers` buffers of `kBufferBytes`; without a free one CUPTI drops records and counts them.
/// Threads  one of its own, which takes no signals.
Refusal start_activity(spool::Writer& writer);

// A buffer is delivered when it is full, or when all of its records are complete, which under steady load they never are.
// 1,700 launches with their calls fill this one: less than a second of a program that keeps a GPU busy.
inline constexpr std::size_t kBufferBytes = std::size_t{512} << 10;
inline constexpr int kMostBuffers = 128;  // 64 MiB

}  // namespace dachlast::cupti
