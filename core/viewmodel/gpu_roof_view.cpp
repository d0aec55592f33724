#include "core/viewmodel/gpu_roof_view.h"

#include <string>
#include <utility>
#include <vector>

#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

/// Rows of three measures in the same columns: each cell names its unit.
struct RoofRows {
  std::vector<std::string> names, sizes;
  std::vector<Cell> median, low, high;
  std::vector<std::int64_t> n;

  void add(const std::vector<GpuRoof>& roofs, Measure measure) {
    const auto cell = [measure](double value) { return number_cell(value, format(measure, value), Origin::kMeasured); };
    for (const GpuRoof& roof : roofs) {
      names.push_back(roof.what);
      sizes.push_back(roof.with);
      median.push_back(cell(roof.sample.median));
      low.push_back(cell(roof.sample.min));
      high.push_back(cell(roof.sample.max));
      n.push_back(roof.sample.n);
    }
  }
};

}  // namespace

Table gpu_roof_table(const GpuRoofs& roofs) {
  RoofRows rows;
  rows.add(roofs.bandwidths, Measure::kBandwidth);
  rows.add(roofs.peaks, Measure::kWorkRate);
  rows.add(roofs.latencies, Measure::kTime);
  TableBuilder table("gpu-roofs", "Roofs of " + roofs.device);
  table.text({"roof", "Roof", "", "What was measured."}, rows.names);
  table.text({"with", "With", "", "Size of the work.", Align::kLeft, 1}, rows.sizes);
  table.cells({"median", "Median", "", "Median over repeats."}, std::move(rows.median));
  table.cells({"min", "Min", "", "Smallest repeat.", Align::kRight, 3}, std::move(rows.low));
  table.cells({"max", "Max", "", "Largest repeat.", Align::kRight, 3}, std::move(rows.high));
  table.count({"n", "Repeats", "", "", Align::kRight, 4}, rows.n, Origin::kMeasured);
  table.note("A copy counts what is read and what is written; INT8 counts integer operations.");
  for (const std::string& missing : roofs.not_measured) table.note("Not measured: " + missing);
  return table.build();
}

}  // namespace dachlast::viewmodel
