#pragma once

#include <QObject>
#include <QString>
#include <vector>

#include "app/gui/open_runs.h"
#include "app/gui/run_pages.h"
#include "core/viewmodel/op_filter.h"
#include "core/viewmodel/roofline_plot.h"
#include "core/viewmodel/timeline.h"
#include "ui/widgets/figure_view.h"

class QUndoStack;

namespace dachlast::gui {

class Docks;
class ComparisonWorker;
class RecordingPresenter;
class TimelineLoader;

/// Keeps every page that shows runs in step with what is open, selected and filtered. A selection holds in all views, a filter
/// changes all of them, and neither needs a new measurement.
class RunPresenter : public QObject {
  Q_OBJECT

 public:
  RunPresenter(OpenRuns& runs, const RunPages& pages, Docks& docks, QUndoStack& edits, QObject* parent = nullptr);

  void select(const QString& datum);
  const QString& selected() const { return selected_; }
  /// Takes the place of a filter of the same kind; can be undone.
  void addFilter(const viewmodel::OpFilter& filter);
  void removeFilter(const QString& id);
  void filterPhase(Phase phase);
  /// Operations whose name contains a text; an empty one takes the filter away.
  void filterText(const QString& text);
  const std::vector<viewmodel::OpFilter>& filters() const { return filters_; }
  /// Reads the timelines of the run and its baseline, where someone looks at them.
  void showTimelines();
  /// Shows a recording on the pages of a run, until a run is chosen.
  void showRecording(const QString& file);
  /// The recording that is shown in place of a run; empty: none.
  const QString& recordingFile() const { return recording_; }
  const RecordingPresenter& recording() const { return *recordings_; }
  /// Whose timeline is shown; empty: none.
  const QString& timelineFile() const { return timeline_file_; }
  /// Writes every page anew, in the words and units of now.
  void showAgain();
  /// Says on every page of the run why there is none.
  void showError(const QString& text);

 private:
  void showRun();
  void showFiltered();
  void showRuns();
  void showComparison();
  void setFilters(std::vector<viewmodel::OpFilter> filters);
  void showChips();
  void keepOpenFiles();
  void changeFilters(const QString& what, std::vector<viewmodel::OpFilter> filters);
  void connectPanels();
  void connectPages();
  void connectTimeline();
  void connectRecordings();
  /// False while it is being read.
  bool showTimelineOf(const QString& file, const QString& name);
  void filterByBox(const ui::FigureView::Window& window);
  void filterByRange(const viewmodel::TimelineRange& range);
  void editBaseline(int index);

  OpenRuns& runs_;
  RunPages pages_;
  Docks& docks_;
  QUndoStack& edits_;
  std::vector<viewmodel::OpFilter> filters_;
  viewmodel::OperationRows operations_;  // in the dock
  QString selected_;
  /// The run's roofline, ghosts of its baseline included as soon as they are known.
  const viewmodel::RooflinePlot& plotOf(const OpenRun& open, const OpenRun* base);

  ComparisonWorker* comparisons_;
  viewmodel::RooflinePlot plot_;  // of the two below
  std::shared_ptr<const Run> plot_run_;
  std::shared_ptr<const Run> plot_base_;
  std::shared_ptr<const Run> shown_run_;  // on the overview
  TimelineLoader* timelines_;
  QString timeline_file_;  // shown on the timeline page
  QString recording_;      // to be shown in place of the run; empty: none
  RecordingPresenter* recordings_;
};

}  // namespace dachlast::gui
