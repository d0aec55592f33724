#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/memory/memory_model.h"
#include "core/roofline/compare.h"
#include "core/roofline/run.h"
#include "core/viewmodel/language.h"
#include "core/viewmodel/report_view.h"
#include "reports/page.h"

namespace dachlast::reports {

enum class Theme : std::uint8_t { kAuto, kLight, kDark };

/// `kPaper` is for converters to PDF: light colours written out instead of variables, nothing that needs a script.
enum class Medium : std::uint8_t { kScreen, kPaper };

struct HtmlOptions {
  std::string timestamp;  // ISO 8601 UTC; passed in, so that equal input gives equal bytes
  std::string title;      // empty: made from what is reported
  std::string author;     // empty: none
  std::string note;       // empty: none
  std::string logo;       // data URI of an image; empty: none
  Theme theme = Theme::kAuto;
  ReportLevel level = ReportLevel::kFull;
  viewmodel::Language language = viewmodel::Language::kEnglish;
  Medium medium = Medium::kScreen;
  viewmodel::CapacityUnits units = viewmodel::CapacityUnits::kIec;
};

/// A report as a single file without external reference, complete with scripts off. `data` travels in it, not
/// translated, for the program to read back.
std::string report_html(viewmodel::ReportView report, std::span<const EmbeddedData> data, const HtmlOptions& options);

/// A report as a rich-text widget reads it: the sections of the very file, charts as images "figure:ID".
struct RichReport {
  std::string html;
  std::vector<figure::Figure> pictures;
};
RichReport report_rich_text(viewmodel::ReportView report, std::span<const EmbeddedData> data,
                            const HtmlOptions& options);

/// The report of one run, with the run as data.
std::string run_html(const Run& run, const HtmlOptions& options, std::span<const MemorySegment> memory = {});

/// The report of `run` against `base`, with both runs and their comparison as data.
std::string comparison_html(const Run& base, const Run& run, const Comparison& comparison, const HtmlOptions& options,
                            std::span<const MemorySegment> memory = {});

/// An image file as a data URI.
/// Errors   throws `Error` (kUsage) naming `subject` where the bytes are no PNG, JPEG or SVG, or more than 256 KiB.
std::string image_uri(std::string_view subject, std::string_view bytes);

}  // namespace dachlast::reports
