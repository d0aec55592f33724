#include "core/collect/cupti/refusal.h"

namespace dachlast::cupti {
namespace {

struct Row {
  int result;
  CounterRefusal refusal;
};

constexpr std::string_view kWithout = "Measure without counters: times are recorded all the same.";

constexpr Row kRows[] = {
    {35,
     {"GPU counters are restricted to administrators on this computer.",
      "Ask for NVreg_RestrictProfilingToAdminUsers=0 of the driver's kernel module, or measure without counters; "
      "inside a container, the computer around it decides."}},
    {40,
     {"this virtual GPU may not hand out counters.",
      "Ask for profiling to be allowed for the virtual machine, or measure without counters."}},
    {33, {"virtual GPUs of this kind have no counters.", kWithout}},
    {39, {"another profiler holds the GPU's counters.", "End it, or measure without counters."}},
    {26, {"another profiler holds the GPU's counters.", "End it, or measure without counters."}},
    {36, {"another interface of CUPTI holds the counters in this process.", kWithout}},
    {38, {"this GPU has none of the counters that CUPTI asks for.", kWithout}},
    {41, {"counters are not available under confidential computing.", kWithout}},
    {42, {"GPUs made for mining have no counters.", kWithout}},
    {43, {"counters are not available on this slice of a divided GPU (MIG).", kWithout}},
    {44, {"counters are not available on GPUs joined by SLI.", kWithout}},
    {45, {"counters are not available under the Windows Subsystem for Linux.", kWithout}},
    {46, {"CUPTI does not know this chip.", "Install a CUPTI as new as the GPU, or measure without counters."}},
    {27, {"this GPU does not offer what was asked of its counters.", kWithout}},
    {999, {"CUPTI does not start here: the driver may be older than it.", "Update the driver."}}};

}  // namespace

CounterRefusal counter_refusal(int cupti_result) {
  for (const Row& row : kRows)
    if (row.result == cupti_result) return row.refusal;
  return {"CUPTI refuses counters.", kWithout};
}

}  // namespace dachlast::cupti
