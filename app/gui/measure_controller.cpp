#include "app/gui/measure_controller.h"

#include <QDir>
#include <QTimer>

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
  return request;
}

}  // namespace

/// Passes what the worker tells on to the GUI thread.
class MeasureController::Observer : public JobObserver {
 public:
  explicit Observer(MeasureController& controller) : controller_(controller) {}

  void began(const std::string& what, int index, int count) override {
    QMetaObject::invokeMethod(
        &controller_,
        [&controller = controller_, english = what, index, count] {
          const QString doing = ui::said(english);
          controller.view_.showProgress(doing, index, count);
          if (controller.running_) Q_EMIT controller.progressed(doing, index, count);
        },
        Qt::QueuedConnection);
  }
  void point_finished(const Run& run, const MeasuredPoint&) override {
    post([table = viewmodel::phase_table(run)](ui::MeasureView& view) { view.showResults(table); });
  }
  void remarked(const Remark& remark) override {
    post([text = remark.text](ui::MeasureView& view) { view.setAnswer(ui::said(text)); });
  }

 private:
  template <class Show>
  void post(Show show) {
    QMetaObject::invokeMethod(
        &controller_, [&controller = controller_, show = std::move(show)] { show(controller.view_); },
        Qt::QueuedConnection);
  }
  MeasureController& controller_;
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

MeasureController::~MeasureController() {
  cancel();
}

void MeasureController::cancel() {
  worker_.request_stop();
}

void MeasureController::repeat() {
  if (!running_) measure(view_.fields());
}

/// One piece of work at a time: a new one waits for the old one to stop.
template <class Work>
void MeasureController::start(Work work) {
  worker_ = std::jthread(std::move(work));
}

void MeasureController::prepare() {
  if (!checked_) view_.setChecks(checks_table(check_host()));
  checked_ = true;
  delay_->start();
}

void MeasureController::preflight() {
  if (running_) return;
  const int generation = ++generation_;
  const MeasureFields fields = view_.fields();
  start([this, fields, generation](const std::stop_token& stop) {
    const auto post = [&](auto show) {
      QMetaObject::invokeMethod(
          this,
          [this, generation, show = std::move(show)] {
            if (generation == generation_ && !running_) show();
          },
          Qt::QueuedConnection);
    };
    try {
      Observer observer(*this);
      const PlanView plan = plan_view(plan_run(request_of(fields), observer, stop));
      post([this, plan] { view_.showPreflight(ui::said(plan.answer), plan.points, plan.memory); });
    } catch (const Error& error) {
      post([this, error] { view_.showProblem(said_error(error)); });
    }
  });
}

void MeasureController::measure(const MeasureFields& fields) {
  if (running_) return;
  running_ = true;
  view_.setState(ui::MeasureView::State::kRunning);
  start([this, fields](const std::stop_token& stop) {
    QString file;
    QString problem;
    try {
      Observer observer(*this);
      const RunPlan plan = plan_run(request_of(fields), observer, stop);
      QDir().mkpath(run_folder_);
      const std::filesystem::path path =
          std::filesystem::path(run_folder_.toStdString()) / default_run_file(plan).filename();
      file = to_qt(path.string());
      execute_run(plan, {.file = path}, observer, stop);
    } catch (const Error& error) {
      problem = said_error(error);
    }
    QMetaObject::invokeMethod(
        this, [this, file, problem] { settle(file, problem); }, Qt::QueuedConnection);
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
