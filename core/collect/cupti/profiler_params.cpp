#include "core/collect/cupti/profiler_params.h"

#include <cupti_activity.h>
#include <cupti_profiler_target.h>
#include <cupti_target.h>

namespace dachlast::cupti {

std::uint32_t device_of(CUctx_st* context) {
  std::uint32_t device = 0;
  require_cupti(cuptiGetDeviceId(context, &device), "device of the context");
  return device;
}

std::uint64_t cupti_now_ns() {
  std::uint64_t now_ns = 0;
  require_cupti(cuptiGetTimestamp(&now_ns), "clock");
  return now_ns;
}

std::string initialized_chip(CUctx_st* context) {
  auto start = params<CUpti_Profiler_Initialize_Params>(CUpti_Profiler_Initialize_Params_STRUCT_SIZE);
  require_cupti(cuptiProfilerInitialize(&start), "start of the profiler");
  auto asked = params<CUpti_Device_GetChipName_Params>(CUpti_Device_GetChipName_Params_STRUCT_SIZE);
  asked.deviceIndex = device_of(context);
  require_cupti(cuptiDeviceGetChipName(&asked), "name of the chip");
  return asked.pChipName;
}

}  // namespace dachlast::cupti
