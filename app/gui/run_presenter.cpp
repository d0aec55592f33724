#include "app/gui/run_presenter.h"

#include <QFileInfo>
#include <QUndoStack>
#include <algorithm>

#include "app/gui/comparison_worker.h"
#include "app/gui/docks.h"
#include "app/gui/edit.h"
#include "app/gui/recording_presenter.h"
#include "app/gui/said_error.h"
#include "app/gui/timeline_loader.h"
#include "core/base/error.h"
#include "core/viewmodel/compare_many.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/inspection.h"
#include "core/viewmodel/localise.h"
#include "core/viewmodel/phase_bars.h"
#include "core/viewmodel/roofline_plot.h"
#include "core/viewmodel/run_memory.h"
#include "core/viewmodel/run_view.h"
#include "core/workbench/workbench.h"
#include "ui/paint/figure_painter.h"
#include "ui/panels/inspector_panel.h"
#include "ui/panels/runs_panel.h"
#include "ui/views/compare_view.h"
#include "ui/views/kv_cache_page.h"
#include "ui/views/overview_view.h"
#include "ui/views/roofline_view.h"
#include "ui/views/timeline_view.h"
#include "ui/widgets/chip_bar.h"
#include "ui/widgets/data_table.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

using ui::to_qt;
using viewmodel::OpFilter;

constexpr std::size_t kMostCompared = 4;  // beside the baseline: more nobody can tell apart

ui::RunEntry entry_of(const OpenRun& run, bool baseline) {
  const Run& measured = *run.run;
  return {.name = run.name,
          .subject = to_qt(viewmodel::title_in(
              ui::words(), measured.model.name + " on " +
                               (measured.roofs.device.empty() ? measured.host.cpu_name : measured.roofs.device))),
          .date = ui::said(viewmodel::format_date(measured.created_at)),
          .note = run.note,
          .file = run.file,
          .role = run.role(),
          .shape = run.shape(),
          .standing = baseline ? ui::RunEntry::Standing::kBaseline : ui::RunEntry::Standing::kOther};
}

/// The device, then its roofs as the roofline names them.
QStringList device_facts(const Run& run) {
  QStringList facts;
  const std::string& name = run.roofs.device.empty() ? run.host.cpu_name : run.roofs.device;
  if (!name.empty()) facts << ui::said(name);
  if (run.roofs.bandwidths.empty() || run.roofs.computes.empty()) return facts;
  const viewmodel::RooflinePlot plot = viewmodel::roofline_plot(run);
  for (const auto* roofs : {&plot.memory_roofs, &plot.compute_roofs})
    for (const viewmodel::RooflineRoof& roof : *roofs) facts << ui::said(roof.label);
  return facts;
}

}  // namespace

RunPresenter::RunPresenter(OpenRuns& runs, const RunPages& pages, Docks& docks, QUndoStack& edits, QObject* parent)
    : QObject(parent),
      runs_(runs),
      pages_(pages),
      docks_(docks),
      edits_(edits),
      comparisons_(new ComparisonWorker(this)),
      timelines_(new TimelineLoader(this)),
      recordings_(new RecordingPresenter(pages, edits, this)) {
  connect(&runs_, &OpenRuns::currentChanged, this, &RunPresenter::showRun);
  connect(&runs_, &OpenRuns::changed, this, &RunPresenter::showRuns);
  connectPages();
  connectPanels();
  connectTimeline();
  connectRecordings();
}

void RunPresenter::connectRecordings() {
  connect(recordings_, &RecordingPresenter::kernelsShown, this, [this](const viewmodel::OperationRows& kernels) {
    operations_ = kernels;
    docks_.operations().setTable(kernels.table);
  });
}

void RunPresenter::connectTimeline() {
  connect(timelines_, &TimelineLoader::loaded, this, &RunPresenter::showTimelines);
  connect(timelines_, &TimelineLoader::failed, this, [this](const QString& file, const QString& reason) {
    if (file == recording_ || (recording_.isEmpty() && runs_.shown() != nullptr && runs_.shown()->file == file))
      pages_.timeline.showError(reason);
    if (file == recording_) recordings_->showText(reason);
    docks_.log(reason);
  });
  connect(&pages_.timeline, &ui::TimelineView::selected, this, &RunPresenter::select);
  connect(&pages_.timeline, &ui::TimelineView::rangeChosen, this, &RunPresenter::filterByRange);
  connect(&pages_.timeline, &ui::TimelineView::rangeCleared, this, [this] {
    docks_.inspector().setStatistics({}, std::nullopt);
    recording_.isEmpty() ? removeFilter(QStringLiteral("range")) : recordings_->removeRange();
  });
}

void RunPresenter::connectPages() {
  connect(&pages_.roofline, &ui::RooflineView::selected, this, &RunPresenter::select);
  connect(&pages_.roofline, &ui::RooflineView::brushed, this, &RunPresenter::filterByBox);
  connect(&pages_.roofline, &ui::RooflineView::coverageChanged, this, [this] {
    plot_run_.reset();
    recording_.isEmpty() ? showFiltered() : recordings_->showRoofline();
  });
  connect(&pages_.roofline, &ui::RooflineView::brushCleared, this, [this] { removeFilter(QStringLiteral("box")); });
  connect(&pages_.overview, &ui::OverviewView::findingChosen, this, &RunPresenter::select);
  connect(comparisons_, &ComparisonWorker::compared, &pages_.compare, &ui::CompareView::setComparison);
  connect(comparisons_, &ComparisonWorker::failed, &pages_.compare, &ui::Page::showError);
  connect(comparisons_, &ComparisonWorker::ghostsFound, this,
          [this](const Run* run, const Run* base, const viewmodel::RooflinePlot& plot) {
            if (run != plot_run_.get() || base != plot_base_.get()) return;  // closed meanwhile
            plot_ = plot;
            showFiltered();
          });
  connect(&pages_.compare, &ui::CompareView::thresholdChanged, this, &RunPresenter::showComparison);
  connect(&pages_.chips, &ui::ChipBar::removed, this,
          [this](const QString& id) { recording_.isEmpty() ? removeFilter(id) : recordings_->removeRange(); });
}

void RunPresenter::connectPanels() {
  connect(&docks_.operations(), &ui::DataTable::rowSelected, this, [this](int row) {
    if (row >= 0 && row < static_cast<int>(operations_.datums.size()))
      select(to_qt(operations_.datums[static_cast<std::size_t>(row)]));
  });
  connect(&docks_.operations(), &ui::DataTable::rowsSelected, this, [this](const QList<int>& rows) {
    if (rows.size() < 2) return;  // one operation is told in full
    docks_.inspector().setStatistics(tr("%n operation(s) selected", nullptr, static_cast<int>(rows.size())),
                                     viewmodel::operation_statistics(operations_, {rows.begin(), rows.end()}));
  });
  ui::RunsPanel& panel = docks_.runs();
  connect(&panel, &ui::RunsPanel::chosen, this, [this](int index) {
    if (!recording_.isEmpty() && index == runs_.current()) return showRun();  // back from the recording
    runs_.setCurrent(index);
  });
  connect(&panel, &ui::RunsPanel::closeRequested, &runs_, &OpenRuns::close);
  connect(&panel, &ui::RunsPanel::baselineRequested, this, &RunPresenter::editBaseline);
  connect(&panel, &ui::RunsPanel::renamed, this, [this](int row, const QString& name) {
    const QString before = runs_.runs()[static_cast<std::size_t>(row)].name;
    edits_.push(new Edit(
        tr("Rename run"), [this, row, name] { runs_.rename(row, name); },
        [this, row, before] { runs_.rename(row, before); }));
  });
  connect(&panel, &ui::RunsPanel::noted, this, [this](int row, const QString& note) {
    const QString before = runs_.runs()[static_cast<std::size_t>(row)].note;
    edits_.push(new Edit(
        tr("Edit note"), [this, row, note] { runs_.setNote(row, note); },
        [this, row, before] { runs_.setNote(row, before); }));
  });
}

/// A click on the star of the baseline takes it away.
void RunPresenter::editBaseline(int index) {
  const int before = runs_.baseline();
  const int after = index == before ? -1 : index;
  edits_.push(new Edit(
      tr("Set baseline"), [this, after] { runs_.setBaseline(after); }, [this, before] { runs_.setBaseline(before); }));
}

// -------- showing

void RunPresenter::showRun() {
  if (!recording_.isEmpty()) {
    recording_.clear();
    recordings_->leave();
    keepOpenFiles();
    pages_.timeline.setFilters(filters_);
    showChips();
  }
  const OpenRun* open = runs_.shown();
  if (open == nullptr) {
    pages_.overview.showEmpty();
    pages_.roofline.showEmpty();
    pages_.timeline.setTimeline({}, nullptr);
    pages_.kv_cache.setRun(nullptr);
    timeline_file_.clear();
    shown_run_.reset();
    plot_run_.reset();
    docks_.operations().setTable({});
    docks_.inspector().setInspection(std::nullopt);
    return;
  }
  shown_run_ = open->run;
  ui::FigureView::Source memory;
  if (viewmodel::has_memory_bars(*open->run, open->planned))
    memory = [run = open->run, planned = open->planned](figure::Size size) {
      return viewmodel::run_memory_bars(*run, planned, size, "run-memory");
    };
  pages_.overview.setRun(
      viewmodel::run_view(*open->run),
      [run = open->run](figure::Size size) { return viewmodel::phase_bars(*run, size.width, "bars", size.wording); },
      std::move(memory));
  pages_.overview.setDevice(device_facts(*open->run));
  pages_.kv_cache.setRun(open->run);
  showFiltered();
  if (pages_.timeline.isVisible()) showTimelines();
}

void RunPresenter::showAgain() {
  timeline_file_.clear();  // else it counts as shown
  const QString recording = recording_;
  if (runs_.shown() != nullptr) showRun();
  showRuns();
  if (!recording.isEmpty()) showRecording(recording);
}

bool RunPresenter::showTimelineOf(const QString& file, const QString& name) {
  timelines_->request(file);
  const auto timeline = timelines_->found(file);
  if (!timeline) {
    timeline_file_.clear();
    pages_.timeline.showLoading(tr("Reading the timeline of %1…").arg(name));
    return false;
  }
  if (timeline_file_ != file) pages_.timeline.setTimeline(name, timeline);
  timeline_file_ = file;
  return true;
}

void RunPresenter::showRecording(const QString& file) {
  recording_ = file;
  keepOpenFiles();
  timeline_file_.clear();  // another of its GPUs may be shown
  recordings_->leave();
  recordings_->showText(tr("Reading %1…").arg(QFileInfo(file).fileName()));
  docks_.inspector().setInspection(std::nullopt);
  pages_.timeline.setFilters({});
  pages_.chips.setChips({});
  pages_.timeline.setBaseline({}, nullptr);
  showTimelines();
}

void RunPresenter::showTimelines() {
  if (!recording_.isEmpty()) {
    if (!showTimelineOf(recording_, QFileInfo(recording_).fileName())) return;
    recordings_->show(recording_, timelines_->recording(recording_), *timelines_->found(recording_)->gpu);
    return;
  }
  const OpenRun* open = runs_.shown();
  if (open == nullptr || !showTimelineOf(open->file, open->name)) return;
  const OpenRun* base = runs_.base();
  if (base == nullptr || base == open) return pages_.timeline.setBaseline({}, nullptr);
  timelines_->request(base->file);
  pages_.timeline.setBaseline(base->name, timelines_->found(base->file));
}

void RunPresenter::showFiltered() {
  const OpenRun* open = runs_.shown();
  if (open == nullptr || !recording_.isEmpty()) return;
  pages_.roofline.setPlot(viewmodel::filtered(plotOf(*open, runs_.base()), filters_), pages_.overview.answer());
  operations_ = viewmodel::operation_rows(*open->run, filters_);
  docks_.operations().setTable(operations_.table);
  select(selected_);
}

const viewmodel::RooflinePlot& RunPresenter::plotOf(const OpenRun& open, const OpenRun* base) {
  const auto base_run = base != nullptr && base != &open ? base->run : nullptr;
  if (plot_run_ == open.run && plot_base_ == base_run) return plot_;
  if (plot_run_ != open.run || base_run == nullptr)
    plot_ = viewmodel::roofline_plot(*open.run, pages_.roofline.coverage());
  plot_run_ = open.run;
  plot_base_ = base_run;
  if (base_run != nullptr) comparisons_->addGhosts(open.run, base_run, pages_.roofline.coverage());
  return plot_;
}

void RunPresenter::keepOpenFiles() {
  QStringList files;
  for (const OpenRun& run : runs_.runs()) files << run.file;
  if (!recording_.isEmpty()) files << recording_;
  timelines_->keepOnly(files);
}

void RunPresenter::showRuns() {
  QList<ui::RunEntry> entries;
  keepOpenFiles();
  for (int i = 0; i < static_cast<int>(runs_.runs().size()); ++i)
    entries << entry_of(runs_.runs()[static_cast<std::size_t>(i)], i == runs_.baseline());
  docks_.runs().setRuns(entries, runs_.current());
  showComparison();
  // A run that was not shown yet is told by `currentChanged`, which follows.
  if (runs_.shown() != nullptr && runs_.shown()->run == shown_run_) showFiltered();
  if (pages_.timeline.isVisible()) showTimelines();
}

void RunPresenter::showComparison() {
  const int base = runs_.effectiveBaseline();
  std::vector<ComparedRun> others;
  for (int i = 0; i < static_cast<int>(runs_.runs().size()); ++i) {
    const OpenRun& open = runs_.runs()[static_cast<std::size_t>(i)];
    if (i != base && others.size() < kMostCompared) others.push_back({open.name.toStdString(), open.run});
  }
  if (others.empty()) {
    comparisons_->forget();
    return pages_.compare.showEmpty();
  }
  const OpenRun& open = runs_.runs()[static_cast<std::size_t>(base)];
  comparisons_->compare({open.name.toStdString(), open.run}, std::move(others), pages_.compare.threshold());
}

void RunPresenter::showError(const QString& text) {
  if (runs_.shown() != nullptr) return;  // what is open stays readable; the log tells the rest
  pages_.overview.showError(text);
  pages_.roofline.showError(text);
  pages_.timeline.showError(text);
}

// -------- selection and filters

void RunPresenter::select(const QString& datum) {
  selected_ = datum;
  const OpenRun* open = runs_.shown();
  pages_.roofline.setSelected(datum);
  docks_.inspector().setInspection(
      open != nullptr && recording_.isEmpty() ? viewmodel::inspect(*open->run, datum.toStdString()) : std::nullopt);
  const auto row = std::ranges::find(operations_.datums, datum.toStdString());
  if (row != operations_.datums.end() && docks_.operations().currentDatumRow() >= 0 &&
      operations_.datums[static_cast<std::size_t>(docks_.operations().currentDatumRow())] == *row)
    return;
  docks_.operations().selectRow(row == operations_.datums.end() ? -1
                                                                : static_cast<int>(row - operations_.datums.begin()));
}

void RunPresenter::filterByBox(const ui::FigureView::Window& window) {
  const OpenRun* open = runs_.shown();
  if (open == nullptr || !recording_.isEmpty()) return;
  OpFilter filter{.id = "box", .text = {}, .datums = datums_in(plotOf(*open, runs_.base()), window.x, window.y)};
  filter.text = tr("Roofline box: %n operation(s)", nullptr, static_cast<int>(filter.datums.size())).toStdString();
  addFilter(filter);
}

void RunPresenter::filterByRange(const viewmodel::TimelineRange& range) {
  docks_.inspector().setStatistics(ui::said(range.sentence), range.statistics);
  if (!recording_.isEmpty()) return recordings_->filterByRange(range);
  addFilter(
      {.id = "range",
       .text = tr("Timeline range: %n operation(s)", nullptr, static_cast<int>(range.datums.size())).toStdString(),
       .datums = range.datums});
}

void RunPresenter::filterPhase(Phase phase) {
  const OpenRun* open = runs_.shown();
  if (open != nullptr && recording_.isEmpty()) addFilter(viewmodel::phase_filter(*open->run, phase));
}

void RunPresenter::filterText(const QString& text) {
  const OpenRun* open = runs_.shown();
  if (open == nullptr || !recording_.isEmpty()) return;
  if (text.isEmpty()) return removeFilter(QStringLiteral("text"));
  OpFilter filter{.id = "text", .text = tr("Name contains %1").arg(text).toStdString(), .datums = {}};
  for (const std::string& datum : viewmodel::operation_rows(*open->run, {}).datums)
    if (to_qt(datum).section(u'/', 1).contains(text, Qt::CaseInsensitive)) filter.datums.push_back(datum);
  addFilter(filter);
}

void RunPresenter::addFilter(const OpFilter& filter) {
  std::vector<OpFilter> filters = filters_;
  std::erase_if(filters, [&](const OpFilter& other) { return other.id == filter.id; });
  filters.push_back(filter);
  changeFilters(tr("Filter"), std::move(filters));
}

void RunPresenter::removeFilter(const QString& id) {
  std::vector<OpFilter> filters = filters_;
  if (std::erase_if(filters, [&](const OpFilter& other) { return other.id == id.toStdString(); }) == 0) return;
  changeFilters(tr("Remove filter"), std::move(filters));
}

void RunPresenter::changeFilters(const QString& what, std::vector<OpFilter> filters) {
  edits_.push(new Edit(
      what, [this, filters = std::move(filters)] { setFilters(filters); },
      [this, before = filters_] { setFilters(before); }));
}

void RunPresenter::showChips() {
  QList<ui::ChipBar::Chip> chips;
  for (const OpFilter& filter : filters_) chips << ui::ChipBar::Chip{to_qt(filter.id), ui::said(filter.text)};
  pages_.chips.setChips(chips);
}

void RunPresenter::setFilters(std::vector<OpFilter> filters) {
  filters_ = std::move(filters);
  if (!recording_.isEmpty()) return;  // they hold again as soon as the run is shown
  pages_.timeline.setFilters(filters_);
  showChips();
  if (std::ranges::find(filters_, "range", &OpFilter::id) == filters_.end()) pages_.timeline.clearBrush();
  if (std::ranges::find(filters_, "box", &OpFilter::id) == filters_.end()) pages_.roofline.clearBrush();
  showFiltered();
}

}  // namespace dachlast::gui
