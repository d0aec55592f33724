#include "app/gui/recommend_controller.h"

#include <QTimer>
#include <algorithm>

#include "app/gui/plan_controller.h"
#include "app/gui/said_error.h"
#include "core/base/error.h"
#include "core/workbench/speed_curves.h"
#include "ui/paint/figure_painter.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

using ui::to_qt;
using viewmodel::CurveOver;
using viewmodel::SpeedCurves;

constexpr double kMsPerSecond = 1e3;
constexpr int kRestMs = 200;  // a dragged slider, a number being typed

RecommendRequest request_of(const ui::ScenarioFields& scenario, const ui::RecommendFields& fields) {
  RecommendRequest request;
  request.model = scenario.model.toStdString();
  request.engine = scenario.engine.toStdString();
  request.context_tokens = scenario.context_tokens;
  request.concurrency = fields.concurrency;
  if (fields.ttft_ms > 0.0) request.ttft_limit_s = fields.ttft_ms / kMsPerSecond;
  if (fields.tpot_ms > 0.0) request.tpot_limit_s = fields.tpot_ms / kMsPerSecond;
  request.max_devices = fields.max_devices;
  for (const QString& device : fields.devices) request.devices.push_back(device.toStdString());
  request.prices = fields.prices.toStdString();
  if (scenario.memory_percent > 0) request.limits.memory_fraction = scenario.memory_percent / 100.0;
  return request;
}

/// Whether two questions have one answer.
bool same(const RecommendRequest& a, const RecommendRequest& b) {
  const auto key = [](const RecommendRequest& r) {
    return std::tie(r.model, r.engine, r.context_tokens, r.concurrency, r.ttft_limit_s, r.tpot_limit_s, r.max_devices,
                    r.devices, r.prices, r.limits.memory_fraction);
  };
  return key(a) == key(b);
}

QStringList remarks_of(const RecommendPage& page) {
  QStringList lines;
  for (const Remark& remark : page.warnings) lines << RecommendController::tr("Warning: %1").arg(ui::said(remark.text));
  for (const Remark& remark : page.assumptions)
    lines << RecommendController::tr("Assumed: %1").arg(ui::said(remark.text));
  return lines;
}

ui::RecommendContent content_of(const RecommendPage& page) {
  ui::RecommendContent content;
  content.answer = ui::said(page.view.answer);
  content.options = viewmodel::options_with_reasons(page.view);
  for (const Option& option : page.found.options)
    content.option_candidates.push_back(static_cast<int>(option.candidate));
  content.rejections = page.view.rejected;
  content.rejected = ui::said(page.view.rejected_summary);
  content.remarks = remarks_of(page);
  content.pareto = page.view.pareto;
  content.candidates = viewmodel::candidates_table(page.question, page.found);
  return content;
}

/// Curves of a scenario, or why there are none in their place.
std::pair<SpeedCurves, SpeedCurves> curves_of(const ui::ScenarioFields& fields) {
  try {
    const Scenario scenario = find_scenario(scenario_request(fields));
    const ScenarioPlan plan =
        plan_scenario(scenario, std::min(fields.context_tokens, scenario.model().max_context), fields.batch_size);
    return {speed_curves_of(plan, CurveOver::kBatch), speed_curves_of(plan, CurveOver::kContext)};
  } catch (const Error& error) {
    SpeedCurves none;
    none.reason = error.what();
    return {none, none};
  }
}

}  // namespace

RecommendController::RecommendController(ui::ScenarioForm& form, ui::RecommendView& view, QObject* parent)
    : QObject(parent), form_(form), view_(view), rest_(new QTimer(this)) {
  pool_.setMaxThreadCount(1);
  rest_->setSingleShot(true);
  rest_->setInterval(kRestMs);
  connect(rest_, &QTimer::timeout, this, &RecommendController::ask);
  connect(&view_, &ui::RecommendView::changed, this, &RecommendController::schedule);
  connect(&view_, &ui::RecommendView::shown, this, &RecommendController::schedule);
  connect(&view_, &ui::RecommendView::cancelRequested, this, &RecommendController::cancel);
  connect(&view_, &ui::RecommendView::adoptRequested, this, &RecommendController::adopt);
}

RecommendController::~RecommendController() {
  stop_.request_stop();
  pool_.clear();
  pool_.waitForDone();
}

void RecommendController::schedule() {
  if (view_.isVisible()) rest_->start();
}

void RecommendController::ask() {
  const ui::ScenarioFields scenario = form_.fields();
  if (scenario.model.trimmed().isEmpty()) return view_.showEmpty();
  const RecommendRequest request = request_of(scenario, view_.fields());
  if (!(curves_of_ == scenario)) showCurves(scenario);
  if ((page_ || searching_) && same(request, asked_)) return;
  search(request);
}

void RecommendController::search(const RecommendRequest& request) {
  stop_.request_stop();
  stop_ = {};
  asked_ = request;
  asked_.stop = stop_.get_token();
  const int generation = ++generation_;
  searching_ = true;
  view_.setState(ui::RecommendView::State::kSearching);
  pool_.start([this, generation, question = asked_] {
    PagePtr page;
    QString problem;
    try {
      page = std::make_shared<const RecommendPage>(recommend_page(question));
    } catch (const Error& error) {
      problem = said_error(error);
    }
    QMetaObject::invokeMethod(
        this,
        [this, generation, page, problem] {
          if (generation == generation_) settle(page, problem);
        },
        Qt::QueuedConnection);
  });
}

void RecommendController::cancel() {
  if (!searching_) return;
  stop_.request_stop();
  ++generation_;
  settle(nullptr, tr("The search was cancelled. Change a field to search again."));
}

void RecommendController::settle(const PagePtr& page, const QString& problem) {
  searching_ = false;
  page_ = page;
  view_.setState(ui::RecommendView::State::kIdle);
  page ? view_.setContent(content_of(*page)) : view_.showProblem(problem);
  Q_EMIT settled();
}

void RecommendController::showCurves(const ui::ScenarioFields& fields) {
  curves_of_ = fields;
  const int generation = ++curve_generation_;
  pool_.start([this, generation, fields] {
    if (generation != curve_generation_) return;  // a newer one waits behind it
    const auto curves = curves_of(fields);
    QMetaObject::invokeMethod(
        this,
        [this, generation, curves] {
          if (generation == curve_generation_) view_.setCurves(curves.first, curves.second);
        },
        Qt::QueuedConnection);
  });
}

void RecommendController::adopt(int candidate) {
  if (!page_ || candidate < 0 || candidate >= static_cast<int>(page_->found.candidates.size())) return;
  const Deployment& deployment = page_->found.candidates[static_cast<std::size_t>(candidate)].deployment;
  const ScenarioRequest scenario = scenario_of(asked_, *page_, deployment);
  ui::ScenarioFields fields = form_.fields();
  fields.device = to_qt(scenario.device);
  fields.weights = to_qt(scenario.weights);
  fields.cache = to_qt(scenario.cache);
  fields.tensor_parallel = scenario.layout.tensor_parallel;
  fields.pipeline_parallel = scenario.layout.pipeline_parallel;
  fields.attention_data_parallel = scenario.layout.attention_data_parallel;
  fields.experts = scenario.layout.experts == ExpertPlacement::kWhole ? ui::ScenarioFields::Experts::kWhole
                                                                      : ui::ScenarioFields::Experts::kSliced;
  // The copy with most requests decides what a client sees.
  fields.batch_size = (asked_.concurrency + deployment.replicas - 1) / deployment.replicas;
  form_.setFields(fields);
  Q_EMIT form_.changed(fields);
}

}  // namespace dachlast::gui
