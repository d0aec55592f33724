#pragma once

#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/viewmodel/language.h"
#include "core/viewmodel/report_view.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// What a chart carries where nobody can ask: what it shows, and of what.
struct SheetHead {
  std::string title;               // "gpt2 on AMD EPYC"
  std::vector<std::string> lines;  // answer, configuration, date; wrapped where they are longer than the sheet
};

/// The head of what `title` names ("gpt2 on AMD EPYC"): what it says and how it was configured, and when it was measured, ISO 8601;
/// empty: it was not. All in English; the head is in the language of `words`.
SheetHead sheet_head(const std::string& title, const std::vector<std::string>& sentences,
                     const std::string& measured_at, const Words& words);
/// The head of what a report is of: its answer, its configuration, its date.
SheetHead sheet_head(const ReportView& report, const Words& words);

/// A chart as it leaves the program alone, as a picture: below its head, above the table of its numbers. The chart's own title is
/// its heading where it is another than the head's. Columns are dropped in their order until the table is as wide as the chart; where that
/// does not do, the sheet grows. Rows after the fortieth are counted.
/// `head`: in the language of `words`; `chart` and `table`: in English. A table without columns is none.
figure::Figure chart_sheet(const SheetHead& head, const figure::Figure& chart, const Table& table, const Words& words);

}  // namespace dachlast::viewmodel
