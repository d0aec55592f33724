#pragma once

#include <QObject>
#include <QString>
#include <QThreadPool>
#include <atomic>
#include <memory>
#include <optional>

#include "app/gui/run_pages.h"
#include "core/viewmodel/op_filter.h"
#include "core/viewmodel/timeline.h"
#include "core/workbench/recording.h"

class QUndoStack;

namespace dachlast::gui {

/// Shows a recording on the pages of a run: where GPU time went, operators with shapes on the roofline, its kernels. A range of
/// its timeline filters all of them; what ran there is summed in the background, and only the newest range is shown. Its timeline is of one GPU, which can be chosen.
/// Threads  lives on the GUI thread; its pool only computes.
class RecordingPresenter : public QObject {
  Q_OBJECT
  Q_DISABLE_COPY_MOVE(RecordingPresenter)

 public:
  using RecordingPtr = std::shared_ptr<const OpenedRecording>;

  RecordingPresenter(const RunPages& pages, QUndoStack& edits, QObject* parent = nullptr);
  ~RecordingPresenter() override;

  /// In place of all figures, while there are none.
  void showText(const QString& text);
  /// Does nothing where that recording is shown already. `gpu`: whose timeline is on its page.
  void show(const QString& file, RecordingPtr recording, const viewmodel::RecordedGpu& gpu);
  /// The pages are another's from now on.
  void leave();
  bool isShown() const { return recording_ != nullptr; }

  /// Takes the place of the range before; can be undone.
  void filterByRange(const viewmodel::TimelineRange& range);
  void removeRange();
  /// By the recording's own clock; empty: all of its time.
  const std::optional<TraceRange>& range() const { return range_; }
  /// Draws the roofline with as many operators as its page asks for.
  void showRoofline();

 Q_SIGNALS:
  /// Other kernels are shown.
  void kernelsShown(const dachlast::viewmodel::OperationRows& kernels);

 private:
  /// What is filtered, and what its chip says.
  struct Filter {
    std::optional<TraceRange> range;
    QString text;
  };

  void changeFilter(const QString& what, const Filter& filter);
  void setFilter(const Filter& filter);
  void showDevice(int index);
  void showView(const viewmodel::RecordingView& view);

  RunPages pages_;
  QUndoStack& edits_;
  QString file_;
  RecordingPtr recording_;
  std::int64_t origin_ns_ = 0;
  std::optional<TraceRange> range_;
  QString range_text_;
  viewmodel::RecordingView view_;  // on the pages
  QThreadPool pool_;
  std::atomic<int> generation_ = 0;
  std::atomic<int> device_generation_ = 0;
};

}  // namespace dachlast::gui
