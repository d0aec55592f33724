#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <span>
#include <string>

#include "app/cli/command.h"
#include "core/viewmodel/chart_sheet.h"
#include "core/viewmodel/charts.h"

namespace dachlast::cli {

/// What a chart can be written as: two kinds of picture, two of its data.
enum class ChartKind : std::uint8_t { kSvg, kPng, kCsv, kJson };

/// How a picture is drawn, by the options that every command with charts has.
struct ChartOptions {
  std::string scale = "2";
  std::string theme = "light";
  bool bare = false;

  /// --scale, --theme and --bare.
  void define(CLI::App& app);
};

/// Charts to choose from, and what they are of.
struct ChartSource {
  std::span<const viewmodel::NamedChart> charts;
  viewmodel::SheetHead head;
  std::string subject;  // that messages name
};

/// Of a file, by its ending; "-" is an SVG.
/// Errors   throws `Error` (kUsage) naming `option` and `file` for any other ending.
ChartKind chart_kind_of(const std::string& option, const std::string& file);

/// The chart of a name as a file. Pictures carry its head and the table of its numbers unless they are to be bare.
/// Errors   throws `Error` (kUsage) naming --view, the name and the charts there are; or --scale and --theme with what they take;
///          (kDevice) where this build draws no PNG.
std::string chart_file(const ChartSource& source, const std::string& view, ChartKind kind, const ChartOptions& options,
                       const CommonOptions& common);

}  // namespace dachlast::cli
