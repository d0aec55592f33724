#include "core/collect/cupti/activity_decoder.h"

#include <cupti.h>

namespace dachlast::cupti {
namespace {

using spool::GpuActivity;
using spool::Kind;
using spool::with_head;

std::string_view view_of(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

template <class Body>
void hand_over(Body& body, Kind kind, RecordSink& sink) {
  sink.take(with_head(body, kind).record);
}

void decode(const CUpti_ActivityKernel10& from, RecordSink& sink) {
  spool::GpuWork to{};
  to.activity = GpuActivity::kKernel;
  to.start_ns = from.start;
  to.end_ns = from.end;
  to.name = sink.name_of(view_of(from.name));
  to.device = from.deviceId;
  to.context = from.contextId;
  to.stream = from.streamId;
  to.correlation = from.correlationId;
  to.graph = from.graphId;
  to.graph_node = from.graphNodeId;
  const std::int32_t sizes[9] = {from.gridX,
                                 from.gridY,
                                 from.gridZ,
                                 from.blockX,
                                 from.blockY,
                                 from.blockZ,
                                 static_cast<std::int32_t>(from.clusterX),
                                 static_cast<std::int32_t>(from.clusterY),
                                 static_cast<std::int32_t>(from.clusterZ)};
  for (int i = 0; i < 3; ++i) {
    to.grid[i] = static_cast<std::uint32_t>(sizes[i]);
    to.block[i] = static_cast<std::uint32_t>(sizes[3 + i]);
    to.cluster[i] = static_cast<std::uint32_t>(sizes[6 + i]);
  }
  to.registers = from.registersPerThread;
  to.static_shared_bytes = static_cast<std::uint32_t>(from.staticSharedMemory);
  to.dynamic_shared_bytes = static_cast<std::uint32_t>(from.dynamicSharedMemory);
  to.local_bytes = from.localMemoryPerThread;
  hand_over(to, Kind::kGpuWork, sink);
}

/// As other profilers print copies, so that one set of rules reads all.
std::string_view copy_name(std::uint32_t kind) {
  switch (kind) {
    case CUPTI_ACTIVITY_MEMCPY_KIND_HTOD: return "[CUDA memcpy HtoD]";
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOH: return "[CUDA memcpy DtoH]";
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOD: return "[CUDA memcpy DtoD]";
    case CUPTI_ACTIVITY_MEMCPY_KIND_HTOH: return "[CUDA memcpy HtoH]";
    case CUPTI_ACTIVITY_MEMCPY_KIND_PTOP: return "[CUDA memcpy PtoP]";
    default: return "[CUDA memcpy]";  // to and from arrays
  }
}

/// What the records of copies, copies between GPUs, and fills have in common.
template <class From>
spool::GpuWork moved(const From& from, GpuActivity activity) {
  spool::GpuWork to{};
  to.activity = activity;
  to.start_ns = from.start;
  to.end_ns = from.end;
  to.bytes = from.bytes;
  to.device = from.deviceId;
  to.context = from.contextId;
  to.stream = from.streamId;
  to.correlation = from.correlationId;
  to.graph = from.graphId;
  to.graph_node = from.graphNodeId;
  return to;
}

template <class From>
void decode_copy(const From& from, RecordSink& sink) {
  spool::GpuWork to = moved(from, GpuActivity::kCopy);
  to.copy_kind = from.copyKind;
  to.name = sink.name_of(copy_name(from.copyKind));
  hand_over(to, Kind::kGpuWork, sink);
}

void decode(const CUpti_ActivityMemcpy6& from, RecordSink& sink) {
  decode_copy(from, sink);
}

void decode(const CUpti_ActivityMemcpyPtoP4& from, RecordSink& sink) {
  decode_copy(from, sink);
}

void decode(const CUpti_ActivityMemset4& from, RecordSink& sink) {
  spool::GpuWork to = moved(from, GpuActivity::kFill);
  to.name = sink.name_of("[CUDA memset]");
  hand_over(to, Kind::kGpuWork, sink);
}

void decode(const CUpti_ActivityGraphTrace2& from, RecordSink& sink) {
  spool::GpuWork to{};
  to.activity = GpuActivity::kGraph;
  to.start_ns = from.start;
  to.end_ns = from.end;
  to.name = sink.name_of("[CUDA graph]");
  to.device = from.deviceId;
  to.context = from.contextId;
  to.stream = from.streamId;
  to.correlation = from.correlationId;
  to.graph = from.graphId;
  hand_over(to, Kind::kGpuWork, sink);
}

/// "cudaLaunchKernel_v7000" without the version of its interface, which is no part of the name people write.
std::string_view without_version(std::string_view name) {
  const std::size_t at = name.rfind("_v");
  if (at == std::string_view::npos || at + 2 >= name.size()) return name;
  const std::size_t first_other = name.find_first_not_of("0123456789", at + 2);
  return first_other == std::string_view::npos ? name.substr(0, at) : name;
}

void decode(const CUpti_ActivityAPI& from, RecordSink& sink) {
  const bool is_runtime = from.kind == CUPTI_ACTIVITY_KIND_RUNTIME;
  const char* name = nullptr;
  cuptiGetCallbackName(is_runtime ? CUPTI_CB_DOMAIN_RUNTIME_API : CUPTI_CB_DOMAIN_DRIVER_API, from.cbid, &name);
  spool::ApiCall to{};
  to.api = is_runtime ? spool::Api::kRuntime : spool::Api::kDriver;
  to.start_ns = from.start;
  to.end_ns = from.end;
  to.name = sink.name_of(without_version(view_of(name)));
  to.correlation = from.correlationId;
  to.thread = from.threadId;
  to.returned = from.returnValue;
  hand_over(to, Kind::kApiCall, sink);
}

void decode(const CUpti_ActivitySynchronization2& from, RecordSink& sink) {
  spool::Wait to{};
  to.start_ns = from.start;
  to.end_ns = from.end;
  to.type = static_cast<std::uint32_t>(from.type);
  to.correlation = from.correlationId;
  to.context = from.contextId;
  to.stream = from.streamId;
  hand_over(to, Kind::kWait, sink);
}

std::uint32_t thread_of(CUpti_ActivityObjectKind kind, const CUpti_ActivityObjectKindId& id) {
  return kind == CUPTI_ACTIVITY_OBJECT_THREAD ? id.pt.threadId : 0;
}

void decode(const CUpti_ActivityOverhead3& from, RecordSink& sink) {
  spool::Overhead to{};
  to.start_ns = from.start;
  to.end_ns = from.end;
  to.kind = static_cast<std::uint32_t>(from.overheadKind);
  to.thread = thread_of(from.objectKind, from.objectId);
  to.correlation = from.correlationId;
  hand_over(to, Kind::kOverhead, sink);
}

void decode(const CUpti_ActivityMemory4& from, RecordSink& sink) {
  spool::Allocation to{};
  to.at_ns = from.timestamp;
  to.address = from.address;
  to.bytes = from.bytes;
  to.pool_address = from.memoryPoolConfig.address;
  to.operation = static_cast<std::uint32_t>(from.memoryOperationType);
  to.memory_kind = static_cast<std::uint32_t>(from.memoryKind);
  to.device = from.deviceId;
  to.correlation = from.correlationId;
  hand_over(to, Kind::kAllocation, sink);
}

void decode(const CUpti_ActivityMemoryPool3& from, RecordSink& sink) {
  spool::PoolEvent to{};
  to.at_ns = from.timestamp;
  to.address = from.address;
  to.size_bytes = from.size;
  to.used_bytes = from.utilizedSize;
  to.release_threshold_bytes = from.releaseThreshold;
  to.operation = static_cast<std::uint32_t>(from.memoryPoolOperationType);
  to.type = static_cast<std::uint32_t>(from.memoryPoolType);
  to.device = from.deviceId;
  hand_over(to, Kind::kPoolEvent, sink);
}

void decode(const CUpti_ActivityExternalCorrelation& from, RecordSink& sink) {
  spool::ExternalId to{};
  to.id = from.externalId;
  to.correlation = from.correlationId;
  to.kind = static_cast<std::uint32_t>(from.externalKind);
  hand_over(to, Kind::kExternalId, sink);
}

void decode(const CUpti_ActivityDevice5& from, RecordSink& sink) {
  spool::Gpu to{};
  to.memory_bytes = from.globalMemorySize;
  to.bandwidth_bytes_per_s = from.globalMemoryBandwidth * 1000;  // listed in kB/s
  to.index = from.id;
  to.name = sink.name_of(view_of(from.name));
  to.n_multiprocessors = from.numMultiprocessors;
  to.clock_khz = from.coreClockRate;
  to.capability_major = from.computeCapabilityMajor;
  to.capability_minor = from.computeCapabilityMinor;
  to.l2_bytes = from.l2CacheSize;
  hand_over(to, Kind::kGpu, sink);
}

void decode(const CUpti_ActivityContext3& from, RecordSink& sink) {
  spool::Context to{};
  to.context = from.contextId;
  to.device = from.deviceId;
  to.null_stream = from.nullStreamId;
  to.parent = from.parentContextId;
  hand_over(to, Kind::kContext, sink);
}

void decode(const CUpti_ActivityStream& from, RecordSink& sink) {
  spool::Stream to{};
  to.context = from.contextId;
  to.stream = from.streamId;
  to.priority = from.priority;
  to.flag = static_cast<std::uint32_t>(from.flag);
  hand_over(to, Kind::kStream, sink);
}

void decode(const CUpti_ActivityMarker2& from, RecordSink& sink) {
  spool::Marker to{};
  to.at_ns = from.timestamp;
  to.id = from.id;
  to.name = sink.name_of(view_of(from.name));
  to.domain = sink.name_of(view_of(from.domain));
  to.flags = static_cast<std::uint32_t>(from.flags);
  to.thread = thread_of(from.objectKind, from.objectId);
  hand_over(to, Kind::kMarker, sink);
}

void decode(const CUpti_ActivityMarkerData2& from, RecordSink& sink) {
  spool::MarkerData to{};
  to.payload = from.payload.metricValueUint64;
  to.id = from.id;
  to.payload_kind = static_cast<std::uint32_t>(from.payloadKind);
  to.color = from.color;
  to.category = from.category;
  hand_over(to, Kind::kMarkerData, sink);
}

template <class From>
std::size_t decode_as(const CUpti_Activity* record, RecordSink& sink) {
  decode(*reinterpret_cast<const From*>(record), sink);
  return sizeof(From);
}

/// Size of the record as this build knows it; 0: a kind it does not read.
std::size_t decode_one(const CUpti_Activity* record, RecordSink& sink) {
  switch (record->kind) {
    case CUPTI_ACTIVITY_KIND_KERNEL:
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: return decode_as<CUpti_ActivityKernel10>(record, sink);
    case CUPTI_ACTIVITY_KIND_MEMCPY: return decode_as<CUpti_ActivityMemcpy6>(record, sink);
    case CUPTI_ACTIVITY_KIND_MEMCPY2: return decode_as<CUpti_ActivityMemcpyPtoP4>(record, sink);
    case CUPTI_ACTIVITY_KIND_MEMSET: return decode_as<CUpti_ActivityMemset4>(record, sink);
    case CUPTI_ACTIVITY_KIND_GRAPH_TRACE: return decode_as<CUpti_ActivityGraphTrace2>(record, sink);
    case CUPTI_ACTIVITY_KIND_RUNTIME:
    case CUPTI_ACTIVITY_KIND_DRIVER: return decode_as<CUpti_ActivityAPI>(record, sink);
    case CUPTI_ACTIVITY_KIND_SYNCHRONIZATION: return decode_as<CUpti_ActivitySynchronization2>(record, sink);
    case CUPTI_ACTIVITY_KIND_OVERHEAD: return decode_as<CUpti_ActivityOverhead3>(record, sink);
    case CUPTI_ACTIVITY_KIND_MEMORY2: return decode_as<CUpti_ActivityMemory4>(record, sink);
    case CUPTI_ACTIVITY_KIND_MEMORY_POOL: return decode_as<CUpti_ActivityMemoryPool3>(record, sink);
    case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION: return decode_as<CUpti_ActivityExternalCorrelation>(record, sink);
    case CUPTI_ACTIVITY_KIND_DEVICE: return decode_as<CUpti_ActivityDevice5>(record, sink);
    case CUPTI_ACTIVITY_KIND_CONTEXT: return decode_as<CUpti_ActivityContext3>(record, sink);
    case CUPTI_ACTIVITY_KIND_STREAM: return decode_as<CUpti_ActivityStream>(record, sink);
    case CUPTI_ACTIVITY_KIND_MARKER: return decode_as<CUpti_ActivityMarker2>(record, sink);
    case CUPTI_ACTIVITY_KIND_MARKER_DATA: return decode_as<CUpti_ActivityMarkerData2>(record, sink);
    default: return 0;
  }
}

/// A newer library may write longer records: then no size of ours says where the last one ends.
bool sizes_are_known() {
  static const bool known = [] {
    std::uint32_t version = 0;
    return cuptiGetVersion(&version) == CUPTI_SUCCESS && version <= CUPTI_API_VERSION;
  }();
  return known;
}

}  // namespace

Decoded decode_activity(std::uint8_t* buffer, std::size_t valid_bytes, RecordSink& sink) {
  Decoded decoded;
  if (buffer == nullptr || valid_bytes == 0) return decoded;
  CUpti_Activity* record = nullptr;
  std::size_t read_bytes = 0;  // up to the end of the last record, or to its start where its length is not known
  bool end_is_known = true;
  CUptiResult result = CUPTI_SUCCESS;
  while ((result = cuptiActivityGetNextRecord(buffer, valid_bytes, &record)) == CUPTI_SUCCESS) {
    const std::size_t size = decode_one(record, sink);
    ++(size > 0 ? decoded.n_records : decoded.n_unknown);
    read_bytes = static_cast<std::size_t>(reinterpret_cast<std::uint8_t*>(record) - buffer) + size;
    end_is_known = size > 0 && sizes_are_known();
  }
  // A buffer that ends properly says MAX_LIMIT_REACHED; one that is cut within a record says so too.
  if ((result != CUPTI_ERROR_MAX_LIMIT_REACHED || end_is_known) && read_bytes < valid_bytes)
    decoded.lost_bytes = valid_bytes - read_bytes;
  return decoded;
}

}  // namespace dachlast::cupti
