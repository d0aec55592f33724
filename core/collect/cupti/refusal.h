#pragma once

#include <string_view>

namespace dachlast::cupti {

/// Why CUPTI does not hand out counters, and what helps.
struct CounterRefusal {
  std::string_view reason;
  std::string_view way_out;
};

/// The refusal behind a result of CUPTI, as it numbers them.
/// Source   CUptiResult of cupti_result.h;
///          https://developer.nvidia.com/nvidia-development-tools-solutions-err_nvgpuctrperm-permission-issue-performance-counters
CounterRefusal counter_refusal(int cupti_result);

}  // namespace dachlast::cupti
