#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

/// The files through which an annotated program hands its NVTX events to `attach`: one per thread, mapped into the program
/// and shared, so that what was written outlives it however it ends. Plain C++ without the rest of the project: this
/// header is compiled into other people's processes.
///
/// A file is a header of one page and records in windows of `kWindowBytes`. Records are aligned to 8 bytes and never
/// cross a window; a `kEnd` record, or a window's end, sends the reader to the next one.
namespace dachlast::spool {

inline constexpr char kMagic[8] = {'D', 'L', 'S', 'P', 'O', 'O', 'L', '1'};
inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::size_t kHeaderBytes = 4096;
inline constexpr std::size_t kWindowBytes = std::size_t{1} << 20;
inline constexpr std::size_t kLongestText = 4096;    // bytes of a name; GEMM kernels reach 3,000; longer ones are cut
inline constexpr std::size_t kLongestPayload = 512;  // bytes of a structured payload; longer ones are cut
inline constexpr std::uint32_t kNoName = 0xFFFFFFFFU;

enum class Clock : std::uint32_t { kMonotonic, kTimeStampCounter };

struct Header {
  char magic[8];
  std::uint32_t version;
  Clock clock;
  std::int64_t process_key;  // moment the process was first seen, CLOCK_MONOTONIC ns: tells reused pids apart
  std::int64_t parent_key;   // of the process it was forked from; 0: not known
  std::int32_t pid;
  std::int32_t parent_pid;
  std::int32_t tid;           // 0: what the GPUs did, which is of no thread
  std::uint32_t image;        // of the program the process runs: the same for all libraries in it, another after exec
  std::uint64_t first_ticks;  // the clock's value and CLOCK_MONOTONIC at one moment
  std::int64_t first_ns;
  std::atomic<std::uint64_t> committed_bytes;  // of records that are whole
  std::atomic<std::uint64_t> n_dropped;        // events that found no room
  char program[256];                           // of /proc/self/comm and cmdline, cut
};
static_assert(sizeof(Header) <= kHeaderBytes);

enum class Kind : std::uint16_t {
  kEnd,        // nothing more in this window
  kName,       // id, text: of this thread's own numbering
  kPush,       // Event
  kPop,        // Event without a name
  kStart,      // Event with a range number
  kStop,       // Event with a range number
  kMark,       // Event
  kDomain,     // id, text: of the process's numbering, as the ones below
  kString,     // id, text
  kCategory,   // id = domain << 32 | category, text
  kThread,     // id = thread, text
  kSchema,     // id, name and entries: SchemaEntry each
  kPayload,    // id = schema, bytes: belongs to the event before it
  kShortPush,  // ShortPush: a push with nothing but a name
  kShortPop,   // ShortHead: a pop
  // What a GPU did: the records of core/collect/cupti/gpu_records.h, in their order.
  kGpuWork = 64,
  kApiCall,
  kWait,
  kOverhead,
  kAllocation,
  kPoolEvent,
  kExternalId,
  kGpu,
  kContext,
  kStream,
  kMarker,
  kMarkerData,
  kClockPair,
  kLoss,
  kNote,  // Text: why something is not recorded
  kCounter,
  kSample,
  kSampleTie
};

struct Record {
  std::uint32_t bytes;  // whole record, a multiple of 8
  Kind kind;
  std::uint16_t detail;  // of short events
};

enum class PayloadType : std::uint8_t { kNone, kUnsigned, kSigned, kReal };
enum class NameSpace : std::uint8_t { kThread, kProcess };

/// One event. `name` is a number of the thread's own names or of the process's registered strings.
struct Event {
  Record record;
  std::uint64_t ticks;
  std::uint64_t range;  // of kStart and kStop
  std::uint64_t payload;
  std::uint32_t name;
  std::uint32_t domain;  // 0: the default one
  std::uint32_t category;
  std::uint32_t color;  // ARGB; 0: none
  PayloadType payload_type;
  NameSpace name_space;
  std::uint16_t reserved[3];
};
static_assert(sizeof(Event) % 8 == 0);

/// A push or pop as most are: the time since the event before it on the same thread stands in place of the length, which
/// the kind tells. Most of what an event costs is the first touch of its page, so records are as short as can be.
/// A pop is the head alone, with its domain in `detail`; a push has the name's space there.
struct ShortHead {
  std::uint32_t ticks_since;
  Kind kind;
  std::uint16_t detail;
};
struct ShortPush {
  ShortHead head;
  std::uint32_t name;
  std::uint32_t domain;
};
static_assert(sizeof(ShortHead) == sizeof(Record) && sizeof(ShortHead) % 8 == 0 && sizeof(ShortPush) % 8 == 0);
inline constexpr std::uint64_t kMostShortTicks = 0xFFFFFFFFU;  // more than a second; rarer events are written whole
inline constexpr std::uint32_t kMostShortDomains = 0xFFFFU;

/// A text with its number, followed by `text_bytes` bytes.
struct Text {
  Record record;
  std::uint64_t id;
  std::uint32_t text_bytes;
  std::uint32_t n_entries;  // of kSchema: so many SchemaEntry follow the text, which is padded to 8 bytes
};

struct SchemaEntry {
  std::uint64_t type;    // as NVTX numbers them
  std::uint64_t offset;  // in the payload
  char name[48];
};

}  // namespace dachlast::spool
