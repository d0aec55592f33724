#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/viewmodel/compare_view.h"
#include "core/viewmodel/language.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table.h"

namespace dachlast::reports {

enum class Color : std::uint8_t { kNever, kAlways };

/// Where the text goes, and in which language. Lines never exceed `width` columns: tables drop columns, sentences wrap.
struct TerminalStyle {
  int width = 80;
  Color color = Color::kNever;
  viewmodel::Language language = viewmodel::Language::kEnglish;
  viewmodel::CapacityUnits units = viewmodel::CapacityUnits::kIec;
};

/// Control characters and direction marks of foreign text made visible, so that a name cannot move the cursor.
std::string terminal_escape(std::string_view text);

/// A table with its title, two spaces between columns; columns leave in the order of `Column::drop_priority`, and a
/// line below names those that left.
std::string terminal_table(const viewmodel::Table& table, const TerminalStyle& style);

/// Sentence, phase table, operations of each phase's representative point, speed-up, warnings, assumptions.
std::string terminal_run(const viewmodel::RunView& view, const TerminalStyle& style);

std::string terminal_compare(const viewmodel::CompareView& view, const TerminalStyle& style);

}  // namespace dachlast::reports
