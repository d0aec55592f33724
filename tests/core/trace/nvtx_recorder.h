#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dachlast::trace {

/// What a profiler linked into this test saw of one range.
struct RecordedRange {
  std::string domain;
  std::string name;
  std::string category;
  std::vector<std::string> fields;    // of the payload's schema; empty where the payload was packed
  std::vector<std::int32_t> payload;  // the fields' values
  std::uint64_t packed = 0;
  int depth = 0;
  bool closed = false;
};

/// Every range since the program began, in order of opening.
const std::vector<RecordedRange>& recorded_ranges();

}  // namespace dachlast::trace
