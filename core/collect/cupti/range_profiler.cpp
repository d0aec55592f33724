#include "core/collect/cupti/range_profiler.h"

#include <cupti_profiler_target.h>
#include <cupti_range_profiler.h>

#include "core/collect/cupti/cupti_call.h"
#include "core/collect/cupti/profiler_params.h"

namespace dachlast::cupti {
namespace {

MetricSet set_of(const std::filesystem::path& folder, const std::string& chip, const std::string& name) {
  return find_metric_set(read_metric_sets(folder, chip), name);
}

}  // namespace

RangeProfiler::RangeProfiler(CUctx_st* context, const std::filesystem::path& folder, const std::string& set,
                             RangeMode mode, std::size_t most_ranges)
    : chip_(initialized_chip(context)),
      set_(set_of(folder, chip_, set)),
      names_(set_.names()),
      mode_(mode),
      most_ranges_(most_ranges) {
  host_ = std::make_unique<MetricHost>(chip_, ProfilerKind::kRange, availability(context));
  host_->add(names_);
  config_ = host_->config_image();
  auto asked = params<CUpti_RangeProfiler_Enable_Params>(CUpti_RangeProfiler_Enable_Params_STRUCT_SIZE);
  asked.ctx = context;
  require_cupti(cuptiRangeProfilerEnable(&asked), "counters of the context");
  profiler_ = asked.pRangeProfilerObject;
  make_counter_data();
  configure();
}

RangeProfiler::~RangeProfiler() {
  if (profiler_ == nullptr) return;
  auto asked = params<CUpti_RangeProfiler_Disable_Params>(CUpti_RangeProfiler_Disable_Params_STRUCT_SIZE);
  asked.pRangeProfilerObject = profiler_;
  cuptiRangeProfilerDisable(&asked);
}

std::vector<std::uint8_t> RangeProfiler::availability(CUctx_st* context) const {
  auto asked =
      params<CUpti_Profiler_GetCounterAvailability_Params>(CUpti_Profiler_GetCounterAvailability_Params_STRUCT_SIZE);
  asked.ctx = context;
  return availability_image(asked, cuptiProfilerGetCounterAvailability);
}

void RangeProfiler::make_counter_data() {
  auto size =
      params<CUpti_RangeProfiler_GetCounterDataSize_Params>(CUpti_RangeProfiler_GetCounterDataSize_Params_STRUCT_SIZE);
  size.pRangeProfilerObject = profiler_;
  size.maxNumOfRanges = most_ranges_;
  size.maxNumRangeTreeNodes = static_cast<std::uint32_t>(most_ranges_);
  auto initialize = params<CUpti_RangeProfiler_CounterDataImage_Initialize_Params>(
      CUpti_RangeProfiler_CounterDataImage_Initialize_Params_STRUCT_SIZE);
  initialize.pRangeProfilerObject = profiler_;
  counter_data_ = empty_counter_data(names_, size, cuptiRangeProfilerGetCounterDataSize, initialize,
                                     cuptiRangeProfilerCounterDataImageInitialize);
}

void RangeProfiler::configure() {
  auto asked = params<CUpti_RangeProfiler_SetConfig_Params>(CUpti_RangeProfiler_SetConfig_Params_STRUCT_SIZE);
  asked.pRangeProfilerObject = profiler_;
  asked.configSize = config_.size();
  asked.pConfig = config_.data();
  asked.counterDataImageSize = counter_data_.size();
  asked.pCounterDataImage = counter_data_.data();
  asked.range = mode_ == RangeMode::kEachKernel ? CUPTI_AutoRange : CUPTI_UserRange;
  asked.replayMode = mode_ == RangeMode::kEachKernel ? CUPTI_KernelReplay : CUPTI_UserReplay;
  asked.maxRangesPerPass = most_ranges_;
  asked.numNestingLevels = 1;
  asked.minNestingLevel = 1;
  asked.targetNestingLevel = 0;  // as the pass index: a session that resumes another one would set them
  require_cupti(cuptiRangeProfilerSetConfig(&asked), "set of counters");
}

void RangeProfiler::start() {
  auto asked = params<CUpti_RangeProfiler_Start_Params>(CUpti_RangeProfiler_Start_Params_STRUCT_SIZE);
  asked.pRangeProfilerObject = profiler_;
  require_cupti(cuptiRangeProfilerStart(&asked), "start of a pass");
}

void RangeProfiler::push(const std::string& name) {
  auto asked = params<CUpti_RangeProfiler_PushRange_Params>(CUpti_RangeProfiler_PushRange_Params_STRUCT_SIZE);
  asked.pRangeProfilerObject = profiler_;
  asked.pRangeName = name.c_str();
  require_cupti(cuptiRangeProfilerPushRange(&asked), "begin of a range");
}

void RangeProfiler::pop() {
  auto asked = params<CUpti_RangeProfiler_PopRange_Params>(CUpti_RangeProfiler_PopRange_Params_STRUCT_SIZE);
  asked.pRangeProfilerObject = profiler_;
  require_cupti(cuptiRangeProfilerPopRange(&asked), "end of a range");
}

RangeProfiler::Passes RangeProfiler::stop() {
  auto asked = params<CUpti_RangeProfiler_Stop_Params>(CUpti_RangeProfiler_Stop_Params_STRUCT_SIZE);
  asked.pRangeProfilerObject = profiler_;
  require_cupti(cuptiRangeProfilerStop(&asked), "end of a pass");
  return asked.isAllPassSubmitted != 0 ? Passes::kAllDone : Passes::kMoreToRun;
}

std::vector<RangeCounters> RangeProfiler::collect() {
  auto decode = params<CUpti_RangeProfiler_DecodeData_Params>(CUpti_RangeProfiler_DecodeData_Params_STRUCT_SIZE);
  decode.pRangeProfilerObject = profiler_;
  require_cupti(cuptiRangeProfilerDecodeData(&decode), "reading of counters");
  n_dropped_ += decode.numOfRangeDropped;
  auto info =
      params<CUpti_RangeProfiler_GetCounterDataInfo_Params>(CUpti_RangeProfiler_GetCounterDataInfo_Params_STRUCT_SIZE);
  info.pCounterDataImage = counter_data_.data();
  info.counterDataImageSize = counter_data_.size();
  require_cupti(cuptiRangeProfilerGetCounterDataInfo(&info), "number of ranges");
  std::vector<RangeCounters> ranges;
  for (std::size_t i = 0; i < info.numTotalRanges; ++i) {
    auto range = params<CUpti_RangeProfiler_CounterData_GetRangeInfo_Params>(
        CUpti_RangeProfiler_CounterData_GetRangeInfo_Params_STRUCT_SIZE);
    range.pCounterDataImage = counter_data_.data();
    range.counterDataImageSize = counter_data_.size();
    range.rangeIndex = i;
    range.rangeDelimiter = "/";
    require_cupti(cuptiRangeProfilerCounterDataGetRangeInfo(&range), "name of a range");
    ranges.push_back({range.rangeName != nullptr ? range.rangeName : "", host_->values(counter_data_, i, names_)});
  }
  make_counter_data();  // an image keeps its ranges: the next collection starts with an empty one
  configure();
  return ranges;
}

}  // namespace dachlast::cupti
