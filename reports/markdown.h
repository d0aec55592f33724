#pragma once

#include <string>
#include <string_view>

#include "core/viewmodel/compare_view.h"
#include "core/viewmodel/language.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table.h"

namespace dachlast::reports {

/// Text that Markdown shows as it is: no markup, no HTML, no cell border.
std::string markdown_escape(std::string_view text);

/// A sentence in the reader's language, escaped.
std::string markdown_text(const viewmodel::Words& words, std::string_view english);

std::string markdown_table(const viewmodel::Table& english, const viewmodel::Words& words);
std::string markdown_run(const viewmodel::RunView& view, const viewmodel::Words& words);
std::string markdown_compare(const viewmodel::CompareView& view, const viewmodel::Words& words);

}  // namespace dachlast::reports
