#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/collect/cupti/cupti_call.h"

struct CUctx_st;

/// What the calls of CUPTI's profilers have in common.
namespace dachlast::cupti {

/// CUPTI's parameters know their own size, by which it tells their version.
template <class Params>
Params params(std::size_t size) {
  Params made{};
  made.structSize = size;
  return made;
}

/// What a GPU says of its counters: asked for its size first, then for itself.
template <class Params, class Call>
std::vector<std::uint8_t> availability_image(Params asked, const Call& call) {
  require_cupti(call(&asked), "size of the list of counters");
  std::vector<std::uint8_t> image(asked.counterAvailabilityImageSize);
  asked.pCounterAvailabilityImage = image.data();
  require_cupti(call(&asked), "list of counters");
  return image;
}

/// Names as CUPTI takes them; they live as long as `texts`.
inline std::vector<const char*> pointers(std::span<const std::string> texts) {
  std::vector<const char*> list;
  list.reserve(texts.size());
  for (const std::string& text : texts) list.push_back(text.c_str());
  return list;
}

/// An empty image for the counters of `names`, which a profiler fills.
template <class Size, class SizeCall, class Initialize, class InitializeCall>
std::vector<std::uint8_t> empty_counter_data(const std::vector<std::string>& names, Size size,
                                             const SizeCall& size_call, Initialize initialize,
                                             const InitializeCall& initialize_call) {
  std::vector<const char*> list = pointers(names);
  size.pMetricNames = list.data();
  size.numMetrics = list.size();
  require_cupti(size_call(&size), "size of the data");
  std::vector<std::uint8_t> image(size.counterDataSize, 0);
  initialize.counterDataSize = image.size();
  initialize.pCounterData = image.data();
  require_cupti(initialize_call(&initialize), "room for the data");
  return image;
}

/// Starts CUPTI's profilers and names the chip behind a context, as CUPTI does: "GH100".
std::string initialized_chip(CUctx_st* context);

/// The GPU behind a context, as CUPTI counts.
std::uint32_t device_of(CUctx_st* context);

/// The clock of activity records.
std::uint64_t cupti_now_ns();

}  // namespace dachlast::cupti
