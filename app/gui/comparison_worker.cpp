#include "app/gui/comparison_worker.h"

#include "app/gui/said_error.h"
#include "core/base/error.h"
#include "ui/paint/figure_painter.h"

namespace dachlast::gui {

ComparisonWorker::ComparisonWorker(QObject* parent) : QObject(parent) {
  pool_.setMaxThreadCount(1);
}

ComparisonWorker::~ComparisonWorker() {
  pool_.clear();
  pool_.waitForDone();
}

void ComparisonWorker::forget() {
  ++generation_;
}

void ComparisonWorker::compare(ComparedRun base, std::vector<ComparedRun> others, double least_noise) {
  const int generation = ++generation_;
  pool_.start([this, generation, base = std::move(base), others = std::move(others), least_noise] {
    if (generation != generation_) return;  // a newer one waits behind it
    auto made = std::make_shared<viewmodel::CompareMany>();
    QString problem;
    try {
      std::vector<viewmodel::NamedRun> named;
      for (const ComparedRun& other : others) named.push_back({other.name, other.run.get()});
      *made = viewmodel::compare_many({base.name, base.run.get()}, named, least_noise);
    } catch (const Error& error) {
      problem = said_error(error);
    }
    QMetaObject::invokeMethod(
        this,
        [this, generation, made, problem] {
          if (generation != generation_) return;  // a newer one is on its way
          problem.isEmpty() ? Q_EMIT compared(*made) : Q_EMIT failed(problem);
        },
        Qt::QueuedConnection);
  });
}

void ComparisonWorker::addGhosts(std::shared_ptr<const Run> run, std::shared_ptr<const Run> base, double coverage) {
  const int generation = ++ghost_generation_;
  pool_.start([this, generation, run = std::move(run), base = std::move(base), coverage] {
    if (generation != ghost_generation_) return;
    auto plot = std::make_shared<viewmodel::RooflinePlot>();
    try {
      *plot = viewmodel::roofline_plot(*run, coverage);
      viewmodel::add_ghosts(*plot, *run, *base);
    } catch (const Error&) {
      return;  // runs that cannot be compared have no ghosts; the comparison says why
    }
    QMetaObject::invokeMethod(
        this,
        [this, generation, run, base, plot] {
          if (generation == ghost_generation_) Q_EMIT ghostsFound(run.get(), base.get(), *plot);
        },
        Qt::QueuedConnection);
  });
}

}  // namespace dachlast::gui
