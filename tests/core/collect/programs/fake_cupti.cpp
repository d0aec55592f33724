// Stands in the place of libcupti.so.13 where there is no driver: takes the calls of a recording, and hands it the records
// that a program makes up, as CUPTI does: in buffers, from whatever thread flushes them.

#include "tests/core/collect/programs/fake_cupti.h"

#include "tests/core/collect/programs/fake_counters.h"

#include <cupti.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <ctime>
#include <mutex>

namespace {

std::mutex g_mutex;
CUpti_BuffersCallbackRequestFunc g_request = nullptr;
CUpti_BuffersCallbackCompleteFunc g_complete = nullptr;
std::uint8_t* g_buffer = nullptr;
std::size_t g_room_bytes = 0;
std::size_t g_used_bytes = 0;
std::size_t g_n_dropped = 0;
std::uint32_t g_correlation = 100;
std::atomic<int> g_n_delivered{0};
CUpti_CallbackFunc g_callback = nullptr;
bool g_sees_driver_calls = false;
bool g_records = false;

void deliver() {
  if (g_buffer == nullptr) return;
  g_complete(nullptr, 0, g_buffer, g_room_bytes, g_used_bytes);
  g_buffer = nullptr;
  ++g_n_delivered;
}

template <class Record>
void put(const Record& record) {
  if (g_buffer != nullptr && g_used_bytes + sizeof(record) > g_room_bytes) deliver();
  if (g_buffer == nullptr) {
    std::size_t most_records = 0;
    g_request(&g_buffer, &g_room_bytes, &most_records);
    g_used_bytes = 0;
  }
  if (g_buffer == nullptr || sizeof(record) > g_room_bytes) {
    ++g_n_dropped;
    return;
  }
  std::memcpy(g_buffer + g_used_bytes, &record, sizeof(record));
  g_used_bytes += sizeof(record);
}

std::uint64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

std::size_t size_of(CUpti_ActivityKind kind) {
  switch (kind) {
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: return sizeof(CUpti_ActivityKernel10);
    case CUPTI_ACTIVITY_KIND_MEMCPY: return sizeof(CUpti_ActivityMemcpy6);
    case CUPTI_ACTIVITY_KIND_RUNTIME: return sizeof(CUpti_ActivityAPI);
    case CUPTI_ACTIVITY_KIND_DEVICE: return sizeof(CUpti_ActivityDevice5);
    case CUPTI_ACTIVITY_KIND_MEMORY2: return sizeof(CUpti_ActivityMemory4);
    default: return 0;
  }
}

void put_call(std::uint64_t start_ns, std::uint32_t correlation) {
  CUpti_ActivityAPI call{};
  call.kind = CUPTI_ACTIVITY_KIND_RUNTIME;
  call.cbid = CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernel_v7000;
  call.start = start_ns;
  call.end = now_ns();
  call.processId = static_cast<std::uint32_t>(getpid());
  call.threadId = static_cast<std::uint32_t>(gettid());
  call.correlationId = correlation;
  put(call);
}

/// What a subscriber to the driver's calls sees of a launch.
void call_back(const char* kernel) {
  if (!g_sees_driver_calls) return;
  CUpti_CallbackData data{};
  data.callbackSite = CUPTI_API_ENTER;
  data.symbolName = kernel;
  data.context = reinterpret_cast<CUcontext>(&g_mutex);
  g_callback(nullptr, CUPTI_CB_DOMAIN_DRIVER_API, CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel, &data);
}

}  // namespace

extern "C" {

void fake_cupti_device() {
  const std::lock_guard lock(g_mutex);
  if (!g_records) return;
  CUpti_ActivityDevice5 device{};
  device.kind = CUPTI_ACTIVITY_KIND_DEVICE;
  device.name = "NVIDIA H100 80GB HBM3";
  device.globalMemorySize = 85'000'000'000;
  device.numMultiprocessors = 132;
  device.computeCapabilityMajor = 9;
  put(device);
  CUpti_ActivityMemory4 memory{};
  memory.kind = CUPTI_ACTIVITY_KIND_MEMORY2;
  memory.memoryOperationType = CUPTI_ACTIVITY_MEMORY_OPERATION_TYPE_ALLOCATION;
  memory.memoryKind = CUPTI_ACTIVITY_MEMORY_KIND_DEVICE;
  memory.bytes = 1 << 20;
  memory.address = 4096;
  put(memory);
}

void fake_cupti_launch(const char* kernel, std::uint64_t delay_ns, std::uint64_t length_ns) {
  call_back(kernel);
  fake_counters_launch();
  fake_counters_sample(2);
  const std::lock_guard lock(g_mutex);
  if (!g_records) return;
  const std::uint64_t start_ns = now_ns();
  CUpti_ActivityKernel10 work{};
  work.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
  work.start = start_ns + delay_ns;
  work.end = work.start + length_ns;
  work.name = kernel;
  work.gridX = 8;
  work.blockX = 128;
  work.correlationId = ++g_correlation;
  put(work);  // before its call: records come in no order
  put_call(start_ns, work.correlationId);
}

int fake_cupti_n_delivered() {
  return g_n_delivered;
}

CUptiResult CUPTIAPI cuptiEnableDomain(std::uint32_t, CUpti_SubscriberHandle, CUpti_CallbackDomain domain) {
  g_sees_driver_calls = g_sees_driver_calls || domain == CUPTI_CB_DOMAIN_DRIVER_API;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiSubscribe(CUpti_SubscriberHandle* handle, CUpti_CallbackFunc callback, void*) {
  *handle = nullptr;
  g_callback = callback;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiEnableCallback(std::uint32_t, CUpti_SubscriberHandle, CUpti_CallbackDomain,
                                         CUpti_CallbackId) {
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiSetThreadIdType(CUpti_ActivityThreadIdType) {
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiActivityRegisterCallbacks(CUpti_BuffersCallbackRequestFunc request,
                                                    CUpti_BuffersCallbackCompleteFunc complete) {
  g_request = request;
  g_complete = complete;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiActivityEnable(CUpti_ActivityKind kind) {
  g_records = true;
  return kind == CUPTI_ACTIVITY_KIND_MEMORY_POOL ? CUPTI_ERROR_NOT_COMPATIBLE : CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiActivityEnableRuntimeApi(CUpti_CallbackId, std::uint8_t) {
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiActivityEnableDriverApi(CUpti_CallbackId, std::uint8_t) {
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiActivityFlushAll(std::uint32_t) {
  const std::lock_guard lock(g_mutex);
  deliver();
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiActivityGetNumDroppedRecords(CUcontext, std::uint32_t, std::size_t* n_dropped) {
  *n_dropped = g_n_dropped;
  g_n_dropped = 0;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiActivityGetNextRecord(std::uint8_t* buffer, std::size_t valid_bytes,
                                                CUpti_Activity** record) {
  std::size_t at = 0;
  if (*record != nullptr)
    at = static_cast<std::size_t>(reinterpret_cast<std::uint8_t*>(*record) - buffer) + size_of((*record)->kind);
  if (at >= valid_bytes) return CUPTI_ERROR_MAX_LIMIT_REACHED;
  *record = reinterpret_cast<CUpti_Activity*>(buffer + at);
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiGetTimestamp(std::uint64_t* timestamp) {
  *timestamp = now_ns();
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiGetVersion(std::uint32_t* version) {
  *version = CUPTI_API_VERSION;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiGetResultString(CUptiResult, const char** text) {
  *text = "CUPTI_ERROR_NOT_COMPATIBLE";
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiGetCallbackName(CUpti_CallbackDomain, std::uint32_t, const char** name) {
  *name = "cudaLaunchKernel_v7000";
  return CUPTI_SUCCESS;
}
}
