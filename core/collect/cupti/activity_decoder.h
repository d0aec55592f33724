#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/collect/cupti/gpu_records.h"

namespace dachlast::cupti {

/// Takes decoded records one by one.
class RecordSink {
 public:
  RecordSink() = default;
  RecordSink(const RecordSink&) = delete;
  RecordSink& operator=(const RecordSink&) = delete;
  virtual ~RecordSink() = default;

  /// A number for a text, which is copied: CUPTI's own pointers are valid within its callback alone.
  virtual std::uint32_t name_of(std::string_view text) = 0;
  /// A record of gpu_records.h, `record.bytes` long.
  virtual void take(const spool::Record& record) = 0;
};

/// What became of a buffer.
struct Decoded {
  std::uint64_t n_records = 0;
  std::uint64_t n_unknown = 0;   // of kinds CUPTI can walk over and this decoder does not know
  std::uint64_t lost_bytes = 0;  // at the end, behind a record that is cut short or of a kind CUPTI cannot walk over
};

/// Walks over a buffer that CUPTI has filled and hands each record to `sink` as a plain one, in the buffer's order, which
/// is not that of time.
/// Memory   allocates nothing.
/// Errors   none: what cannot be read is counted.
/// Source   CUpti_Activity* of cupti_activity.h, CUPTI API 130001. Newer libraries write longer records whose beginnings
///          are these.
Decoded decode_activity(std::uint8_t* buffer, std::size_t valid_bytes, RecordSink& sink);

}  // namespace dachlast::cupti
