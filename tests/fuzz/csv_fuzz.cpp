// Feeds bytes to the CSV reader and to what reads its tables. Errors are an answer; anything else is a find.
#include <cstdint>
#include <string_view>

#include "core/base/csv.h"
#include "core/base/error.h"
#include "core/planner/reference_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    dachlast::reference_rows(dachlast::parse_csv({reinterpret_cast<const char*>(data), size}, "input"));
  } catch (const dachlast::Error&) {
    return 0;
  }
  return 0;
}
