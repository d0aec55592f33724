#include "core/viewmodel/run_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/figure/axes.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/memory_roles.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kFont = 11.5;
constexpr double kBarHeight = 18.0;
constexpr double kPitch = 42.0;  // a line of text above each bar
constexpr double kLeastDrawn = 0.5;

struct Part {
  std::string name;
  double bytes = 0.0;
  std::string facts;  // below name and size
  SegmentLook look;
};

struct MemoryRow {
  std::string heading;
  std::vector<Part> parts;
};

std::string amount(double bytes) {
  return format(Measure::kCapacity, bytes);
}

double sum_of(const std::vector<Part>& parts) {
  double sum = 0.0;
  for (const Part& part : parts) sum += part.bytes;
  return sum;
}

std::vector<Part> planned_parts(std::span<const MemorySegment> planned) {
  std::vector<Part> parts;
  for (const MemorySegment& segment : planned)
    parts.push_back({segment.name, segment.bytes.value, fmt::format("{}\n{}", segment.formula, name_of(segment.origin)),
                     look_of_segment(segment.name)});
  return parts;
}

/// What the memory model counts at the fullest point: the planned parts, and beside them what only measuring takes, such as
/// buffers of the roof's probe. A point that held less than the plan has no parts to tell apart.
std::vector<Part> counted_parts(const MemoryReading& memory, std::vector<Part> planned) {
  const double beyond = memory.modelled_bytes - sum_of(planned);
  if (planned.empty() || beyond < 0.0)
    return {{"as the memory model counts", memory.modelled_bytes, "exact", {Role::kSeries2, Hatch::kNone}}};
  if (beyond > 0.0) planned.push_back({"counted beyond the plan", beyond, "exact", {Role::kSeries4, Hatch::kBackward}});
  return planned;
}

/// The process tells only how much it holds in all.
MemoryRow measured_row(const MemoryReading& memory, std::vector<Part> planned) {
  const double unaccounted = memory.unaccounted_bytes();
  std::vector<Part> known = counted_parts(memory, std::move(planned));
  known.push_back({"code and libraries",
                   memory.program_bytes,
                   "measured before the weights came",
                   {Role::kSeries6, Hatch::kForward}});
  if (unaccounted > 0.0) known.push_back({"unaccounted", unaccounted, "measured less what is known", {}});
  const std::string total = fmt::format("Measured: {} in RAM", amount(memory.resident_bytes));
  const std::string rest = fmt::format("{} ({}) {}", amount(std::abs(unaccounted)),
                                       format_percent(std::abs(unaccounted) / memory.resident_bytes),
                                       unaccounted < 0.0 ? "less than counted" : "unaccounted");
  return {total + ", " + rest, std::move(known)};
}

std::vector<MemoryRow> rows_of(const Run& run, std::span<const MemorySegment> planned) {
  std::vector<MemoryRow> rows;
  std::vector<Part> parts = planned_parts(planned);
  if (!parts.empty()) rows.push_back({fmt::format("Planned: {}", amount(sum_of(parts))), parts});
  if (run.memory && run.memory->modelled_bytes > 0.0) rows.push_back(measured_row(*run.memory, std::move(parts)));
  return rows;
}

std::vector<LegendEntry> legend_of(const std::vector<MemoryRow>& rows) {
  std::vector<LegendEntry> entries;
  for (const MemoryRow& row : rows)
    for (const Part& part : row.parts)
      if (part.bytes > 0.0 && std::ranges::find(entries, part.name, &LegendEntry::text) == entries.end())
        entries.push_back({part.name, part.look.role, MarkerShape::kSquare, MarkerFill::kFilled, 11.0});
  return entries;
}

void draw_row(Figure& figure, const MemoryRow& row, double y, double bytes_per_unit) {
  figure.primitives.push_back(Text{{0.0, y + 12.0}, row.heading, Role::kText, kFont});
  double x = 0.0;
  for (const Part& part : row.parts) {
    const double width = part.bytes / bytes_per_unit;
    if (width >= kLeastDrawn) {
      const Box box{x, y + 18.0, std::max(width - 1.0, kLeastDrawn), kBarHeight};
      figure.primitives.push_back(Rect{box, part.look.role, kSegmentOpacity, part.look.hatch});
      figure.primitives.push_back(HitBox{box,
                                         fmt::format("{}|{}", row.heading.substr(0, row.heading.find(':')), part.name),
                                         fmt::format("{}\n{}\n{}", part.name, amount(part.bytes), part.facts),
                                         Amount{part.bytes, AmountUnit::kBytes}});
    }
    x += width;
  }
}

}  // namespace

figure::Figure run_memory_bars(const Run& run, std::span<const MemorySegment> planned, figure::Size size,
                               std::string id) {
  const std::vector<MemoryRow> rows = rows_of(run, planned);
  Figure figure{std::move(id), size, "Memory, planned and measured", {}, {}};
  double most = 1.0;
  for (const MemoryRow& row : rows) {
    most = std::max(most, sum_of(row.parts));
    figure.description += (figure.description.empty() ? "" : ". ") + row.heading;
  }
  const auto legend = legend_of(rows);
  draw_legend(figure.primitives, {0.0, 2.0, size.width, kLegendRowHeight}, legend, {kFont, size.wording});
  double y = 4.0 + kLegendRowHeight * legend_rows(legend, size.width, {kFont, size.wording});
  for (const MemoryRow& row : rows) {
    draw_row(figure, row, y, most / size.width);
    y += kPitch;
  }
  return figure;
}

}  // namespace dachlast::viewmodel
