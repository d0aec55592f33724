#pragma once

#include <QObject>
#include <QThreadPool>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/roofline/run.h"
#include "core/viewmodel/compare_many.h"
#include "core/viewmodel/roofline_plot.h"

namespace dachlast::gui {

/// A run to compare, held for as long as that takes.
struct ComparedRun {
  std::string name;
  std::shared_ptr<const Run> run;
};

/// Compares runs in the background: telling a change from noise draws hundreds of samples a point. Only the newest question of each
/// kind is answered.
/// Threads  lives on the GUI thread; its pool only computes.
class ComparisonWorker : public QObject {
  Q_OBJECT
  Q_DISABLE_COPY_MOVE(ComparisonWorker)

 public:
  explicit ComparisonWorker(QObject* parent = nullptr);
  ~ComparisonWorker() override;

  void compare(ComparedRun base, std::vector<ComparedRun> others, double least_noise);
  /// Nothing is compared any more.
  void forget();
  /// The roofline of `run` with where its points lay in `base`.
  void addGhosts(std::shared_ptr<const Run> run, std::shared_ptr<const Run> base, double coverage);

 Q_SIGNALS:
  void compared(const dachlast::viewmodel::CompareMany& comparison);
  void failed(const QString& reason);
  void ghostsFound(const dachlast::Run* run, const dachlast::Run* base, const dachlast::viewmodel::RooflinePlot& plot);

 private:
  QThreadPool pool_;
  std::atomic<int> generation_ = 0;
  std::atomic<int> ghost_generation_ = 0;
};

}  // namespace dachlast::gui
