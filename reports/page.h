#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/viewmodel/language.h"

namespace dachlast::reports {

/// `kSummary` prints on two pages; `kFull` holds everything.
enum class ReportLevel : std::uint8_t { kSummary, kFull };

/// Data of a report as the program reads it back.
struct EmbeddedData {
  std::string_view id;  // of the element: "dachlast-data"
  std::string json;
};

/// What every section of one document shares.
struct Page {
  const viewmodel::Words& words;
  ReportLevel level = ReportLevel::kFull;
  std::span<const EmbeddedData> data = {};
};

}  // namespace dachlast::reports
