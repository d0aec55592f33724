#pragma once

#include <QObject>
#include <QStringList>
#include <QThreadPool>
#include <functional>
#include <optional>
#include <vector>

#include "core/memory/memory_model.h"
#include "core/roofline/run.h"

namespace dachlast::gui {

/// A run file as it was read, or why it could not be.
struct ReadRun {
  QString file;
  std::optional<Run> run = {};
  std::vector<MemorySegment> planned = {};  // of its largest point; empty where the model cannot be found any more
  std::vector<std::string> skipped = {};    // what a newer version wrote
  QString problem = {};
};

/// Reads run files in the background, in the order they were asked for: however large they are, or slow their disk is, the window
/// stays free.
/// Threads  lives on the GUI thread; its pool only reads.
class RunReader : public QObject {
  Q_OBJECT

 public:
  using Then = std::function<void(std::vector<ReadRun>)>;

  explicit RunReader(QObject* parent = nullptr);
  ~RunReader() override;
  RunReader(const RunReader&) = delete;
  RunReader& operator=(const RunReader&) = delete;
  RunReader(RunReader&&) = delete;
  RunReader& operator=(RunReader&&) = delete;

  /// Hands the files on together once all are read; never before the call returns.
  void read(const QStringList& files, const Then& then);
  bool reading() const { return n_orders_ > 0; }
  /// Serves the window until everything asked for is handed on.
  void waitForDone();

 Q_SIGNALS:
  /// A file takes long enough that someone should be told.
  void slow(const QString& file);

 private:
  QThreadPool pool_;
  int n_orders_ = 0;
};

}  // namespace dachlast::gui
