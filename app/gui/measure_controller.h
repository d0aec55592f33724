#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <stop_token>
#include <thread>

#include "core/roofline/run.h"
#include "ui/views/measure_view.h"

class QTimer;

namespace dachlast::gui {

/// Measures in the background: preflight while typing, one run at a time, its points as they are finished.
/// Threads  lives on the GUI thread; one worker plans or measures, results arrive through queued calls. The GUI thread never waits
/// for it.
class MeasureController : public QObject {
  Q_OBJECT
  Q_DISABLE_COPY_MOVE(MeasureController)

 public:
  MeasureController(ui::MeasureView& view, const QString& run_folder, QObject* parent = nullptr);
  ~MeasureController() override;

  bool running() const { return running_; }
  /// Asks the run to end; what is finished stays in its file.
  void cancel();
  /// Checks what the fields ask for, as soon as they rest. Measures the roofs of this computer first where none are stored, so it is
  /// called only once someone looks at the page.
  void prepare();
  /// The same for what was checked already, in the words and units of now; nothing where nobody has looked yet.
  void checkAgain();
  /// Measures once more what was measured last.
  void repeat();

 Q_SIGNALS:
  /// A run ended, complete or not; its file holds what was measured.
  void finished(const QString& file);
  /// What is being done, and how much of it.
  void progressed(const QString& what, int index, int count);
  /// Nothing is being measured any more, and why.
  void ended(const QString& text);

 private:
  void preflight();
  void measure(const ui::MeasureFields& fields);
  template <class Work>
  void start(Work work);
  void settle(const QString& file, const QString& problem);

  class Relay;
  class Observer;

  ui::MeasureView& view_;
  QString run_folder_;
  QTimer* delay_;
  std::jthread worker_;
  bool running_ = false;
  bool checked_ = false;  // the computer, once
  int generation_ = 0;    // of the newest preflight
};

/// Waits until the measurements of closed windows have saved what they have: before the program ends.
void wait_for_measurements();

}  // namespace dachlast::gui
