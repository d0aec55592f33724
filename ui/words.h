#pragma once

#include <QString>
#include <string_view>

#include "core/figure/figure.h"
#include "core/figure/labels.h"
#include "core/viewmodel/language.h"

namespace dachlast::ui {

/// The language the window speaks: that of Qt's default locale; English where there is no catalogue of it.
viewmodel::Language spoken_language();

/// How the window writes memory: GiB unless told. What is shown already stays as it is until it is shown again.
void write_memory_in(viewmodel::CapacityUnits units);
viewmodel::CapacityUnits capacity_units();

/// The words of that language, for what view-models say. The window's own strings go through Qt's translators.
const viewmodel::Words& words();

/// A sentence, term or remark of a view-model, as the reader's language has it; names the catalogue does not know stay.
/// What was looked up once is kept: charts ask for the same words in every frame.
/// Threads  any.
QString said(std::string_view english);

/// The same line by line: tooltips hold one fact a line.
QString said_lines(std::string_view english);

/// How texts of figures will read in the window; nullptr where they stay as view-models write them.
const figure::Wording* wording();

/// The texts of a figure that are drawn. Tooltips stay English until someone asks for one: a heatmap has thousands.
void say_labels(figure::Figure& figure);

}  // namespace dachlast::ui
