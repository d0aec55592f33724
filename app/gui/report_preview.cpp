#include "app/gui/report_preview.h"

#include <QCoreApplication>

#include "core/viewmodel/phase_bars.h"
#include "core/viewmodel/privacy.h"
#include "core/viewmodel/roofline_plot.h"
#include "core/viewmodel/run_view.h"
#include "ui/paint/figure_painter.h"

namespace dachlast::gui {
namespace {

using ui::ReportFields;
using ui::ReportSection;
using ui::to_qt;
using RunPtr = std::shared_ptr<const Run>;

constexpr double kRooflineHeight = 460.0;

/// Gives the words of this file their context in translations.
struct ReportWords {
  Q_DECLARE_TR_FUNCTIONS(ReportPreview)
};

QStringList lines_of(const std::vector<Remark>& remarks) {
  QStringList lines;
  for (const Remark& remark : remarks) lines << to_qt(remark.text);
  return lines;
}

ReportSection summary(const viewmodel::RunView& view, const ReportFields& fields) {
  ReportSection section{ReportWords::tr("Summary"), {}, {}, {}};
  if (!fields.note.isEmpty()) section.sentences << fields.note;
  for (const std::string& sentence : view.answer) section.sentences << to_qt(sentence);
  section.sentences << to_qt(view.status);
  for (const auto& figure : view.key_figures)
    section.sentences
        << QStringLiteral("%1: %2 (%3)").arg(to_qt(figure.label), to_qt(figure.value), to_qt(figure.note));
  for (const auto& finding : view.findings) section.sentences << to_qt(finding.text);
  if (!view.biggest_risk.empty()) section.sentences << ReportWords::tr("Risk: %1").arg(to_qt(view.biggest_risk));
  return section;
}

ReportSection configuration(const viewmodel::RunView& view) {
  return {ReportWords::tr("Configuration"), {to_qt(view.configuration_line)}, {}, {view.configuration}};
}

ReportSection memory_section(const viewmodel::RunView& view) {
  ReportSection section{ReportWords::tr("Memory"), {}, {}, {}};
  if (!view.memory_sentence.empty()) section.sentences << to_qt(view.memory_sentence);
  if (view.memory) section.tables.push_back(*view.memory);
  return section;
}

ReportSection phases(const viewmodel::RunView& view, const RunPtr& run, ReportFields::Level level) {
  ReportSection section{ReportWords::tr("Phases"), {}, {}, {view.phases}};
  section.charts.push_back(
      {[run](figure::Size size) { return viewmodel::phase_bars(*run, size.width, "report-bars"); }, 0.0});
  for (const auto& point : view.ops)
    if (level == ReportFields::Level::kFull || point.representative) section.tables.push_back(point.table);
  return section;
}

ReportSection roofline(const viewmodel::RunView& view, const RunPtr& run) {
  const viewmodel::RooflinePlot plot = viewmodel::roofline_plot(*run);
  ReportSection section{ReportWords::tr("Roofline"), {}, {}, {}};
  section.charts.push_back(
      {[plot](figure::Size size) { return viewmodel::roofline_figure(plot, size, "report-roofline"); },
       kRooflineHeight});
  section.tables = {viewmodel::roofline_table(plot), view.bandwidth_roofs, view.compute_roofs};
  return section;
}

ReportSection cache(const viewmodel::RunView& view) {
  ReportSection section{ReportWords::tr("KV cache and requests"), {}, {}, {}};
  for (const std::string* sentence : {&view.speedup_sentence, &view.serving_sentence})
    if (!sentence->empty()) section.sentences << to_qt(*sentence);
  for (const auto* table : {&view.cache_speedup, &view.latencies, &view.kv_use})
    if (*table) section.tables.push_back(**table);
  return section;
}

ReportSection limits(const viewmodel::RunView& view) {
  ReportSection section{ReportWords::tr("Assumptions and limits"), lines_of(view.warnings), {}, {}};
  section.sentences << lines_of(view.assumptions);
  return section;
}

bool says_something(const ReportSection& section) {
  return !section.sentences.isEmpty() || !section.charts.empty() || !section.tables.empty();
}

}  // namespace

ReportPreview report_preview(RunPtr run, std::span<const MemorySegment> memory, const ReportFields& fields) {
  // As it leaves the house: no folder names (UX.md §4, Privacy).
  run = std::make_shared<const Run>(viewmodel::without_paths(*run));
  const viewmodel::RunView view = viewmodel::run_view(*run, memory);
  ReportPreview preview{fields.title.isEmpty() ? to_qt(view.title) : fields.title, {}};
  preview.sections << summary(view, fields) << configuration(view) << memory_section(view)
                   << phases(view, run, fields.level) << roofline(view, run);
  if (fields.level == ReportFields::Level::kFull)
    preview.sections << cache(view) << limits(view)
                     << ReportSection{ReportWords::tr("Reproduce"), {to_qt(run->command)}, {}, {}};
  if (!fields.author.isEmpty()) preview.sections.front().sentences.prepend(ReportWords::tr("By %1").arg(fields.author));
  preview.sections.removeIf([](const ReportSection& section) { return !says_something(section); });
  return preview;
}

}  // namespace dachlast::gui
