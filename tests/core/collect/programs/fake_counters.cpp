// Stands in the place of CUPTI's counters where there is no GPU. It holds callers to the order of calls that the manual
// gives, and makes every value tell its range and metric: 1000 · range + metric.

#include "tests/core/collect/programs/fake_counters.h"

#include <cupti.h>
#include <cupti_pmsampling.h>
#include <cupti_profiler_host.h>
#include <cupti_profiler_target.h>
#include <cupti_range_profiler.h>
#include <cupti_target.h>

#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

namespace {

enum class State { kOff, kEnabled, kConfigured, kRunning, kStopped };

State g_state = State::kOff;
int g_passes_left = 0;
int g_n_passes = 1;
std::size_t g_n_launched = 0;
std::size_t g_most_ranges = 0;
std::size_t g_n_ranges = 0;
CUpti_ProfilerRange g_mode = CUPTI_Range_INVALID;
bool g_in_range = false;
std::vector<std::string> g_names;

CUptiResult allowed_if(bool condition) {
  return condition ? CUPTI_SUCCESS : CUPTI_ERROR_INVALID_OPERATION;
}

// Sampling: so many samples wait in the GPU's buffer, and so many of them lie in the image.
bool g_sampler_enabled = false;
bool g_sampler_configured = false;
bool g_sampling = false;
std::uint64_t g_n_waiting = 0;
std::uint64_t g_n_sampled = 0;  // before those in the image
std::uint64_t g_n_in_image = 0;
std::uint32_t g_most_samples = 0;
bool g_image_is_empty = false;
bool g_overflow = false;

// With FAKE_CUPTI_SAMPLES_BY_TIME the GPU samples while the program runs, by a clock of its own.
constexpr std::uint64_t kSampleNs = 100'000;
constexpr std::uint64_t kClockAheadNs = 77'000'000'000;
std::uint64_t g_sampling_since_ns = 0;
std::uint64_t g_sampled_for_ns = 0;  // once it has stopped

bool samples_by_time() {
  return std::getenv("FAKE_CUPTI_SAMPLES_BY_TIME") != nullptr;
}

std::uint64_t monotonic_now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t sampled_for_ns() {
  return g_sampling ? monotonic_now_ns() - g_sampling_since_ns : g_sampled_for_ns;
}

template <class Handle>
Handle* handle() {
  static int object = 0;
  return reinterpret_cast<Handle*>(&object);
}

}  // namespace

extern "C" {

void fake_counters_launch() {
  if (g_state == State::kRunning) ++g_n_launched;
}
void fake_counters_passes(int n) {
  g_n_passes = n;
}
void fake_counters_sample(int n) {
  if (g_sampling && !samples_by_time()) g_n_waiting += static_cast<std::uint64_t>(n);
}
void fake_counters_overflow() {
  g_overflow = true;
}
int fake_counters_sampling() {
  return g_sampler_enabled ? 1 : 0;
}
int fake_counters_state() {
  return static_cast<int>(g_state);
}

CUptiResult CUPTIAPI cuptiProfilerInitialize(CUpti_Profiler_Initialize_Params*) {
  const char* refused = std::getenv("FAKE_CUPTI_REFUSES");
  return refused == nullptr ? CUPTI_SUCCESS : static_cast<CUptiResult>(std::atoi(refused));
}
CUptiResult CUPTIAPI cuptiGetDeviceId(CUcontext, std::uint32_t* device) {
  *device = 0;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiDeviceGetChipName(CUpti_Device_GetChipName_Params* asked) {
  asked->pChipName = "GH100";
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiProfilerGetCounterAvailability(CUpti_Profiler_GetCounterAvailability_Params* asked) {
  if (asked->pCounterAvailabilityImage == nullptr) asked->counterAvailabilityImageSize = 16;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiProfilerHostInitialize(CUpti_Profiler_Host_Initialize_Params* asked) {
  asked->pHostObject = handle<CUpti_Profiler_Host_Object>();
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiProfilerHostDeinitialize(CUpti_Profiler_Host_Deinitialize_Params*) {
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiProfilerHostGetSupportedChips(CUpti_Profiler_Host_GetSupportedChips_Params*) {
  return CUPTI_ERROR_NOT_SUPPORTED;
}
CUptiResult CUPTIAPI cuptiProfilerHostGetBaseMetrics(CUpti_Profiler_Host_GetBaseMetrics_Params*) {
  return CUPTI_ERROR_NOT_SUPPORTED;
}
CUptiResult CUPTIAPI cuptiProfilerHostGetMetricProperties(CUpti_Profiler_Host_GetMetricProperties_Params*) {
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiProfilerHostConfigAddMetrics(CUpti_Profiler_Host_ConfigAddMetrics_Params*) {
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiProfilerHostGetConfigImageSize(CUpti_Profiler_Host_GetConfigImageSize_Params* asked) {
  asked->configImageSize = 8;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiProfilerHostGetConfigImage(CUpti_Profiler_Host_GetConfigImage_Params*) {
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiProfilerHostGetNumOfPasses(CUpti_Profiler_Host_GetNumOfPasses_Params* asked) {
  asked->numOfPasses = static_cast<std::size_t>(g_n_passes);
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiProfilerHostEvaluateToGpuValues(CUpti_Profiler_Host_EvaluateToGpuValues_Params* asked) {
  for (std::size_t i = 0; i < asked->numMetrics; ++i)
    asked->pMetricValues[i] = static_cast<double>(1000 * asked->rangeIndex + i);
  return CUPTI_SUCCESS;
}

CUptiResult CUPTIAPI cuptiRangeProfilerEnable(CUpti_RangeProfiler_Enable_Params* asked) {
  asked->pRangeProfilerObject = handle<CUpti_RangeProfiler_Object>();
  const CUptiResult result = allowed_if(g_state == State::kOff);
  g_state = State::kEnabled;
  return result;
}
CUptiResult CUPTIAPI cuptiRangeProfilerDisable(CUpti_RangeProfiler_Disable_Params*) {
  g_state = State::kOff;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiRangeProfilerGetCounterDataSize(CUpti_RangeProfiler_GetCounterDataSize_Params* asked) {
  asked->counterDataSize = 64;
  return allowed_if(asked->maxNumRangeTreeNodes >= asked->maxNumOfRanges);
}
CUptiResult CUPTIAPI
cuptiRangeProfilerCounterDataImageInitialize(CUpti_RangeProfiler_CounterDataImage_Initialize_Params*) {
  g_n_ranges = 0;
  g_names.clear();
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiRangeProfilerSetConfig(CUpti_RangeProfiler_SetConfig_Params* asked) {
  const bool fits = (asked->range == CUPTI_AutoRange) == (asked->replayMode == CUPTI_KernelReplay);
  const bool is_time = g_state == State::kEnabled || g_state == State::kStopped;
  g_mode = asked->range;
  g_most_ranges = asked->maxRangesPerPass;
  g_passes_left = g_mode == CUPTI_AutoRange ? 1 : g_n_passes;
  g_state = State::kConfigured;
  return allowed_if(fits && is_time && asked->numNestingLevels == 1);
}
CUptiResult CUPTIAPI cuptiRangeProfilerStart(CUpti_RangeProfiler_Start_Params*) {
  const CUptiResult result = allowed_if(g_state == State::kConfigured || g_state == State::kStopped);
  g_state = State::kRunning;
  g_n_launched = 0;
  return result;
}
CUptiResult CUPTIAPI cuptiRangeProfilerPushRange(CUpti_RangeProfiler_PushRange_Params* asked) {
  const CUptiResult result = allowed_if(g_state == State::kRunning && g_mode == CUPTI_UserRange && !g_in_range);
  if (result != CUPTI_SUCCESS) return result;
  g_in_range = true;
  if (g_passes_left == g_n_passes) g_names.emplace_back(asked->pRangeName);
  return result;
}
CUptiResult CUPTIAPI cuptiRangeProfilerPopRange(CUpti_RangeProfiler_PopRange_Params*) {
  const CUptiResult result = allowed_if(g_in_range);
  g_in_range = false;
  return result;
}
CUptiResult CUPTIAPI cuptiRangeProfilerStop(CUpti_RangeProfiler_Stop_Params* asked) {
  const CUptiResult result = allowed_if(g_state == State::kRunning && !g_in_range);
  g_state = State::kStopped;
  asked->isAllPassSubmitted = --g_passes_left == 0 ? 1 : 0;
  return result;
}
CUptiResult CUPTIAPI cuptiRangeProfilerDecodeData(CUpti_RangeProfiler_DecodeData_Params* asked) {
  const std::size_t n = g_mode == CUPTI_AutoRange ? g_n_launched : g_names.size();
  g_n_ranges = n < g_most_ranges ? n : g_most_ranges;
  asked->numOfRangeDropped = n - g_n_ranges;
  return allowed_if(g_state == State::kStopped && g_passes_left == 0);
}
CUptiResult CUPTIAPI cuptiRangeProfilerGetCounterDataInfo(CUpti_RangeProfiler_GetCounterDataInfo_Params* asked) {
  asked->numTotalRanges = g_n_ranges;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI
cuptiRangeProfilerCounterDataGetRangeInfo(CUpti_RangeProfiler_CounterData_GetRangeInfo_Params* asked) {
  static std::string name;
  name = asked->rangeIndex < g_names.size() ? g_names[asked->rangeIndex] : std::to_string(asked->rangeIndex);
  asked->rangeName = name.c_str();
  return CUPTI_SUCCESS;
}

CUptiResult CUPTIAPI cuptiPmSamplingGetCounterAvailability(CUpti_PmSampling_GetCounterAvailability_Params* asked) {
  if (asked->pCounterAvailabilityImage == nullptr) asked->counterAvailabilityImageSize = 16;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiPmSamplingEnable(CUpti_PmSampling_Enable_Params* asked) {
  asked->pPmSamplingObject = handle<CUpti_PmSampling_Object>();
  const CUptiResult result = allowed_if(!g_sampler_enabled);
  g_sampler_enabled = true;
  g_n_waiting = g_n_sampled = g_n_in_image = 0;
  return result;
}
CUptiResult CUPTIAPI cuptiPmSamplingDisable(CUpti_PmSampling_Disable_Params*) {
  const CUptiResult result = allowed_if(g_sampler_enabled && !g_sampling);
  g_sampler_enabled = g_sampler_configured = false;
  return result;
}
CUptiResult CUPTIAPI cuptiPmSamplingSetConfig(CUpti_PmSampling_SetConfig_Params* asked) {
  // GH100 has the trigger by time; 100 µs of it.
  g_sampler_configured = g_sampler_enabled && !g_sampling && asked->hardwareBufferSize > 0 &&
                         asked->triggerMode == CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_TIME_INTERVAL &&
                         asked->samplingInterval == 100000;
  return allowed_if(g_sampler_configured);
}
CUptiResult CUPTIAPI cuptiPmSamplingGetCounterDataSize(CUpti_PmSampling_GetCounterDataSize_Params* asked) {
  asked->counterDataSize = 64;
  g_most_samples = asked->maxSamples;
  return allowed_if(g_sampler_configured && asked->numMetrics > 0);
}
CUptiResult CUPTIAPI cuptiPmSamplingCounterDataImageInitialize(CUpti_PmSampling_CounterDataImage_Initialize_Params*) {
  g_n_sampled += g_n_in_image;
  g_n_in_image = 0;
  g_image_is_empty = true;
  return allowed_if(g_sampler_configured);
}
CUptiResult CUPTIAPI cuptiPmSamplingStart(CUpti_PmSampling_Start_Params*) {
  const char* refused = std::getenv("FAKE_CUPTI_REFUSES_SAMPLES");
  if (refused != nullptr) return static_cast<CUptiResult>(std::atoi(refused));
  const CUptiResult result = allowed_if(g_sampler_configured && !g_sampling);
  g_sampling = true;
  g_sampling_since_ns = monotonic_now_ns();
  return result;
}
CUptiResult CUPTIAPI cuptiPmSamplingStop(CUpti_PmSampling_Stop_Params*) {
  const CUptiResult result = allowed_if(g_sampling);
  g_sampled_for_ns = sampled_for_ns();
  g_sampling = false;
  return result;
}
CUptiResult CUPTIAPI cuptiPmSamplingDecodeData(CUpti_PmSampling_DecodeData_Params* asked) {
  const CUptiResult result = allowed_if(g_image_is_empty);
  if (samples_by_time()) g_n_waiting = sampled_for_ns() / kSampleNs - g_n_sampled;
  g_n_in_image = g_n_waiting < g_most_samples ? g_n_waiting : g_most_samples;
  g_n_waiting -= g_n_in_image;
  g_image_is_empty = false;
  asked->overflow = g_overflow ? 1 : 0;
  g_overflow = false;
  asked->decodeStopReason = g_n_waiting > 0 ? CUPTI_PM_SAMPLING_DECODE_STOP_REASON_COUNTER_DATA_FULL
                                            : CUPTI_PM_SAMPLING_DECODE_STOP_REASON_END_OF_RECORDS;
  return result;
}
CUptiResult CUPTIAPI cuptiPmSamplingGetCounterDataInfo(CUpti_PmSampling_GetCounterDataInfo_Params* asked) {
  asked->numTotalSamples = g_most_samples;
  asked->numPopulatedSamples = g_n_in_image;
  asked->numCompletedSamples = g_n_in_image;
  return CUPTI_SUCCESS;
}
/// Samples follow each other; every tenth has no length, unless they come by time.
CUptiResult CUPTIAPI cuptiPmSamplingCounterDataGetSampleInfo(CUpti_PmSampling_CounterData_GetSampleInfo_Params* asked) {
  const std::uint64_t number = g_n_sampled + asked->sampleIndex;
  const std::uint64_t ahead_ns = samples_by_time() ? kClockAheadNs : 0;
  const bool has_length = samples_by_time() || number % 10 != 9;
  asked->startTimestamp = ahead_ns + number * kSampleNs;
  asked->endTimestamp = asked->startTimestamp + (has_length ? kSampleNs : 0);
  return allowed_if(asked->sampleIndex < g_n_in_image);
}
}
