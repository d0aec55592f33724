#include "core/viewmodel/timeline_levels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {
namespace {

using figure::Area;
using figure::Box;
using figure::HitBox;
using figure::Interval;
using figure::Line;
using figure::Point;
using figure::Primitive;
using figure::Rect;
using figure::Role;

constexpr double kTint = 0.35;
constexpr double kEdge = 1.5;
constexpr double kLeastPiece = 2.0;          // narrower ones share a column
constexpr double kLeastPointed = 3.0;        // a narrower one nobody can point at
constexpr double kLevelHeadroom = 1.0 / 12;  // above the highest level

void finish(LevelRow& row) {
  for (const LevelPiece& piece : row.pieces) row.top = std::max({row.top, piece.before, piece.after});
}

std::string level_in(double value, const Unit& unit) {
  return fmt::format("{}\u00a0{}", in_unit(value, unit), unit.text);
}
std::string in_gigahertz(double hz) {
  return level_in(hz, {"GHz", 1e9});
}
std::string in_watts(double watts) {
  return level_in(watts, {"W", 1.0});
}

/// Pieces as they lie in the box.
class LevelDrawing {
 public:
  LevelDrawing(std::vector<Primitive>& primitives, const LevelRow& row, const Interval& window, const Box& box)
      : primitives_(primitives), row_(row), window_(window), box_(box) {}

  void draw() {
    primitives_.push_back(Line{{box_.x, box_.bottom()}, {box_.right(), box_.bottom()}, {Role::kGrid, 1.0}});
    if (row_.top <= 0.0) return;
    const auto first = std::ranges::lower_bound(row_.pieces, window_.lo, {}, &LevelPiece::to_ns);
    for (auto piece = first; piece != row_.pieces.end() && piece->from_ns < window_.hi; ++piece) {
      if (x_of(piece->to_ns) - x_of(piece->from_ns) < kLeastPiece)
        gather(*piece);
      else
        wide(*piece, static_cast<std::size_t>(piece - row_.pieces.begin()));
    }
    flush();
  }

 private:
  double x_of(double ns) const {
    const double share = (ns - window_.lo) / (window_.hi - window_.lo);
    return box_.x + std::clamp(share, 0.0, 1.0) * box_.width;
  }
  double y_of(double level) const { return box_.bottom() - level / row_.top * box_.height * (1.0 - kLevelHeadroom); }
  static double level_at(const LevelPiece& piece, double ns) {
    const double length = piece.to_ns - piece.from_ns;
    return length <= 0.0 ? piece.after : piece.before + (piece.after - piece.before) * (ns - piece.from_ns) / length;
  }

  void wide(const LevelPiece& piece, std::size_t place) {
    flush();
    const double from = std::max(piece.from_ns, window_.lo);
    const double to = std::min(piece.to_ns, window_.hi);
    const Point left{x_of(from), y_of(level_at(piece, from))};
    const Point right{x_of(to), y_of(level_at(piece, to))};
    primitives_.push_back(Area{{{left.x, box_.bottom()}, left, right, {right.x, box_.bottom()}}, row_.role, kTint});
    primitives_.push_back(Line{left, right, {row_.role, kEdge}});
    if (right.x - left.x >= kLeastPointed)
      primitives_.push_back(HitBox{
          {left.x, box_.y, right.x - left.x, box_.height}, fmt::format("{}:{}", row_.id, place), row_.facts(piece)});
  }

  /// Short pieces of one column are drawn as high as the highest of them.
  void gather(const LevelPiece& piece) {
    const double column = std::floor(x_of(piece.from_ns));
    if (column != column_) flush();
    column_ = column;
    highest_ = std::max({highest_, piece.before, piece.after});
  }

  void flush() {
    if (highest_ > 0.0)
      primitives_.push_back(Rect{{column_, y_of(highest_), 1.0, box_.bottom() - y_of(highest_)}, row_.role, kTint});
    highest_ = 0.0;
    column_ = -1.0;
  }

  std::vector<Primitive>& primitives_;
  const LevelRow& row_;
  Interval window_;
  Box box_;
  double column_ = -1.0;
  double highest_ = 0.0;
};

}  // namespace

LevelRow memory_level_row(const Timeline& timeline) {
  LevelRow row;
  row.id = "memory";
  row.name = "Memory";
  row.facts = [](const LevelPiece& piece) {
    return fmt::format("{} in RAM\nof the whole process, read between steps", format(Measure::kCapacity, piece.after));
  };
  for (std::size_t i = 1; i < timeline.memory.size(); ++i) {
    const trace::MemorySample& from = timeline.memory[i - 1];
    const trace::MemorySample& to = timeline.memory[i];
    row.pieces.push_back(
        {static_cast<double>(from.at_ns), static_cast<double>(to.at_ns), from.resident_bytes, to.resident_bytes});
  }
  finish(row);
  if (row.top > 0.0) row.most = format(Measure::kCapacity, row.top);
  return row;
}

LevelRow kv_level_row(const Timeline& timeline) {
  LevelRow row;
  row.id = "kv";
  row.name = "KV tokens";
  row.role = Role::kSeries3;
  row.facts = [](const LevelPiece& piece) {
    return fmt::format("{} in the KV cache after the step\n{} before it",
                       counted(std::llround(piece.after), "token", "tokens"),
                       counted(std::llround(piece.before), "token", "tokens"));
  };
  for (const KvLevel& level : timeline.kv)
    row.pieces.push_back({static_cast<double>(level.start_ns), static_cast<double>(level.end_ns),
                          static_cast<double>(level.tokens_before), static_cast<double>(level.tokens_after)});
  finish(row);
  if (row.top > 0.0) row.most = format_count(std::llround(row.top));
  return row;
}

/// What NVML tells is of one GPU, all else of the computer's processors.
bool of_gpu(const Timeline& timeline, trace::QuantitySource trace::ClockPowerSources::*quantity) {
  return timeline.clock_power_sources && ((*timeline.clock_power_sources).*quantity).source == "NVML";
}

LevelRow clock_level_row(const Timeline& timeline) {
  LevelRow row;
  row.id = "clock";
  row.name = "Clock";
  row.role = Role::kSeries5;
  row.facts = [gpu = of_gpu(timeline, &trace::ClockPowerSources::clock)](const LevelPiece& piece) {
    return fmt::format(
        "{} on average\n{}", in_gigahertz(piece.after),
        gpu ? "of the GPU's multiprocessors, read every 50 ms" : "of the processors that work, read every 50 ms");
  };
  for (const ClockPowerPiece& piece : timeline.clock_power)
    if (piece.clock_from_hz && piece.clock_to_hz)
      row.pieces.push_back({static_cast<double>(piece.from_ns), static_cast<double>(piece.to_ns), *piece.clock_from_hz,
                            *piece.clock_to_hz});
  finish(row);
  if (row.top > 0.0) row.most = in_gigahertz(row.top);
  return row;
}

LevelRow power_level_row(const Timeline& timeline) {
  LevelRow row;
  row.id = "power";
  row.name = "Power";
  row.role = Role::kSeries4;
  row.facts = [gpu = of_gpu(timeline, &trace::ClockPowerSources::power)](const LevelPiece& piece) {
    return fmt::format("{} on average\n{}", in_watts(piece.after),
                       gpu ? "of the GPU's whole board, as NVML averages it"
                           : "of whole processor packages, everything that runs there");
  };
  for (const ClockPowerPiece& piece : timeline.clock_power)
    if (piece.power_w)
      row.pieces.push_back(
          {static_cast<double>(piece.from_ns), static_cast<double>(piece.to_ns), *piece.power_w, *piece.power_w});
  finish(row);
  if (row.top > 0.0) row.most = in_watts(row.top);
  return row;
}

void draw_level(std::vector<Primitive>& primitives, const LevelRow& row, const Interval& window_ns, const Box& box) {
  LevelDrawing(primitives, row, window_ns, box).draw();
}

}  // namespace dachlast::viewmodel
