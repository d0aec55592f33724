#include "core/collect/cupti/pm_sampler.h"

#include <cupti_pmsampling.h>
#include <cupti_profiler_target.h>

#include "core/base/error.h"
#include "core/collect/cupti/cupti_call.h"
#include "core/collect/cupti/profiler_params.h"
namespace dachlast::cupti {
namespace {

/// SYSCLK of the chips that have no other trigger runs at 1 to 1.5 GHz; the length of a sample is read from its own times.
constexpr std::uint64_t kClocksPerMicrosecond = 1000;

MetricSet sampled_set(const std::filesystem::path& folder, const std::string& chip) {
  MetricSet set = find_metric_set(read_metric_sets(folder, chip), kSamplingSet);
  if (set.n_passes != 1)
    throw Error(ErrorKind::kDevice, chip, "its counters take more than one pass, which sampling has not.",
                "Measure them with another set.");
  return set;
}

}  // namespace

SampleTrigger sample_trigger(const std::string& chip) {
  return chip.starts_with("TU") || chip == "GA100" ? SampleTrigger::kClock : SampleTrigger::kTime;
}

PmSampler::PmSampler(CUctx_st* context, const std::filesystem::path& folder)
    : chip_(initialized_chip(context)),
      device_(device_of(context)),
      set_(sampled_set(folder, chip_)),
      names_(set_.names()) {
  host_ = std::make_unique<MetricHost>(chip_, ProfilerKind::kSampling, availability());
  host_->add(names_);
  config_ = host_->config_image();
  auto asked = params<CUpti_PmSampling_Enable_Params>(CUpti_PmSampling_Enable_Params_STRUCT_SIZE);
  asked.deviceIndex = device_;
  require_cupti(cuptiPmSamplingEnable(&asked), "counters of the GPU");
  sampler_ = asked.pPmSamplingObject;
  try {
    configure();
    make_counter_data();
    auto start = params<CUpti_PmSampling_Start_Params>(CUpti_PmSampling_Start_Params_STRUCT_SIZE);
    start.pPmSamplingObject = sampler_;
    started_after_ns_ = cupti_now_ns();
    require_cupti(cuptiPmSamplingStart(&start), "start of sampling");
  } catch (...) {
    auto disable = params<CUpti_PmSampling_Disable_Params>(CUpti_PmSampling_Disable_Params_STRUCT_SIZE);
    disable.pPmSamplingObject = sampler_;
    cuptiPmSamplingDisable(&disable);
    throw;
  }
  running_ = true;
}

PmSampler::~PmSampler() {
  if (running_) {
    auto asked = params<CUpti_PmSampling_Stop_Params>(CUpti_PmSampling_Stop_Params_STRUCT_SIZE);
    asked.pPmSamplingObject = sampler_;
    cuptiPmSamplingStop(&asked);
  }
  auto asked = params<CUpti_PmSampling_Disable_Params>(CUpti_PmSampling_Disable_Params_STRUCT_SIZE);
  asked.pPmSamplingObject = sampler_;
  cuptiPmSamplingDisable(&asked);
}

std::vector<std::uint8_t> PmSampler::availability() const {
  auto asked = params<CUpti_PmSampling_GetCounterAvailability_Params>(
      CUpti_PmSampling_GetCounterAvailability_Params_STRUCT_SIZE);
  asked.deviceIndex = device_;
  return availability_image(asked, cuptiPmSamplingGetCounterAvailability);
}

void PmSampler::configure() {
  auto asked = params<CUpti_PmSampling_SetConfig_Params>(CUpti_PmSampling_SetConfig_Params_STRUCT_SIZE);
  asked.pPmSamplingObject = sampler_;
  asked.configSize = config_.size();
  asked.pConfig = config_.data();
  asked.hardwareBufferSize = kBufferBytes;
  const bool by_time = sample_trigger(chip_) == SampleTrigger::kTime;
  asked.triggerMode =
      by_time ? CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_TIME_INTERVAL : CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_SYSCLK_INTERVAL;
  const auto microseconds = static_cast<std::uint64_t>(kInterval.count());
  asked.samplingInterval = microseconds * (by_time ? 1000 : kClocksPerMicrosecond);
  asked.hwBufferAppendMode = CUPTI_PM_SAMPLING_HARDWARE_BUFFER_APPEND_MODE_KEEP_OLDEST;  // which says what it lost
  require_cupti(cuptiPmSamplingSetConfig(&asked), "set of counters");
}

void PmSampler::make_counter_data() {
  auto size =
      params<CUpti_PmSampling_GetCounterDataSize_Params>(CUpti_PmSampling_GetCounterDataSize_Params_STRUCT_SIZE);
  size.pPmSamplingObject = sampler_;
  size.maxSamples = kMostSamples;
  auto initialize = params<CUpti_PmSampling_CounterDataImage_Initialize_Params>(
      CUpti_PmSampling_CounterDataImage_Initialize_Params_STRUCT_SIZE);
  initialize.pPmSamplingObject = sampler_;
  counter_data_ = empty_counter_data(names_, size, cuptiPmSamplingGetCounterDataSize, initialize,
                                     cuptiPmSamplingCounterDataImageInitialize);
}

void PmSampler::stop() {
  if (!running_) return;
  running_ = false;
  auto asked = params<CUpti_PmSampling_Stop_Params>(CUpti_PmSampling_Stop_Params_STRUCT_SIZE);
  asked.pPmSamplingObject = sampler_;
  require_cupti(cuptiPmSamplingStop(&asked), "end of sampling");
}

/// Empties the image once; false: the GPU's buffer holds nothing more.
bool PmSampler::decode(std::vector<PmSample>& samples) {
  auto decoded = params<CUpti_PmSampling_DecodeData_Params>(CUpti_PmSampling_DecodeData_Params_STRUCT_SIZE);
  decoded.pPmSamplingObject = sampler_;
  decoded.pCounterDataImage = counter_data_.data();
  decoded.counterDataImageSize = counter_data_.size();
  require_cupti(cuptiPmSamplingDecodeData(&decoded), "reading of samples");
  read_by_ns_ = cupti_now_ns();
  overflowed_ = overflowed_ || decoded.overflow != 0;
  auto info =
      params<CUpti_PmSampling_GetCounterDataInfo_Params>(CUpti_PmSampling_GetCounterDataInfo_Params_STRUCT_SIZE);
  info.pCounterDataImage = counter_data_.data();
  info.counterDataImageSize = counter_data_.size();
  require_cupti(cuptiPmSamplingGetCounterDataInfo(&info), "number of samples");
  for (std::size_t i = 0; i < info.numCompletedSamples; ++i) {
    auto sample = params<CUpti_PmSampling_CounterData_GetSampleInfo_Params>(
        CUpti_PmSampling_CounterData_GetSampleInfo_Params_STRUCT_SIZE);
    sample.pPmSamplingObject = sampler_;
    sample.pCounterDataImage = counter_data_.data();
    sample.counterDataImageSize = counter_data_.size();
    sample.sampleIndex = i;
    require_cupti(cuptiPmSamplingCounterDataGetSampleInfo(&sample), "times of a sample");
    if (sample.endTimestamp > sample.startTimestamp)  // others have no length to hold their bytes against
      samples.push_back({sample.startTimestamp, sample.endTimestamp, host_->values(counter_data_, i, names_)});
  }
  make_counter_data();  // an image keeps its samples: the next decoding starts with an empty one
  return decoded.decodeStopReason == CUPTI_PM_SAMPLING_DECODE_STOP_REASON_COUNTER_DATA_FULL;
}

std::vector<PmSample> PmSampler::drain() {
  // A buffer of 64 MiB holds fewer than a million samples; a CUPTI that never comes to its end must not hold the program.
  constexpr int kMostTurns = 1 << 20 >> 12;
  std::vector<PmSample> samples;
  for (int turn = 0; turn < kMostTurns && decode(samples); ++turn) continue;
  return samples;
}

}  // namespace dachlast::cupti
