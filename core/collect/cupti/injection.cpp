// The library that the CUDA driver loads into a program (CUDA_INJECTION64_PATH): records what its GPUs do. It never prints,
// never throws, never changes errno, and destroys nothing at exit.

#include <cupti.h>
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>

#include "core/collect/cupti/activity_session.h"
#include "core/collect/cupti/counter_session.h"
#include "core/collect/cupti/plugin.h"
#include "core/collect/cupti/sampling_session.h"
#include "core/collect/nvtx/spool_writer.h"

namespace {

using dachlast::cupti::CounterSession;
using dachlast::cupti::Refusal;
using dachlast::cupti::SamplingSession;
using dachlast::cupti::SpoolSink;
using dachlast::spool::Writer;

constexpr int kStarted = 1;
constexpr int kRefused = 0;

// State of the process, never destroyed: CUPTI calls back until the very end.
Writer* g_writer = nullptr;
std::atomic<CounterSession*> g_counters{nullptr};   // null: a timeline is recorded
std::atomic<SamplingSession*> g_sampling{nullptr};  // null: nothing is sampled
std::mutex* g_counting = nullptr;                   // guards both and the file they write

void note(std::string_view text) {
  g_writer->text(dachlast::spool::Kind::kNote, 0, text);
}

/// CUPTI's calls crash where there is no driver, so it is looked for first; whoever loads us for real has it open.
bool has_driver() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver != nullptr) dlclose(driver);
  return driver != nullptr;
}

bool is_launch(CUpti_CallbackId id) {
  switch (id) {
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel:
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel_ptsz:
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx:
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx_ptsz:
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel:
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel_ptsz:
    case CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch:
    case CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch_ptsz: return true;
    default: return false;
  }
}

/// A timeline is recorded beside samples, with or without them.
void sample_on_launch(const CUpti_CallbackData& call) {
  if (call.callbackSite != CUPTI_API_ENTER || g_sampling == nullptr) return;
  const std::lock_guard lock(*g_counting);
  SamplingSession* sampling = g_sampling;
  if (sampling == nullptr) return;
  sampling->launch(call.context);
  if (sampling->refusal().empty()) return;
  note("no samples: " + sampling->refusal());
  g_sampling = nullptr;
}

/// Counters that are refused leave a timeline to be recorded, with the cause beside it.
void on_launch(const CUpti_CallbackData& call) {
  if (call.callbackSite != CUPTI_API_ENTER || g_counters == nullptr) return;
  const std::lock_guard lock(*g_counting);
  CounterSession* counters = g_counters;
  if (counters == nullptr) return;
  const char* name = call.symbolName != nullptr ? call.symbolName : "[CUDA graph]";
  if (counters->launch(call.context, name) == CounterSession::Outcome::kCounted) return;
  note("no counters: " + counters->refusal());
  g_counters = nullptr;
  if (const Refusal refusal = dachlast::cupti::start_activity(*g_writer)) note(refusal);
}

/// Buffers and counters of a context are taken while it still exists.
void on_context_end(CUcontext context) {
  if (g_counters == nullptr) {
    cuptiActivityFlushAll(0);
    return;
  }
  const std::lock_guard lock(*g_counting);
  if (CounterSession* counters = g_counters) counters->finish(context);
}

void CUPTIAPI on_callback(void*, CUpti_CallbackDomain domain, CUpti_CallbackId id, const void* data) {
  const int saved = errno;
  if (domain == CUPTI_CB_DOMAIN_DRIVER_API && is_launch(id)) {
    on_launch(*static_cast<const CUpti_CallbackData*>(data));
    sample_on_launch(*static_cast<const CUpti_CallbackData*>(data));
  } else if (domain == CUPTI_CB_DOMAIN_RESOURCE && id == CUPTI_CBID_RESOURCE_CONTEXT_DESTROY_STARTING)
    on_context_end(static_cast<const CUpti_ResourceData*>(data)->context);
  errno = saved;
}

void finish_counters() {
  const std::lock_guard lock(*g_counting);
  CounterSession* counters = g_counters.exchange(nullptr);
  if (counters == nullptr) return;
  counters->finish_all();
  if (!counters->refusal().empty()) note("counters ended early: " + counters->refusal());
}

void finish_sampling() {
  const std::lock_guard lock(*g_counting);
  SamplingSession* sampling = g_sampling.exchange(nullptr);
  if (sampling == nullptr) return;
  sampling->finish_all();
  if (!sampling->refusal().empty()) note("samples ended early: " + sampling->refusal());
  if (sampling->overflowed()) note("the buffer of samples was full for a time: some are missing");
}

/// The child of a fork has no usable context: what its parent counts is none of its business.
void forget_counters() {
  g_counters = nullptr;
  g_sampling = nullptr;
}

const char* metric_sets_folder() {
  const char* folder = std::getenv("DACHLAST_METRIC_SETS");
  return folder != nullptr ? folder : "";
}

Refusal start_sampling(CUpti_SubscriberHandle subscriber) {
  g_counting = new std::mutex;
  g_sampling = new SamplingSession(*new SpoolSink(*g_writer), metric_sets_folder());
  cuptiEnableDomain(1, subscriber, CUPTI_CB_DOMAIN_DRIVER_API);
  pthread_atfork(nullptr, nullptr, forget_counters);
  std::atexit(finish_sampling);
  return dachlast::cupti::start_activity(*g_writer);
}

void start_counters(CUpti_SubscriberHandle subscriber, const char* set) {
  g_counting = new std::mutex;
  g_counters = new CounterSession(*new SpoolSink(*g_writer), metric_sets_folder(), set);
  cuptiEnableDomain(1, subscriber, CUPTI_CB_DOMAIN_DRIVER_API);
  pthread_atfork(nullptr, nullptr, forget_counters);
  std::atexit(finish_counters);
}

Refusal subscribe_and_start() {
  CUpti_SubscriberHandle subscriber = nullptr;
  const CUptiResult result = cuptiSubscribe(&subscriber, on_callback, nullptr);
  if (result == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED) return "another profiler is at work in the program";
  if (result != CUPTI_SUCCESS) return "CUPTI does not start with this driver: it may be older than CUPTI asks for";
  cuptiEnableCallback(1, subscriber, CUPTI_CB_DOMAIN_RESOURCE, CUPTI_CBID_RESOURCE_CONTEXT_DESTROY_STARTING);
  const char* set = std::getenv("DACHLAST_ATTACH_COUNTERS");
  if (set == nullptr || *set == '\0') return dachlast::cupti::start_activity(*g_writer);
  if (set == dachlast::cupti::kSamplingSet) return start_sampling(subscriber);
  start_counters(subscriber, set);
  return nullptr;
}

int start_recording() {
  dachlast::spool::start();
  g_writer = Writer::of_gpus();
  if (g_writer == nullptr) return kRefused;
  const Refusal refusal = has_driver() ? subscribe_and_start() : "no CUDA driver is installed";
  if (refusal != nullptr) note(refusal);
  return refusal == nullptr ? kStarted : kRefused;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int InitializeInjection() {
  static bool is_done = false;  // the driver calls once, from one thread
  if (is_done) return kStarted;
  is_done = true;
  const int saved = errno;
  int result = kRefused;
  try {
    result = start_recording();
  } catch (...) {
    result = kRefused;  // no memory: the program goes on without a recording
  }
  errno = saved;
  return result;
}

__attribute__((visibility("default"))) unsigned dachlast_cupti_version() {
  std::uint32_t version = 0;
  return cuptiGetVersion(&version) == CUPTI_SUCCESS ? version : 0;
}
}
