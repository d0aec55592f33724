#include "core/collect/cupti/activity_decoder.h"

#include <cupti.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

// Buffers are made by hand and walked by the real library, which needs no driver for that.
namespace dachlast::cupti {
namespace {

using spool::GpuActivity;
using spool::Kind;

/// Keeps what was decoded.
class Kept : public RecordSink {
 public:
  std::uint32_t name_of(std::string_view text) override {
    names.emplace_back(text);
    return static_cast<std::uint32_t>(names.size()) - 1;
  }
  void take(const spool::Record& record) override {
    const auto* bytes = reinterpret_cast<const char*>(&record);
    records.emplace_back(bytes, record.bytes);
    kinds.push_back(record.kind);
  }

  template <class Body>
  Body body(std::size_t index) const {
    Body read{};
    EXPECT_EQ(records.at(index).size(), sizeof(Body));
    std::memcpy(&read, records.at(index).data(), sizeof(Body));
    return read;
  }

  std::vector<std::string> names;
  std::vector<std::string> records;
  std::vector<Kind> kinds;
};

/// A buffer as CUPTI fills it: records one behind the other.
class Buffer {
 public:
  Buffer() : bytes_(64 * 1024 / sizeof(std::uint64_t)) {}

  template <class Record>
  Buffer& add(const Record& record) {
    std::memcpy(data() + size_, &record, sizeof(record));
    size_ += sizeof(record);
    return *this;
  }
  void cut(std::size_t n) { size_ -= n; }
  Decoded decode(RecordSink& sink) { return decode_activity(data(), size_, sink); }

 private:
  std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(bytes_.data()); }

  std::vector<std::uint64_t> bytes_;  // aligned to eight bytes
  std::size_t size_ = 0;
};

template <class Record>
Record record_of(CUpti_ActivityKind kind) {
  Record record;
  std::memset(static_cast<void*>(&record), 0, sizeof(record));
  record.kind = kind;
  return record;
}

CUpti_ActivityKernel10 kernel(std::uint64_t start_ns, const char* name) {
  auto made = record_of<CUpti_ActivityKernel10>(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
  made.start = start_ns;
  made.end = start_ns + 10;
  made.name = name;
  return made;
}

TEST(DecodeActivity, Kernels) {
  auto made = kernel(1000, "_Z6attendPf");
  made.deviceId = 1;
  made.contextId = 2;
  made.streamId = 7;
  made.correlationId = 42;
  made.gridX = 8;
  made.gridY = 4;
  made.gridZ = 2;
  made.blockX = 128;
  made.blockY = 3;
  made.blockZ = 1;
  made.clusterX = 2;
  made.registersPerThread = 168;
  made.staticSharedMemory = 1024;
  made.dynamicSharedMemory = 98304;
  made.localMemoryPerThread = 16;
  made.graphId = 5;
  made.graphNodeId = 77;
  Kept kept;
  EXPECT_EQ(Buffer().add(made).decode(kept).n_records, 1U);
  const auto work = kept.body<spool::GpuWork>(0);
  EXPECT_EQ(kept.kinds.at(0), Kind::kGpuWork);
  EXPECT_EQ(work.activity, GpuActivity::kKernel);
  EXPECT_EQ(kept.names.at(work.name), "_Z6attendPf");
  EXPECT_EQ(work.start_ns, 1000U);
  EXPECT_EQ(work.end_ns, 1010U);
  EXPECT_EQ(work.device, 1U);
  EXPECT_EQ(work.context, 2U);
  EXPECT_EQ(work.stream, 7U);
  EXPECT_EQ(work.correlation, 42U);
  EXPECT_EQ(work.grid[0], 8U);
  EXPECT_EQ(work.grid[2], 2U);
  EXPECT_EQ(work.block[1], 3U);
  EXPECT_EQ(work.cluster[0], 2U);
  EXPECT_EQ(work.registers, 168U);
  EXPECT_EQ(work.static_shared_bytes, 1024U);
  EXPECT_EQ(work.dynamic_shared_bytes, 98304U);
  EXPECT_EQ(work.local_bytes, 16U);
  EXPECT_EQ(work.graph, 5U);
  EXPECT_EQ(work.graph_node, 77U);
}

TEST(DecodeActivity, NamesAreCopied) {
  std::string name = "gone soon";
  Kept kept;
  Buffer().add(kernel(0, name.c_str())).add(kernel(1, nullptr)).decode(kept);
  name.assign("overwritten");
  EXPECT_EQ(kept.names.at(0), "gone soon");
  EXPECT_EQ(kept.names.at(1), "");  // CUPTI may have none
}

TEST(DecodeActivity, CopiesFillsAndGraphs) {
  auto copy = record_of<CUpti_ActivityMemcpy6>(CUPTI_ACTIVITY_KIND_MEMCPY);
  copy.copyKind = CUPTI_ACTIVITY_MEMCPY_KIND_HTOD;
  copy.bytes = 4096;
  copy.correlationId = 3;
  auto between = record_of<CUpti_ActivityMemcpyPtoP4>(CUPTI_ACTIVITY_KIND_MEMCPY2);
  between.copyKind = CUPTI_ACTIVITY_MEMCPY_KIND_PTOP;
  between.bytes = 8192;
  between.correlationId = 4;
  auto fill = record_of<CUpti_ActivityMemset4>(CUPTI_ACTIVITY_KIND_MEMSET);
  fill.bytes = 100;
  fill.streamId = 9;
  auto graph = record_of<CUpti_ActivityGraphTrace2>(CUPTI_ACTIVITY_KIND_GRAPH_TRACE);
  graph.graphId = 6;
  graph.end = 50;
  Kept kept;
  EXPECT_EQ(Buffer().add(copy).add(between).add(fill).add(graph).decode(kept).n_records, 4U);
  EXPECT_EQ(kept.names.at(0), "[CUDA memcpy HtoD]");
  EXPECT_EQ(kept.body<spool::GpuWork>(0).bytes, 4096U);
  EXPECT_EQ(kept.body<spool::GpuWork>(0).copy_kind, 1U);
  EXPECT_EQ(kept.names.at(1), "[CUDA memcpy PtoP]");
  EXPECT_EQ(kept.body<spool::GpuWork>(1).correlation, 4U);
  EXPECT_EQ(kept.body<spool::GpuWork>(1).activity, GpuActivity::kCopy);
  EXPECT_EQ(kept.body<spool::GpuWork>(2).activity, GpuActivity::kFill);
  EXPECT_EQ(kept.body<spool::GpuWork>(2).stream, 9U);
  EXPECT_EQ(kept.body<spool::GpuWork>(3).activity, GpuActivity::kGraph);
  EXPECT_EQ(kept.body<spool::GpuWork>(3).graph, 6U);
  EXPECT_EQ(kept.body<spool::GpuWork>(3).end_ns, 50U);
}

TEST(DecodeActivity, CallsHaveTheNamesPeopleWrite) {
  auto runtime = record_of<CUpti_ActivityAPI>(CUPTI_ACTIVITY_KIND_RUNTIME);
  runtime.cbid = CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernel_v7000;
  runtime.threadId = 1234;
  runtime.correlationId = 42;
  runtime.returnValue = 2;
  auto driver = record_of<CUpti_ActivityAPI>(CUPTI_ACTIVITY_KIND_DRIVER);
  driver.cbid = CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel;
  auto unknown = record_of<CUpti_ActivityAPI>(CUPTI_ACTIVITY_KIND_DRIVER);
  unknown.cbid = 99999;
  Kept kept;
  Buffer().add(runtime).add(driver).add(unknown).decode(kept);
  EXPECT_EQ(kept.names, (std::vector<std::string>{"cudaLaunchKernel", "cuLaunchKernel", ""}));
  const auto call = kept.body<spool::ApiCall>(0);
  EXPECT_EQ(call.api, spool::Api::kRuntime);
  EXPECT_EQ(call.thread, 1234U);
  EXPECT_EQ(call.correlation, 42U);
  EXPECT_EQ(call.returned, 2U);
  EXPECT_EQ(kept.body<spool::ApiCall>(1).api, spool::Api::kDriver);
}

TEST(DecodeActivity, WaitsAndOverhead) {
  auto wait = record_of<CUpti_ActivitySynchronization2>(CUPTI_ACTIVITY_KIND_SYNCHRONIZATION);
  wait.type = CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_STREAM_SYNCHRONIZE;
  wait.streamId = 7;
  wait.start = 5;
  auto overhead = record_of<CUpti_ActivityOverhead3>(CUPTI_ACTIVITY_KIND_OVERHEAD);
  overhead.overheadKind = CUPTI_ACTIVITY_OVERHEAD_CUPTI_BUFFER_FLUSH;
  overhead.objectKind = CUPTI_ACTIVITY_OBJECT_THREAD;
  overhead.objectId.pt.threadId = 11;
  overhead.end = 300;
  auto of_device = overhead;
  of_device.objectKind = CUPTI_ACTIVITY_OBJECT_DEVICE;  // then the same bytes are no thread
  Kept kept;
  Buffer().add(wait).add(overhead).add(of_device).decode(kept);
  EXPECT_EQ(kept.body<spool::Wait>(0).type, 3U);
  EXPECT_EQ(kept.body<spool::Wait>(0).stream, 7U);
  EXPECT_EQ(kept.body<spool::Overhead>(1).kind, 1U << 16U);
  EXPECT_EQ(kept.body<spool::Overhead>(1).thread, 11U);
  EXPECT_EQ(kept.body<spool::Overhead>(1).end_ns, 300U);
  EXPECT_EQ(kept.body<spool::Overhead>(2).thread, 0U);
}

TEST(DecodeActivity, MemoryAndPools) {
  auto memory = record_of<CUpti_ActivityMemory4>(CUPTI_ACTIVITY_KIND_MEMORY2);
  memory.memoryOperationType = CUPTI_ACTIVITY_MEMORY_OPERATION_TYPE_ALLOCATION;
  memory.memoryKind = CUPTI_ACTIVITY_MEMORY_KIND_DEVICE;
  memory.bytes = 1 << 20;
  memory.address = 0x7000;
  memory.memoryPoolConfig.address = 0x99;
  auto pool = record_of<CUpti_ActivityMemoryPool3>(CUPTI_ACTIVITY_KIND_MEMORY_POOL);
  pool.memoryPoolOperationType = CUPTI_ACTIVITY_MEMORY_POOL_OPERATION_TYPE_TRIMMED;
  pool.size = 1 << 30;
  pool.utilizedSize = 1 << 29;
  pool.deviceId = 1;
  Kept kept;
  Buffer().add(memory).add(pool).decode(kept);
  EXPECT_EQ(kept.body<spool::Allocation>(0).operation, 1U);
  EXPECT_EQ(kept.body<spool::Allocation>(0).memory_kind, 3U);
  EXPECT_EQ(kept.body<spool::Allocation>(0).bytes, 1U << 20U);
  EXPECT_EQ(kept.body<spool::Allocation>(0).pool_address, 0x99U);
  EXPECT_EQ(kept.body<spool::PoolEvent>(1).operation, 3U);
  EXPECT_EQ(kept.body<spool::PoolEvent>(1).size_bytes, 1U << 30U);
  EXPECT_EQ(kept.body<spool::PoolEvent>(1).used_bytes, 1U << 29U);
  EXPECT_EQ(kept.body<spool::PoolEvent>(1).device, 1U);
}

TEST(DecodeActivity, DevicesContextsStreamsAndOtherTools) {
  auto device = record_of<CUpti_ActivityDevice5>(CUPTI_ACTIVITY_KIND_DEVICE);
  device.id = 1;
  device.name = "NVIDIA H100 80GB HBM3";
  device.globalMemoryBandwidth = 3'352'320'000;  // kB/s
  device.globalMemorySize = 85'000'000'000;
  device.numMultiprocessors = 132;
  device.computeCapabilityMajor = 9;
  auto context = record_of<CUpti_ActivityContext3>(CUPTI_ACTIVITY_KIND_CONTEXT);
  context.contextId = 1;
  context.deviceId = 3;
  context.nullStreamId = 7;
  auto stream = record_of<CUpti_ActivityStream>(CUPTI_ACTIVITY_KIND_STREAM);
  stream.streamId = 13;
  stream.flag = CUPTI_ACTIVITY_STREAM_CREATE_FLAG_NON_BLOCKING;
  auto external = record_of<CUpti_ActivityExternalCorrelation>(CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION);
  external.externalId = 1'000'000'000'000;
  external.correlationId = 42;
  Kept kept;
  Buffer().add(device).add(context).add(stream).add(external).decode(kept);
  EXPECT_EQ(kept.names.at(0), "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(kept.body<spool::Gpu>(0).bandwidth_bytes_per_s, 3'352'320'000'000U);  // 3.35 TB/s
  EXPECT_EQ(kept.body<spool::Gpu>(0).n_multiprocessors, 132U);
  EXPECT_EQ(kept.body<spool::Gpu>(0).capability_major, 9U);
  EXPECT_EQ(kept.body<spool::Context>(1).device, 3U);
  EXPECT_EQ(kept.body<spool::Context>(1).null_stream, 7U);
  EXPECT_EQ(kept.body<spool::Stream>(2).stream, 13U);
  EXPECT_EQ(kept.body<spool::Stream>(2).flag, 2U);
  EXPECT_EQ(kept.body<spool::ExternalId>(3).id, 1'000'000'000'000U);
  EXPECT_EQ(kept.body<spool::ExternalId>(3).correlation, 42U);
}

TEST(DecodeActivity, Markers) {
  auto marker = record_of<CUpti_ActivityMarker2>(CUPTI_ACTIVITY_KIND_MARKER);
  marker.flags = CUPTI_ACTIVITY_FLAG_MARKER_START;
  marker.id = 17;
  marker.timestamp = 99;
  marker.name = "decode";
  marker.domain = "engine";
  marker.objectKind = CUPTI_ACTIVITY_OBJECT_THREAD;
  marker.objectId.pt.threadId = 8;
  auto data = record_of<CUpti_ActivityMarkerData2>(CUPTI_ACTIVITY_KIND_MARKER_DATA);
  data.id = 17;
  data.payload.metricValueUint64 = 4096;
  data.color = 0xff00ff00;
  data.category = 5;
  Kept kept;
  Buffer().add(marker).add(data).decode(kept);
  const auto read = kept.body<spool::Marker>(0);
  EXPECT_EQ(kept.names.at(read.name), "decode");
  EXPECT_EQ(kept.names.at(read.domain), "engine");
  EXPECT_EQ(read.flags, 2U);
  EXPECT_EQ(read.thread, 8U);
  EXPECT_EQ(read.at_ns, 99U);
  EXPECT_EQ(kept.body<spool::MarkerData>(1).id, 17U);
  EXPECT_EQ(kept.body<spool::MarkerData>(1).payload, 4096U);
  EXPECT_EQ(kept.body<spool::MarkerData>(1).color, 0xff00ff00U);
  EXPECT_EQ(kept.body<spool::MarkerData>(1).category, 5U);
}

TEST(DecodeActivity, KeepsTheOrderOfTheBuffer) {
  Kept kept;
  EXPECT_EQ(Buffer().add(kernel(300, "c")).add(kernel(100, "a")).add(kernel(200, "b")).decode(kept).n_records, 3U);
  EXPECT_EQ(kept.names, (std::vector<std::string>{"c", "a", "b"}));
}

TEST(DecodeActivity, CutRecordsAreCountedInBytes) {
  Buffer buffer;
  buffer.add(kernel(1, "whole")).add(kernel(2, "cut")).cut(8);
  Kept kept;
  const Decoded decoded = buffer.decode(kept);
  EXPECT_EQ(decoded.n_records, 1U);
  EXPECT_EQ(decoded.lost_bytes, sizeof(CUpti_ActivityKernel10) - 8);
  EXPECT_EQ(kept.names, (std::vector<std::string>{"whole"}));
}

TEST(DecodeActivity, KindsTheLibraryDoesNotKnowEndTheBuffer) {
  auto foreign = record_of<CUpti_ActivityAPI>(static_cast<CUpti_ActivityKind>(1000));
  Kept kept;
  const Decoded decoded = Buffer().add(kernel(1, "before")).add(foreign).add(kernel(2, "behind")).decode(kept);
  EXPECT_EQ(decoded.n_records, 1U);
  EXPECT_EQ(decoded.lost_bytes, sizeof(foreign) + sizeof(CUpti_ActivityKernel10));  // all behind the first
}

TEST(DecodeActivity, KindsTheLibraryKnowsAndWeDoNotAreCountedAndPassed) {
  auto name = record_of<CUpti_ActivityName>(CUPTI_ACTIVITY_KIND_NAME);
  Kept kept;
  const Decoded decoded = Buffer().add(name).add(kernel(2, "behind")).decode(kept);
  EXPECT_EQ(decoded.n_unknown, 1U);
  EXPECT_EQ(decoded.n_records, 1U);
  EXPECT_EQ(decoded.lost_bytes, 0U);
  EXPECT_EQ(kept.names.at(0), "behind");
}

TEST(DecodeActivity, NothingIsNothing) {
  Kept kept;
  EXPECT_EQ(decode_activity(nullptr, 0, kept).n_records, 0U);
  EXPECT_EQ(Buffer().decode(kept).lost_bytes, 0U);
}

// A newer library writes longer records; what it writes first is what older ones wrote. Held here for the last growth of
// each record: the fields that are read lie where they lay.
#define DACHLAST_SAME_PLACE(older, newer, field) static_assert(offsetof(older, field) == offsetof(newer, field))
DACHLAST_SAME_PLACE(CUpti_ActivityKernel9, CUpti_ActivityKernel10, start);
DACHLAST_SAME_PLACE(CUpti_ActivityKernel9, CUpti_ActivityKernel10, name);
DACHLAST_SAME_PLACE(CUpti_ActivityKernel9, CUpti_ActivityKernel10, graphNodeId);
DACHLAST_SAME_PLACE(CUpti_ActivityKernel9, CUpti_ActivityKernel10, clusterZ);
DACHLAST_SAME_PLACE(CUpti_ActivityMemcpy5, CUpti_ActivityMemcpy6, graphId);
DACHLAST_SAME_PLACE(CUpti_ActivityMemset3, CUpti_ActivityMemset4, graphId);
DACHLAST_SAME_PLACE(CUpti_ActivityMemory3, CUpti_ActivityMemory4, memoryPoolConfig);
DACHLAST_SAME_PLACE(CUpti_ActivityMemoryPool2, CUpti_ActivityMemoryPool3, utilizedSize);
DACHLAST_SAME_PLACE(CUpti_ActivityOverhead2, CUpti_ActivityOverhead3, end);
DACHLAST_SAME_PLACE(CUpti_ActivitySynchronization, CUpti_ActivitySynchronization2, streamId);
#undef DACHLAST_SAME_PLACE

}  // namespace
}  // namespace dachlast::cupti
