#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/viewmodel/timeline.h"

namespace dachlast::viewmodel {

/// What is held from one moment to another; the level changes evenly in between.
struct LevelPiece {
  double from_ns = 0.0;
  double to_ns = 0.0;
  double before = 0.0;
  double after = 0.0;
};

/// A level over time: memory in use, tokens in the KV cache, clock, power.
struct LevelRow {
  std::string id;    // "memory", "kv", "clock", "power": with the place of a piece the datum of its hit box
  std::string name;  // beside the row
  std::string most;  // the highest level, as people read it; empty: nothing is known
  double top = 0.0;  // the level that fills the row
  figure::Role role = figure::Role::kMemory;
  std::vector<LevelPiece> pieces;                       // ascending, none over another
  std::function<std::string(const LevelPiece&)> facts;  // what a pointer is told
};

/// Memory of the process in RAM between the readings around the recorded steps.
LevelRow memory_level_row(const Timeline& timeline);
/// Tokens whose K and V are kept, counted by the shapes the steps ran with.
LevelRow kv_level_row(const Timeline& timeline);

/// Mean clock of the processors that worked; without pieces where it was not read.
LevelRow clock_level_row(const Timeline& timeline);
/// Power of whole processor packages; likewise.
LevelRow power_level_row(const Timeline& timeline);

/// Draws what lies in a window into a box, in at most about two pieces a column.
void draw_level(std::vector<figure::Primitive>& primitives, const LevelRow& row, const figure::Interval& window_ns,
                const figure::Box& box);

}  // namespace dachlast::viewmodel
