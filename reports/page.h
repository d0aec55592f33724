#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/figure/figure.h"
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
  /// Where charts go that the reader's program draws itself; null: they are inline SVG.
  std::vector<figure::Figure>* pictures = nullptr;

  /// Whether a rich-text widget reads the page: it knows no style sheets of ours, no scripts and no SVG.
  bool rich_text() const { return pictures != nullptr; }
};

}  // namespace dachlast::reports
