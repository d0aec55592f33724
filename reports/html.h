#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/memory/memory_model.h"
#include "core/roofline/run.h"

namespace dachlast::reports {

enum class Theme : std::uint8_t { kAuto, kLight, kDark };

struct HtmlOptions {
  std::string timestamp;  // ISO 8601 UTC; passed in, so that equal input gives equal bytes
  std::string title;      // empty: made from the run
  std::string author;     // empty: none
  std::string note;       // empty: none
  Theme theme = Theme::kAuto;
};

/// The report of one run as a single file without external reference, complete with scripts off.
std::string run_html(const Run& run, const HtmlOptions& options, std::span<const MemorySegment> memory = {});

}  // namespace dachlast::reports
