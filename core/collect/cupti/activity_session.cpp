#include "core/collect/cupti/activity_session.h"

#include <cupti.h>
#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "core/collect/nvtx/spool_writer.h"

namespace dachlast::cupti {
namespace {

// A killed program loses what was not flushed: half a second, and as much again while a flush is under way.
constexpr std::int64_t kFlushPeriodNs = 500'000'000;

class Lock {
 public:
  explicit Lock(pthread_mutex_t& mutex) : mutex_(mutex) { pthread_mutex_lock(&mutex_); }
  ~Lock() { pthread_mutex_unlock(&mutex_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  pthread_mutex_t& mutex_;
};

/// All there is to a recording. One lives from the first call to the end of the process and is never destroyed: CUPTI
/// calls back until the very end.
class Session {
 public:
  explicit Session(spool::Writer& writer) : writer_(writer), sink_(writer) {}

  Refusal start();
  void request(std::uint8_t** buffer, std::size_t* bytes);
  void complete(CUcontext context, std::uint32_t stream, std::uint8_t* buffer, std::size_t valid_bytes);
  void finish();
  /// The child of a fork has neither the thread nor a usable CUDA context.
  void abandon() { is_abandoned_ = true; }

 private:
  void enable_kinds();
  void note(const char* what, CUptiResult why);
  void note_clocks();
  void note_loss(CUcontext context, std::uint32_t stream, const Decoded& decoded);
  void start_thread();
  void flush_now_and_then();
  static void* run_thread(void* session);

  spool::Writer& writer_;
  SpoolSink sink_;
  pthread_mutex_t writing_ = PTHREAD_MUTEX_INITIALIZER;   // guards writer_: callbacks come from several threads
  pthread_mutex_t handing_ = PTHREAD_MUTEX_INITIALIZER;   // guards free_ and the numbers of buffers
  pthread_mutex_t stopping_ = PTHREAD_MUTEX_INITIALIZER;  // guards is_stopped_
  pthread_cond_t stop_ = PTHREAD_COND_INITIALIZER;
  std::uint8_t* free_[kMostBuffers] = {};
  int n_free_ = 0;
  int n_buffers_ = 0;
  bool is_stopped_ = false;
  bool is_abandoned_ = false;
};

Session* g_session = nullptr;

const char* text_of(CUptiResult result) {
  const char* text = nullptr;
  return cuptiGetResultString(result, &text) == CUPTI_SUCCESS && text != nullptr ? text : "an unknown error";
}

void CUPTIAPI on_request(std::uint8_t** buffer, std::size_t* bytes, std::size_t* most_records) {
  *most_records = 0;  // as many as fit
  g_session->request(buffer, bytes);
}

void CUPTIAPI on_complete(CUcontext context, std::uint32_t stream, std::uint8_t* buffer, std::size_t,
                          std::size_t valid_bytes) {
  const int saved = errno;
  g_session->complete(context, stream, buffer, valid_bytes);
  errno = saved;
}

void at_exit() {
  g_session->finish();
}

void in_child() {
  g_session->abandon();
}

struct KindRow {
  CUpti_ActivityKind kind;
  const char* refused;
};

// NVTX ranges come from the program itself, without CUPTI's markers; KIND_KERNEL would run kernels one after the other.
constexpr KindRow kKinds[] = {{CUPTI_ACTIVITY_KIND_DEVICE, "CUPTI records no devices"},
                              {CUPTI_ACTIVITY_KIND_CONTEXT, "CUPTI records no contexts"},
                              {CUPTI_ACTIVITY_KIND_STREAM, "CUPTI records no streams"},
                              {CUPTI_ACTIVITY_KIND_MEMCPY, "CUPTI records no copies"},
                              {CUPTI_ACTIVITY_KIND_MEMCPY2, "CUPTI records no copies between GPUs"},
                              {CUPTI_ACTIVITY_KIND_MEMSET, "CUPTI records no fills"},
                              {CUPTI_ACTIVITY_KIND_RUNTIME, "CUPTI records no calls of the runtime"},
                              {CUPTI_ACTIVITY_KIND_DRIVER, "CUPTI records no calls of the driver"},
                              {CUPTI_ACTIVITY_KIND_SYNCHRONIZATION, "CUPTI records no waits"},
                              {CUPTI_ACTIVITY_KIND_OVERHEAD, "CUPTI records no overhead"},
                              {CUPTI_ACTIVITY_KIND_MEMORY2, "CUPTI records no allocations"},
                              {CUPTI_ACTIVITY_KIND_MEMORY_POOL, "CUPTI records no memory pools"}};

/// Calls that ask for nothing and come by the thousand: a record each would be most of the file.
void leave_out_idle_calls() {
  constexpr CUpti_CallbackId kRuntime[] = {
      CUPTI_RUNTIME_TRACE_CBID_cudaGetDevice_v3020,         CUPTI_RUNTIME_TRACE_CBID_cudaSetDevice_v3020,
      CUPTI_RUNTIME_TRACE_CBID_cudaGetLastError_v3020,      CUPTI_RUNTIME_TRACE_CBID_cudaPeekAtLastError_v3020,
      CUPTI_RUNTIME_TRACE_CBID_cudaEventQuery_v3020,        CUPTI_RUNTIME_TRACE_CBID_cudaStreamQuery_v3020,
      CUPTI_RUNTIME_TRACE_CBID_cudaGetDeviceCount_v3020,    CUPTI_RUNTIME_TRACE_CBID_cudaDeviceGetAttribute_v5000,
      CUPTI_RUNTIME_TRACE_CBID_cudaStreamIsCapturing_v10000};
  constexpr CUpti_CallbackId kDriver[] = {
      CUPTI_DRIVER_TRACE_CBID_cuCtxGetCurrent,         CUPTI_DRIVER_TRACE_CBID_cuCtxSetCurrent,
      CUPTI_DRIVER_TRACE_CBID_cuCtxGetDevice,          CUPTI_DRIVER_TRACE_CBID_cuDeviceGet,
      CUPTI_DRIVER_TRACE_CBID_cuDeviceGetAttribute,    CUPTI_DRIVER_TRACE_CBID_cuEventQuery,
      CUPTI_DRIVER_TRACE_CBID_cuPointerGetAttribute,   CUPTI_DRIVER_TRACE_CBID_cuGetProcAddress_v2,
      CUPTI_DRIVER_TRACE_CBID_cuStreamIsCapturing,     CUPTI_DRIVER_TRACE_CBID_cuKernelGetFunction,
      CUPTI_DRIVER_TRACE_CBID_cuDevicePrimaryCtxRetain};
  for (const CUpti_CallbackId id : kRuntime) cuptiActivityEnableRuntimeApi(id, 0);
  for (const CUpti_CallbackId id : kDriver) cuptiActivityEnableDriverApi(id, 0);
}

void Session::note(const char* what, CUptiResult why) {
  char text[256];
  const int n = std::snprintf(text, sizeof(text), "%s: %s", what, text_of(why));
  const Lock lock(writing_);
  writer_.text(spool::Kind::kNote, 0, {text, static_cast<std::size_t>(n) < sizeof(text) ? n : sizeof(text) - 1});
}

/// Both clocks at one moment: of some readings of CUPTI's between two of ours the one that took least. The first one runs
/// through cold code and may be microseconds off.
bool read_clocks(spool::ClockPair& pair) {
  constexpr int kReadings = 8;
  std::int64_t least_ns = INT64_MAX;
  for (int i = 0; i < kReadings; ++i) {
    std::uint64_t cupti_ns = 0;
    const std::int64_t before_ns = spool::monotonic_now_ns();
    if (cuptiGetTimestamp(&cupti_ns) != CUPTI_SUCCESS) return false;
    const std::int64_t taken_ns = spool::monotonic_now_ns() - before_ns;
    if (taken_ns >= least_ns) continue;
    least_ns = taken_ns;
    pair.cupti_ns = cupti_ns;
    pair.monotonic_ns = before_ns + taken_ns / 2;
  }
  return true;
}

void Session::note_clocks() {
  spool::ClockPair pair{};
  if (!read_clocks(pair)) return;
  const Lock lock(writing_);
  sink_.take(spool::with_head(pair, spool::Kind::kClockPair).record);
}

void Session::enable_kinds() {
  leave_out_idle_calls();
  for (const KindRow& row : kKinds)
    if (const CUptiResult result = cuptiActivityEnable(row.kind); result != CUPTI_SUCCESS) note(row.refused, result);
}

void* Session::run_thread(void* session) {
  static_cast<Session*>(session)->flush_now_and_then();
  return nullptr;
}

/// Signals belong to the program's own threads.
void Session::start_thread() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  if (pthread_create(&thread, nullptr, run_thread, this) == 0) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Session::flush_now_and_then() {
  for (;;) {
    timespec until{};
    clock_gettime(CLOCK_REALTIME, &until);
    const std::int64_t ns = until.tv_nsec + kFlushPeriodNs;
    until.tv_sec += ns / 1'000'000'000;
    until.tv_nsec = ns % 1'000'000'000;
    {
      const Lock lock(stopping_);
      if (!is_stopped_) pthread_cond_timedwait(&stop_, &stopping_, &until);
      if (is_stopped_) return;
    }
    note_clocks();
    cuptiActivityFlushAll(0);
  }
}

Refusal Session::start() {
  // Thread numbers as the system gives them, so that calls meet the ranges of their thread.
  if (cuptiSetThreadIdType(CUPTI_ACTIVITY_THREAD_ID_TYPE_SYSTEM) != CUPTI_SUCCESS)
    return "CUPTI does not number threads as the system does, so nothing could be assigned to ranges";
  if (cuptiActivityRegisterCallbacks(on_request, on_complete) != CUPTI_SUCCESS)
    return "CUPTI takes no buffers: another profiler may be at work in the program";
  if (cuptiActivityEnable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) != CUPTI_SUCCESS)
    return "CUPTI records no kernels: another profiler may be at work in the program";
  enable_kinds();
  note_clocks();
  start_thread();
  pthread_atfork(nullptr, nullptr, in_child);
  std::atexit(at_exit);
  return nullptr;
}

void Session::request(std::uint8_t** buffer, std::size_t* bytes) {
  const Lock lock(handing_);
  *buffer = nullptr;
  *bytes = 0;
  if (n_free_ > 0) {
    *buffer = free_[--n_free_];
  } else if (n_buffers_ < kMostBuffers) {
    *buffer = static_cast<std::uint8_t*>(std::aligned_alloc(ACTIVITY_RECORD_ALIGNMENT, kBufferBytes));
    if (*buffer != nullptr) ++n_buffers_;
  }
  if (*buffer != nullptr) *bytes = kBufferBytes;
}

void Session::note_loss(CUcontext context, std::uint32_t stream, const Decoded& decoded) {
  spool::Loss loss{};
  std::size_t n_dropped = 0;
  if (cuptiActivityGetNumDroppedRecords(context, stream, &n_dropped) == CUPTI_SUCCESS) loss.n_dropped = n_dropped;
  loss.n_unknown = decoded.n_unknown;
  loss.lost_bytes = decoded.lost_bytes;
  if (loss.n_dropped + loss.n_unknown + loss.lost_bytes == 0) return;
  sink_.take(spool::with_head(loss, spool::Kind::kLoss).record);
}

void Session::complete(CUcontext context, std::uint32_t stream, std::uint8_t* buffer, std::size_t valid_bytes) {
  if (!is_abandoned_) {
    const Lock lock(writing_);
    note_loss(context, stream, decode_activity(buffer, valid_bytes, sink_));
  }
  const Lock lock(handing_);
  if (buffer != nullptr && n_free_ < kMostBuffers) free_[n_free_++] = buffer;
}

void Session::finish() {
  if (is_abandoned_) return;
  {
    const Lock lock(stopping_);
    is_stopped_ = true;
    pthread_cond_signal(&stop_);
  }
  note_clocks();
  cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
}

}  // namespace

Refusal start_activity(spool::Writer& writer) {
  g_session = new Session(writer);
  return g_session->start();
}

}  // namespace dachlast::cupti
