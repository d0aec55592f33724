#include "app/cli/chart_output.h"

#include <fmt/core.h>

#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/documents/png.h"
#include "core/base/error.h"
#include "core/viewmodel/localise.h"
#include "reports/csv.h"
#include "reports/json.h"
#include "reports/svg.h"

namespace dachlast::cli {
namespace {

double scale_of(const std::string& text) {
  if (text == "1" || text == "2" || text == "3") return text.front() - '0';
  throw Error(ErrorKind::kUsage, "--scale " + text, "not a scale of pictures.", "Use 1, 2 or 3 pixels a unit.");
}

figure::PictureTheme theme_of(const std::string& text) {
  if (text == "light") return figure::PictureTheme::kLight;
  if (text == "dark") return figure::PictureTheme::kDark;
  throw Error(ErrorKind::kUsage, "--theme " + text, "not a theme of pictures.", "Use light or dark.");
}

figure::Figure picture_of(const ChartSource& source, const viewmodel::NamedChart& chart, const ChartOptions& options,
                          const viewmodel::Words& words) {
  if (options.bare) return viewmodel::in_language(chart.figure, words);
  return viewmodel::chart_sheet(source.head, chart.figure, chart.table.value_or(viewmodel::Table{}), words);
}

}  // namespace

void ChartOptions::define(CLI::App& app) {
  app.add_option("--scale", scale, "Pixels a unit of a PNG: 1, 2 or 3")
      ->type_name("N")
      ->capture_default_str()
      ->group(kMoreGroup);
  app.add_option("--theme", theme, "Colours of a PNG, light or dark; an SVG carries both")
      ->type_name("THEME")
      ->capture_default_str()
      ->group(kMoreGroup);
  app.add_flag("--bare", bare, "The chart alone, without its head and the table of its numbers")->group(kMoreGroup);
}

ChartKind chart_kind_of(const std::string& option, const std::string& file) {
  if (file == "-" || file.ends_with(".svg")) return ChartKind::kSvg;
  if (file.ends_with(".png")) return ChartKind::kPng;
  if (file.ends_with(".csv")) return ChartKind::kCsv;
  if (file.ends_with(".json")) return ChartKind::kJson;
  throw Error(ErrorKind::kUsage, fmt::format("{} {}", option, file), "its ending names no kind of chart.",
              "Name the file .svg, .png, .csv or .json.");
}

std::string chart_file(const ChartSource& source, const std::string& view, ChartKind kind, const ChartOptions& options,
                       const CommonOptions& common) {
  const double scale = scale_of(options.scale);
  const figure::PictureTheme theme = theme_of(options.theme);
  const viewmodel::NamedChart& chart = chart_named(source.charts, "--view", view, source.subject);
  const viewmodel::Words& words = words_of(common);
  switch (kind) {
    case ChartKind::kSvg: return reports::svg_file(picture_of(source, chart, options, words));
    case ChartKind::kPng: return png_of(picture_of(source, chart, options, words), theme, scale);
    case ChartKind::kCsv: return reports::csv_table(data_of(chart));
    case ChartKind::kJson: return reports::json_table("dachlast.chart/1", chart.name, data_of(chart));
  }
  return {};
}

}  // namespace dachlast::cli
