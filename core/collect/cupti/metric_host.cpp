#include "core/collect/cupti/metric_host.h"

#include <cupti_profiler_host.h>
#include <cupti_target.h>
#include <fmt/core.h>

#include "core/base/error.h"
#include "core/collect/cupti/cupti_call.h"
#include "core/collect/cupti/profiler_params.h"

namespace dachlast::cupti {
namespace {

/// CUPTI refuses a list as a whole and does not say for whose sake.
std::string refused_metric(CUpti_Profiler_Host_Object* host, std::span<const std::string> metrics) {
  for (const std::string& metric : metrics) {
    auto asked = params<CUpti_Profiler_Host_GetMetricProperties_Params>(
        CUpti_Profiler_Host_GetMetricProperties_Params_STRUCT_SIZE);
    asked.pHostObject = host;
    asked.pMetricName = metric.c_str();
    if (cuptiProfilerHostGetMetricProperties(&asked) != CUPTI_SUCCESS) return metric;
  }
  return "the list as a whole";
}

}  // namespace

std::vector<std::string> known_chips() {
  auto asked =
      params<CUpti_Profiler_Host_GetSupportedChips_Params>(CUpti_Profiler_Host_GetSupportedChips_Params_STRUCT_SIZE);
  require_cupti(cuptiProfilerHostGetSupportedChips(&asked), "list of chips");
  return {asked.ppChipNames, asked.ppChipNames + asked.numChips};
}

MetricHost::MetricHost(const std::string& chip, ProfilerKind kind, std::span<const std::uint8_t> availability) {
  auto asked = params<CUpti_Profiler_Host_Initialize_Params>(CUpti_Profiler_Host_Initialize_Params_STRUCT_SIZE);
  asked.profilerType =
      kind == ProfilerKind::kRange ? CUPTI_PROFILER_TYPE_RANGE_PROFILER : CUPTI_PROFILER_TYPE_PM_SAMPLING;
  asked.pChipName = chip.c_str();
  asked.pCounterAvailabilityImage = availability.empty() ? nullptr : availability.data();
  require_cupti(cuptiProfilerHostInitialize(&asked), "metrics of " + chip);
  host_ = asked.pHostObject;
}

MetricHost::~MetricHost() {
  auto asked = params<CUpti_Profiler_Host_Deinitialize_Params>(CUpti_Profiler_Host_Deinitialize_Params_STRUCT_SIZE);
  asked.pHostObject = host_;
  cuptiProfilerHostDeinitialize(&asked);
}

std::vector<std::string> MetricHost::counters() const {
  auto asked = params<CUpti_Profiler_Host_GetBaseMetrics_Params>(CUpti_Profiler_Host_GetBaseMetrics_Params_STRUCT_SIZE);
  asked.pHostObject = host_;
  asked.metricType = CUPTI_METRIC_TYPE_COUNTER;
  require_cupti(cuptiProfilerHostGetBaseMetrics(&asked), "list of counters");
  return {asked.ppMetricNames, asked.ppMetricNames + asked.numMetrics};
}

void MetricHost::add(std::span<const std::string> metrics) {
  std::vector<const char*> names = pointers(metrics);
  auto asked =
      params<CUpti_Profiler_Host_ConfigAddMetrics_Params>(CUpti_Profiler_Host_ConfigAddMetrics_Params_STRUCT_SIZE);
  asked.pHostObject = host_;
  asked.ppMetricNames = names.data();
  asked.numMetrics = names.size();
  if (cuptiProfilerHostConfigAddMetrics(&asked) != CUPTI_SUCCESS)
    throw Error(ErrorKind::kDevice, refused_metric(host_, metrics), "is no metric of this chip.",
                "Name it with its rollup, such as '.sum'.");
}

std::vector<std::uint8_t> MetricHost::config_image() const {
  auto size =
      params<CUpti_Profiler_Host_GetConfigImageSize_Params>(CUpti_Profiler_Host_GetConfigImageSize_Params_STRUCT_SIZE);
  size.pHostObject = host_;
  require_cupti(cuptiProfilerHostGetConfigImageSize(&size), "size of the configuration");
  std::vector<std::uint8_t> image(size.configImageSize);
  auto asked = params<CUpti_Profiler_Host_GetConfigImage_Params>(CUpti_Profiler_Host_GetConfigImage_Params_STRUCT_SIZE);
  asked.pHostObject = host_;
  asked.configImageSize = image.size();
  asked.pConfigImage = image.data();
  require_cupti(cuptiProfilerHostGetConfigImage(&asked), "configuration");
  return image;
}

int MetricHost::n_passes(std::span<const std::uint8_t> config_image) const {
  auto asked = params<CUpti_Profiler_Host_GetNumOfPasses_Params>(CUpti_Profiler_Host_GetNumOfPasses_Params_STRUCT_SIZE);
  asked.configImageSize = config_image.size();
  asked.pConfigImage = const_cast<std::uint8_t*>(config_image.data());  // read only, as the manual says
  require_cupti(cuptiProfilerHostGetNumOfPasses(&asked), "number of passes");
  return static_cast<int>(asked.numOfPasses);
}

std::vector<double> MetricHost::values(std::span<const std::uint8_t> counter_data, std::size_t range,
                                       std::span<const std::string> metrics) const {
  std::vector<const char*> names = pointers(metrics);
  std::vector<double> values(metrics.size(), 0.0);
  auto asked = params<CUpti_Profiler_Host_EvaluateToGpuValues_Params>(
      CUpti_Profiler_Host_EvaluateToGpuValues_Params_STRUCT_SIZE);
  asked.pHostObject = host_;
  asked.pCounterDataImage = counter_data.data();
  asked.counterDataImageSize = counter_data.size();
  asked.rangeIndex = range;
  asked.ppMetricNames = names.data();
  asked.numMetrics = names.size();
  asked.pMetricValues = values.data();
  require_cupti(cuptiProfilerHostEvaluateToGpuValues(&asked), "values");
  return values;
}

}  // namespace dachlast::cupti
