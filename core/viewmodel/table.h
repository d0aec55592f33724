#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/hardware/device_roofs.h"

namespace dachlast::viewmodel {

/// The value behind a cell, unrounded, in the base unit its column's key names; empty where it is missing.
using RawValue = std::variant<std::monostate, double, std::int64_t, std::string>;

struct Cell {
  RawValue raw;
  std::string text;              // as people read it, without the column's unit
  std::optional<Origin> origin;  // of a number; empty for names
};

enum class Align : std::uint8_t { kLeft, kRight };

struct Column {
  std::string key;    // of machine formats, unit included: "time_s"
  std::string title;  // "Time"
  std::string unit;   // of the texts below it; empty: none, or the texts carry their own
  std::string description;
  Align align = Align::kRight;
  int drop_priority = 0;  // where room is short, larger ones go first; 0 stays always
};

/// A table as plain data: terminal, window, report and files all draw this one.
struct Table {
  std::string id;  // "phases"; unique within a document
  std::string title;
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> notes;  // what a reader must know to read it right
};

Cell missing_cell();
Cell text_cell(std::string text);
Cell count_cell(std::int64_t value, Origin origin);
Cell number_cell(double value, std::string text, Origin origin);

/// Head of a column, unit included: "Time, ms".
std::string head_of(const Column& column);

}  // namespace dachlast::viewmodel
