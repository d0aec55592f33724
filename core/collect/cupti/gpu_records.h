#pragma once

#include <cstdint>

#include "core/collect/nvtx/spool.h"

/// What CUPTI says of the GPUs of a process, as plain records of a spool. Times are nanoseconds of CUPTI's clock, which
/// `ClockPair` ties to CLOCK_MONOTONIC. Names are numbers of the file's own names. Enumerations that CUPTI numbers keep
/// its numbers.
namespace dachlast::spool {

enum class GpuActivity : std::uint32_t { kKernel, kCopy, kFill, kGraph };

/// One kernel, copy, fill, or a graph as a whole.
struct GpuWork {
  Record record;
  std::uint64_t start_ns;
  std::uint64_t end_ns;
  std::uint64_t bytes;       // moved by a copy or fill
  std::uint64_t graph_node;  // 0: not part of a graph
  GpuActivity activity;
  std::uint32_t name;
  std::uint32_t device;
  std::uint32_t context;
  std::uint32_t stream;
  std::uint32_t correlation;  // of the call that asked for it
  std::uint32_t graph;
  std::uint32_t copy_kind;  // CUpti_ActivityMemcpyKind
  std::uint32_t grid[3];
  std::uint32_t block[3];
  std::uint32_t cluster[3];
  std::uint32_t registers;            // a thread
  std::uint32_t static_shared_bytes;  // a block, as the next
  std::uint32_t dynamic_shared_bytes;
  std::uint32_t local_bytes;  // a thread
  std::uint32_t reserved;
};
static_assert(sizeof(GpuWork) % 8 == 0);

enum class Api : std::uint32_t { kRuntime, kDriver };

/// One call of the CUDA runtime or driver.
struct ApiCall {
  Record record;
  std::uint64_t start_ns;
  std::uint64_t end_ns;
  Api api;
  std::uint32_t name;
  std::uint32_t correlation;
  std::uint32_t thread;  // as gettid numbers it
  std::uint32_t returned;
  std::uint32_t reserved;
};
static_assert(sizeof(ApiCall) % 8 == 0);

/// The host waited for a GPU, or one stream for another.
struct Wait {
  Record record;
  std::uint64_t start_ns;
  std::uint64_t end_ns;
  std::uint32_t type;  // CUpti_ActivitySynchronizationType
  std::uint32_t correlation;
  std::uint32_t context;
  std::uint32_t stream;
};
static_assert(sizeof(Wait) % 8 == 0);

/// Time that the recording itself cost, or that the driver spent compiling and loading.
struct Overhead {
  Record record;
  std::uint64_t start_ns;
  std::uint64_t end_ns;
  std::uint32_t kind;  // CUpti_ActivityOverheadKind
  std::uint32_t thread;
  std::uint32_t correlation;
  std::uint32_t reserved;
};
static_assert(sizeof(Overhead) % 8 == 0);

/// Memory taken or given back.
struct Allocation {
  Record record;
  std::uint64_t at_ns;
  std::uint64_t address;
  std::uint64_t bytes;
  std::uint64_t pool_address;  // 0: of no pool
  std::uint32_t operation;     // CUpti_ActivityMemoryOperationType
  std::uint32_t memory_kind;   // CUpti_ActivityMemoryKind
  std::uint32_t device;
  std::uint32_t correlation;
};
static_assert(sizeof(Allocation) % 8 == 0);

/// A stream-ordered memory pool was made, trimmed or destroyed.
struct PoolEvent {
  Record record;
  std::uint64_t at_ns;
  std::uint64_t address;
  std::uint64_t size_bytes;
  std::uint64_t used_bytes;
  std::uint64_t release_threshold_bytes;
  std::uint32_t operation;  // CUpti_ActivityMemoryPoolOperationType
  std::uint32_t type;       // CUpti_ActivityMemoryPoolType
  std::uint32_t device;
  std::uint32_t reserved;
};
static_assert(sizeof(PoolEvent) % 8 == 0);

/// A number that another tool gave to the calls of a stretch of the program.
struct ExternalId {
  Record record;
  std::uint64_t id;
  std::uint32_t correlation;
  std::uint32_t kind;  // CUpti_ExternalCorrelationKind
};
static_assert(sizeof(ExternalId) % 8 == 0);

struct Gpu {
  Record record;
  std::uint64_t memory_bytes;
  std::uint64_t bandwidth_bytes_per_s;  // as the driver lists it
  std::uint32_t index;
  std::uint32_t name;
  std::uint32_t n_multiprocessors;
  std::uint32_t clock_khz;
  std::uint32_t capability_major;
  std::uint32_t capability_minor;
  std::uint32_t l2_bytes;
  std::uint32_t reserved;
};
static_assert(sizeof(Gpu) % 8 == 0);

struct Context {
  Record record;
  std::uint32_t context;
  std::uint32_t device;
  std::uint32_t null_stream;
  std::uint32_t parent;  // of a green context
};
static_assert(sizeof(Context) % 8 == 0);

struct Stream {
  Record record;
  std::uint32_t context;
  std::uint32_t stream;
  std::uint32_t priority;
  std::uint32_t flag;  // CUpti_ActivityStreamFlag
};
static_assert(sizeof(Stream) % 8 == 0);

/// One end of an NVTX range, or a mark, as CUPTI sees it.
struct Marker {
  Record record;
  std::uint64_t at_ns;
  std::uint32_t id;
  std::uint32_t name;
  std::uint32_t domain;
  std::uint32_t flags;  // CUpti_ActivityFlag
  std::uint32_t thread;
  std::uint32_t reserved;
};
static_assert(sizeof(Marker) % 8 == 0);

struct MarkerData {
  Record record;
  std::uint64_t payload;  // bits of a CUpti_MetricValue
  std::uint32_t id;
  std::uint32_t payload_kind;  // CUpti_MetricValueKind
  std::uint32_t color;
  std::uint32_t category;
};
static_assert(sizeof(MarkerData) % 8 == 0);

/// Both clocks at one moment.
struct ClockPair {
  Record record;
  std::uint64_t cupti_ns;
  std::int64_t monotonic_ns;
};
static_assert(sizeof(ClockPair) % 8 == 0);

/// What CUPTI or its reader could not deliver since the last such record.
struct Loss {
  Record record;
  std::uint64_t n_dropped;   // records CUPTI had no buffer for
  std::uint64_t n_unknown;   // records of kinds nobody reads
  std::uint64_t lost_bytes;  // of buffers, behind a record that cannot be read
};
static_assert(sizeof(Loss) % 8 == 0);

/// One counter of one range of a counter profiler.
struct Counter {
  Record record;
  double value;
  std::uint32_t range;   // number of the range, in the order of the launches
  std::uint32_t kernel;  // name
  std::uint32_t metric;  // name
  std::uint32_t reserved;
};
static_assert(sizeof(Counter) % 8 == 0);

/// What the memory of a whole GPU moved over a short time. Times are those of the clock that its samples are stamped with,
/// which `SampleTie` bounds.
struct Sample {
  Record record;
  std::uint64_t start_ns;
  std::uint64_t end_ns;
  double read_bytes;
  double written_bytes;
  std::uint32_t device;
  std::uint32_t reserved;
};
static_assert(sizeof(Sample) % 8 == 0);

enum class TieSide : std::uint32_t { kNotBefore, kNotAfter };

/// The clock of a GPU's samples came to `sample_ns` not before, or not after, CUPTI's came to `cupti_ns`. CUPTI has no
/// call that reads both, so an order is all there is.
struct SampleTie {
  Record record;
  std::uint64_t sample_ns;
  std::uint64_t cupti_ns;
  TieSide side;
  std::uint32_t device;
};
static_assert(sizeof(SampleTie) % 8 == 0);

/// Fills the head of a record.
template <class Body>
Body& with_head(Body& body, Kind kind) {
  body.record = {static_cast<std::uint32_t>(sizeof(Body)), kind, 0};
  return body;
}

}  // namespace dachlast::spool
