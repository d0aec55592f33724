// Draws the KV cache: map of blocks, use over time, where the slots went.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/figure/axes.h"
#include "core/figure/labels.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/kv_cache_view.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kMapFont = 11.5;
constexpr double kMostCell = 44.0;
constexpr double kLeastGap = 5.0;    // cells from this size on are kept apart
constexpr double kGlyphFrom = 15.0;  // and from this one on carry a number

struct StateLook {
  std::string_view name;
  Role role;
  double opacity;
  Hatch hatch;
};

// Hatches and glyphs keep states apart without colour.
constexpr std::array<StateLook, 4> kLooks{{{"free", Role::kGrid, 0.45, Hatch::kNone},
                                           {"live", Role::kSeries1, 0.85, Hatch::kNone},
                                           {"shared", Role::kSeries2, 0.9, Hatch::kForward},
                                           {"cached, no user", Role::kSeries3, 0.35, Hatch::kDots}}};

const StateLook& look_of(BlockState state) {
  return kLooks[static_cast<std::size_t>(state)];
}

/// Columns and side of square cells that fill a box best.
struct Grid {
  int columns = 1;
  double cell = 1.0;
};

Grid grid_for(int n, const Box& box) {
  const double area = std::max(box.width * box.height / std::max(n, 1), 1.0);
  double cell = std::min(std::sqrt(area), kMostCell);
  for (int tries = 0; tries < 200; ++tries, cell *= 0.99) {
    const int columns = std::max(static_cast<int>(box.width / cell), 1);
    if (std::ceil(1.0 * n / columns) * cell <= box.height) return {columns, cell};
  }
  return {std::max(static_cast<int>(box.width / cell), 1), cell};
}

/// Several blocks in one cell: the state most of them share, and how many slots hold tokens.
BlockCell joined(const std::vector<BlockCell>& cells, std::size_t from, std::size_t to) {
  std::array<int, 4> counts{};
  std::int64_t tokens = 0;
  for (std::size_t i = from; i < to; ++i) {
    ++counts[static_cast<std::size_t>(cells[i].state)];
    tokens += cells[i].n_tokens;
  }
  BlockCell cell = cells[from];
  cell.state = static_cast<BlockState>(std::ranges::max_element(counts) - counts.begin());
  cell.n_tokens = static_cast<int>(tokens / static_cast<std::int64_t>(to - from));
  return cell;
}

std::string tooltip_of(const BlockCell& cell, std::size_t block, int block_size) {
  std::string text = fmt::format("block {}: {}", block, look_of(cell.state).name);
  if (cell.state == BlockState::kFree) return text;
  text += fmt::format("\n{} of {} slots hold tokens", cell.n_tokens, block_size);
  if (cell.request >= 0)
    text += fmt::format("\nrequest {}, from token {}", cell.request + 1, format_count(cell.position));
  if (cell.n_users > 1) text += fmt::format("\n{} users", cell.n_users);
  return text;
}

void draw_cell(Figure& figure, const BlockCell& cell, const Box& box, int block_size) {
  const StateLook& look = look_of(cell.state);
  const bool large = box.width >= kLeastGap;
  if (cell.state == BlockState::kFree || !large || block_size <= 0) {
    figure.primitives.push_back(Rect{box, look.role, look.opacity, large ? look.hatch : Hatch::kNone});
    return;
  }
  // The height of the filling is the share of slots that hold tokens.
  const double filled = box.height * std::clamp(1.0 * cell.n_tokens / block_size, 0.0, 1.0);
  figure.primitives.push_back(Rect{box, look.role, 0.16, Hatch::kNone});
  figure.primitives.push_back(Rect{{box.x, box.bottom() - filled, box.width, filled},
                                   look.role,
                                   look.opacity,
                                   box.width > 8.0 ? look.hatch : Hatch::kNone});
  if (cell.n_users > 1 && box.width >= kGlyphFrom)
    figure.primitives.push_back(Text{{box.x + box.width / 2, box.y + box.height / 2 + 4.0},
                                     fmt::format("{}", cell.n_users),
                                     Role::kText,
                                     11.0,
                                     Anchor::kMiddle,
                                     0.0,
                                     Weight::kBold,
                                     Halo::kSurface});
}

void draw_map(Figure& figure, const std::vector<BlockCell>& cells, const Box& box, int block_size) {
  const std::size_t per_cell = (cells.size() + kMostBlockCells - 1) / kMostBlockCells;
  const int n = static_cast<int>((cells.size() + per_cell - 1) / per_cell);
  const Grid grid = grid_for(n, box);
  const double gap = grid.cell >= kLeastGap ? 1.0 : 0.0;
  for (int i = 0; i < n; ++i) {
    const std::size_t from = static_cast<std::size_t>(i) * per_cell;
    const BlockCell cell = joined(cells, from, std::min(from + per_cell, cells.size()));
    const int column = i % grid.columns, row = i / grid.columns;
    const Box place{box.x + column * grid.cell, box.y + row * grid.cell, grid.cell - gap, grid.cell - gap};
    draw_cell(figure, cell, place, block_size);
    if (grid.cell < kLeastGap) continue;
    figure.primitives.push_back(HitBox{place, fmt::format("block {}", from), tooltip_of(cell, from, block_size),
                                       Amount{static_cast<double>(cell.n_tokens), AmountUnit::kCount}});
  }
  if (per_cell > 1)
    figure.primitives.push_back(Text{{box.right(), box.bottom() + 14.0},
                                     fmt::format("{} blocks a cell", per_cell),
                                     Role::kMuted,
                                     kMapFont,
                                     Anchor::kEnd});
}

std::vector<LegendEntry> state_legend() {
  std::vector<LegendEntry> entries;
  for (const StateLook& look : kLooks)
    entries.push_back({std::string(look.name), look.role, MarkerShape::kSquare, MarkerFill::kFilled, 11.0});
  return entries;
}

double share_of_whole(double part, double whole) {
  return whole > 0.0 ? part / whole : 0.0;
}

Polyline use_line(const KvUsage& kv, const Scale& x, const Scale& y, Role role, Dash dash,
                  double (*value)(const KvUsage&, const KvMoment&)) {
  Polyline line{{}, {role, 2.0, dash}};
  for (const KvMoment& moment : kv.moments)
    line.points.push_back({x.position(moment.time_s), y.position(100.0 * value(kv, moment))});
  return line;
}

double block_use(const KvUsage& kv, const KvMoment& moment) {
  return share_of_whole(moment.n_allocated, kv.n_blocks);
}

double token_use(const KvUsage& kv, const KvMoment& moment) {
  return share_of_whole(static_cast<double>(moment.held_tokens), 1.0 * kv.n_blocks * kv.block_size);
}

double live_and_cached(const KvUsage& kv, const KvMoment& moment) {
  return share_of_whole(moment.n_allocated + moment.n_cached, kv.n_blocks);
}

}  // namespace

figure::Figure occupancy_figure(const KvUsage& kv, int moment, figure::Size size, std::string id) {
  Figure figure{std::move(id), size, "Blocks of the KV cache", moment_sentence(kv, moment), {}};
  const auto legend = state_legend();
  draw_legend(figure.primitives, {8.0, 4.0, size.width - 16.0, kLegendRowHeight}, legend, {kMapFont, size.wording});
  const double top = 12.0 + kLegendRowHeight * legend_rows(legend, size.width - 16.0, {kMapFont, size.wording});
  if (moment < 0 || moment >= static_cast<int>(kv.moments.size()) || kv.n_blocks <= 0) return figure;
  const Box box{8.0, top, std::max(size.width - 16.0, 10.0), std::max(size.height - top - 20.0, 10.0)};
  draw_map(figure, block_cells(kv, kv.moments[static_cast<std::size_t>(moment)]), box, kv.block_size);
  return figure;
}

figure::Figure waste_figure(const KvUsage& kv, figure::Size size, std::string id) {
  struct Part {
    const char* name;
    double tokens;
    Role role;
    Hatch hatch;
  };
  const double slots = 1.0 * kv.n_blocks * kv.block_size;
  const auto held = static_cast<double>(kv.held_tokens);
  const auto reserved = static_cast<double>(kv.reserved_tokens);
  const auto internal = static_cast<double>(kv.internal_fragmentation_tokens);
  const Part parts[] = {
      {"held", held, Role::kSeries1, Hatch::kNone},
      {"reserved", reserved, Role::kSeries3, Hatch::kForward},
      {"internal fragmentation", internal, Role::kSeries2, Hatch::kBackward},
      {"free or cached", std::max(slots - held - reserved - internal, 0.0), Role::kGrid, Hatch::kNone}};
  Figure figure{std::move(id), size, "Token slots at the fullest step", "One bar: held, wasted, free slots.", {}};
  std::vector<LegendEntry> legend;
  const double y = 26.0;
  const double height = std::clamp(size.height - y - 30.0, 12.0, 30.0);
  double x = 8.0;
  for (const Part& part : parts) {
    const double width = (size.width - 16.0) * share_of_whole(part.tokens, slots);
    const std::string percent = format_percent(share_of_whole(part.tokens, slots));
    figure.description += fmt::format(" {}: {}.", part.name, percent);
    legend.push_back(
        {fmt::format("{} {}", part.name, percent), part.role, MarkerShape::kSquare, MarkerFill::kFilled, 11.0});
    const Box box{x, y, width, height};
    x += width;
    if (width < 0.5) continue;
    figure.primitives.push_back(Rect{box, part.role, part.role == Role::kGrid ? 0.6 : 0.85, part.hatch});
    figure.primitives.push_back(
        HitBox{box, part.name,
               fmt::format("{}\n{}, {} of all slots", part.name,
                           counted(static_cast<std::int64_t>(part.tokens), "token", "tokens"), percent),
               Amount{part.tokens, AmountUnit::kCount}});
  }
  std::string heading = "Token slots at the fullest step. External fragmentation: none, every free block serves.";
  if (text_width(heading, kMapFont, size.wording) > size.width - 16.0)
    heading = figure.title;  // the table says the rest
  figure.primitives.push_back(Text{{8.0, 16.0}, std::move(heading), Role::kText, kMapFont});
  draw_legend(figure.primitives, {8.0, y + height + 4.0, size.width - 16.0, kLegendRowHeight}, legend,
              {kMapFont, size.wording});
  return figure;
}

figure::Figure kv_history_figure(const KvUsage& kv, int moment, figure::Size size, std::string id) {
  Figure figure{std::move(id),
                size,
                "Use of the KV cache over time",
                "Lines over time: share of blocks in use, of token slots that hold tokens, of blocks in use or cached.",
                {}};
  if (kv.moments.size() < 2 || !(kv.moments.front().time_s < kv.moments.back().time_s)) return figure;
  const std::vector<LegendEntry> legend{{"blocks in use", Role::kSeries1, {}, {}, 0.0},
                                        {"token slots in use", Role::kSeries2, {}, {}, 0.0},
                                        {"in use or cached", Role::kSeries3, {}, {}, 0.0}};
  const double legend_height = kLegendRowHeight * legend_rows(legend, size.width - 16.0, {kMapFont, size.wording});
  const Box frame{46.0, 34.0, std::max(size.width - 46.0 - 30.0, 40.0),
                  std::max(size.height - 34.0 - 46.0 - legend_height, 40.0)};
  const Unit unit = unit_for(Measure::kTime, kv.moments.back().time_s);
  const Scale x = Scale::linear({kv.moments.front().time_s, kv.moments.back().time_s}, frame.x, frame.right());
  const Scale y = Scale::linear({0.0, 100.0}, frame.bottom(), frame.y);
  draw_axes(figure.primitives, frame,
            {x, fmt::format("Time since serving began, {}", unit.text),
             [unit](double v) { return fmt::format("{:.4g}", v / unit.base); }, 6},
            {y, "Of the cache, %", [](double v) { return fmt::format("{:g}", v); }, 4});
  figure.primitives.push_back(use_line(kv, x, y, Role::kSeries3, Dash::kDotted, live_and_cached));
  figure.primitives.push_back(use_line(kv, x, y, Role::kSeries1, Dash::kSolid, block_use));
  figure.primitives.push_back(use_line(kv, x, y, Role::kSeries2, Dash::kDashed, token_use));
  draw_legend(figure.primitives, {8.0, size.height - legend_height - 2.0, size.width - 16.0, legend_height}, legend,
              {kMapFont, size.wording});
  for (std::size_t i = 0; i < kv.moments.size(); ++i) {
    const double at = x.position(kv.moments[i].time_s);
    if (static_cast<int>(i) == moment)
      figure.primitives.push_back(Line{{at, frame.y}, {at, frame.bottom()}, {Role::kText, 1.5, Dash::kSolid}});
    figure.primitives.push_back(HitBox{
        {at - 4.0, frame.y, 8.0, frame.height},
        fmt::format("{}", i),
        fmt::format("{}\n{} of blocks, {} of token slots", moment_sentence(kv, static_cast<int>(i)),
                    format_percent(block_use(kv, kv.moments[i])), format_percent(token_use(kv, kv.moments[i])))});
  }
  return figure;
}

}  // namespace dachlast::viewmodel
