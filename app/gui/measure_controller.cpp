#include "app/gui/measure_controller.h"

#include <QDir>
#include <QPointer>
#include <QTimer>
#include <memory>
#include <utility>
#include <vector>

#include "app/gui/said_error.h"
#include "core/base/error.h"
#include "core/viewmodel/run_view.h"
#include "core/workbench/parse.h"
#include "core/workbench/plan_view.h"
#include "core/workbench/workbench.h"
#include "ui/paint/figure_painter.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

using ui::MeasureFields;
using ui::to_qt;

// Typing is over when nothing was typed for so long.
constexpr int kTypingMs = 250;

/// Work of windows that are closed. Never destroyed, so that it does not matter in which order a program that ends lets go of things.
std::vector<std::jthread>& threads_that_end() {
  static auto& threads = *new std::vector<std::jthread>;
  return threads;
}

std::optional<DType> type_of(const QString& name) {
  return name.isEmpty() ? std::nullopt : dtype_from_name(name.toStdString());
}

RunRequest request_of(const MeasureFields& fields) {
  RunRequest request;
  request.model = fields.model.toStdString();
  if (!fields.contexts.isEmpty()) request.contexts = parse_count_list("Contexts", fields.contexts.toStdString());
  if (!fields.batches.isEmpty()) request.batches = parse_count_list("Batch sizes", fields.batches.toStdString());
  request.weights = type_of(fields.weights);
  if (!fields.cache.isEmpty()) request.kv_format = kv_format_from_name(fields.cache.toStdString());
  if (fields.repeats > 0) request.repeats = fields.repeats;
  if (!fields.layout.isEmpty()) request.kv = parse_kv_spec("KV layout", fields.layout.toStdString());
  request.full_timeline = fields.spans == MeasureFields::Spans::kEveryStep;
  return request;
}

}  // namespace

/// Where a worker leaves what it has to tell: it outlives the controller, whose window may be closed before a step is over.
/// Threads  lives on the GUI thread, which alone looks at the controller.
class MeasureController::Relay : public QObject {
 public:
  explicit Relay(MeasureController& controller) : controller_(&controller) {}

  /// From any thread: does it on the GUI thread, unless the controller is gone by then.
  template <class Tell>
  void post(Tell tell) {
    QMetaObject::invokeMethod(
        this,
        [this, tell = std::move(tell)] {
          if (controller_) tell(*controller_);
        },
        Qt::QueuedConnection);
  }

 private:
  QPointer<MeasureController> controller_;
};

void wait_for_measurements() {
  threads_that_end().clear();
}

/// Passes what the worker tells on to the GUI thread.
class MeasureController::Observer : public JobObserver {
 public:
  explicit Observer(Relay& relay) : relay_(relay) {}

  void began(const std::string& what, int index, int count) override {
    relay_.post([english = what, index, count](MeasureController& controller) {
      const QString doing = ui::said(english);
      controller.view_.showProgress(doing, index, count);
      if (controller.running_) Q_EMIT controller.progressed(doing, index, count);
    });
  }
  void point_finished(const Run& run, const MeasuredPoint&) override {
    relay_.post(
        [table = viewmodel::phase_table(run)](MeasureController& controller) { controller.view_.showResults(table); });
  }
  void remarked(const Remark& remark) override {
    relay_.post([text = remark.text](MeasureController& controller) { controller.view_.setAnswer(ui::said(text)); });
  }

 private:
  Relay& relay_;
};

MeasureController::MeasureController(ui::MeasureView& view, const QString& run_folder, QObject* parent)
    : QObject(parent), view_(view), run_folder_(run_folder), delay_(new QTimer(this)) {
  delay_->setSingleShot(true);
  delay_->setInterval(kTypingMs);
  connect(delay_, &QTimer::timeout, this, &MeasureController::preflight);
  connect(&view_, &ui::MeasureView::changed, this, &MeasureController::prepare);
  connect(&view_, &ui::MeasureView::measureRequested, this, &MeasureController::measure);
  connect(&view_, &ui::MeasureView::cancelRequested, this, &MeasureController::cancel);
}

/// A step under way may take minutes: no other window waits for it.
MeasureController::~MeasureController() {
  cancel();
  threads_that_end().push_back(std::move(worker_));
}

void MeasureController::cancel() {
  worker_.request_stop();
}

void MeasureController::repeat() {
  if (!running_) measure(view_.fields());
}

/// One piece of work at a time: a new one waits for the old one to stop, on its own thread.
template <class Work>
void MeasureController::start(Work work) {
  worker_.request_stop();
  const std::shared_ptr<Relay> relay(new Relay(*this), [](Relay* gone) { gone->deleteLater(); });
  worker_ =
      std::jthread([before = std::move(worker_), relay, work = std::move(work)](const std::stop_token& stop) mutable {
        if (before.joinable()) before.join();
        work(*relay, stop);
      });
}

void MeasureController::prepare() {
  if (!checked_) view_.setChecks(checks_table(check_host()));
  checked_ = true;
  delay_->start();
}

void MeasureController::checkAgain() {
  if (!std::exchange(checked_, false)) return;
  prepare();
}

void MeasureController::preflight() {
  if (running_) return;
  const int generation = ++generation_;
  const MeasureFields fields = view_.fields();
  start([fields, generation](Relay& relay, const std::stop_token& stop) {
    const auto post = [&](auto show) {
      relay.post([generation, show = std::move(show)](MeasureController& controller) {
        if (generation == controller.generation_ && !controller.running_) show(controller.view_);
      });
    };
    if (stop.stop_requested()) return;
    try {
      Observer observer(relay);
      const PlanView plan = plan_view(plan_run(request_of(fields), observer, stop));
      post([plan](ui::MeasureView& view) { view.showPreflight(ui::said(plan.answer), plan.points, plan.memory); });
    } catch (const Error& error) {
      post([error](ui::MeasureView& view) { view.showProblem(said_error(error)); });
    }
  });
}

void MeasureController::measure(const MeasureFields& fields) {
  if (running_) return;
  running_ = true;
  view_.setState(ui::MeasureView::State::kRunning);
  start([fields, folder = run_folder_](Relay& relay, const std::stop_token& stop) {
    QString file;
    QString problem;
    try {
      Observer observer(relay);
      const RunPlan plan = plan_run(request_of(fields), observer, stop);
      QDir().mkpath(folder);
      const std::filesystem::path path =
          std::filesystem::path(folder.toStdString()) / default_run_file(plan).filename();
      file = to_qt(path.string());
      execute_run(plan, {.file = path}, observer, stop);
    } catch (const Error& error) {
      problem = said_error(error);
    }
    relay.post([file, problem](MeasureController& controller) { controller.settle(file, problem); });
  });
}

void MeasureController::settle(const QString& file, const QString& problem) {
  running_ = false;
  view_.setState(ui::MeasureView::State::kIdle);
  if (!problem.isEmpty()) view_.showProblem(problem);
  Q_EMIT ended(problem.isEmpty() ? tr("Measurement written to %1").arg(file) : problem);
  if (!file.isEmpty() && QFile::exists(file)) Q_EMIT finished(file);
  if (problem.isEmpty()) prepare();
}

}  // namespace dachlast::gui
