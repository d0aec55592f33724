#include "app/gui/plan_controller.h"

#include <memory>

#include "app/gui/said_error.h"
#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
#include "core/model/storage_format.h"
#include "core/planner/engine_profile.h"
#include "core/workbench/plan_page.h"
#include "ui/paint/figure_painter.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

using ui::ScenarioFields;
using ui::to_qt;

constexpr int kHeatmapColumns = 64;
constexpr int kHeatmapRows = 64;

/// All but context and batch: what a scenario is found by.
ScenarioFields without_sizes(ScenarioFields fields) {
  fields.context_tokens = 1;
  fields.batch_size = 1;
  return fields;
}

QString sentence_of(const Error& error) {
  return said_error(error);
}

QStringList remarks_of(const Scenario& scenario) {
  QStringList lines;
  for (const Remark& remark : scenario.warnings) lines << PlanController::tr("Warning: %1").arg(ui::said(remark.text));
  QStringList assumed;
  for (const Remark& remark : scenario.assumptions) assumed << ui::said(remark.text);
  if (!assumed.isEmpty()) lines << PlanController::tr("Assumed: %1").arg(assumed.join(u' '));
  return lines;
}

}  // namespace

ScenarioRequest scenario_request(const ScenarioFields& fields) {
  ScenarioRequest request;
  request.model = fields.model.toStdString();
  request.device = fields.device.toStdString();
  request.engine = fields.engine.toStdString();
  request.weights = fields.weights.toStdString();
  request.cache = fields.cache.toStdString();
  request.layout.tensor_parallel = fields.tensor_parallel;
  request.layout.pipeline_parallel = fields.pipeline_parallel;
  if (fields.memory_percent > 0) request.limits.memory_fraction = fields.memory_percent / 100.0;
  return request;
}

ui::ScenarioChoices scenario_choices() {
  ui::ScenarioChoices choices;
  for (const PresetInfo& preset : list_presets()) choices.models << to_qt(preset.name);
  for (const DeviceSpec& device : list_devices()) choices.devices << to_qt(device.id);
  for (const std::string& engine : list_engines()) choices.engines << to_qt(engine);
  for (const char* name : {"bf16", "f16", "fp8", "int8", "awq", "gptq", "mxfp4", "nvfp4"})
    choices.weights << QString::fromLatin1(name);
  for (const std::string& name : cache_format_names()) choices.caches << to_qt(name);
  return choices;
}

PlanController::PlanController(ui::ScenarioForm& form, ui::PlanView& view, QObject* parent)
    : QObject(parent), form_(form), view_(view) {
  pool_.setMaxThreadCount(1);
  connect(&view_, &ui::PlanView::picked, this, &PlanController::adopt);
}

PlanController::~PlanController() {
  pool_.clear();
  pool_.waitForDone();
}

const Scenario& PlanController::scenarioOf(const ScenarioFields& fields) {
  const ScenarioFields wanted = without_sizes(fields);
  if (!scenario_ || wanted != found_fields_) {
    scenario_ = find_scenario(scenario_request(fields));
    found_fields_ = wanted;
  }
  return *scenario_;
}

void PlanController::plan(const ScenarioFields& fields) {
  if (fields.model.trimmed().isEmpty()) return view_.showEmpty();
  try {
    const bool same = scenario_ && without_sizes(fields) == found_fields_;
    const Scenario& scenario = scenarioOf(fields);
    form_.setContextLimit(scenario.model().max_context);
    show(plan_scenario(scenario, std::min(fields.context_tokens, scenario.model().max_context), fields.batch_size));
    if (!same) startHeatmap(scenario);
  } catch (const Error& error) {
    scenario_.reset();
    view_.showError(sentence_of(error));
  }
}

void PlanController::show(const ScenarioPlan& plan) {
  const ScenarioView words = scenario_view(plan);
  ui::PlanContent content;
  content.answer = ui::said(words.answer);
  content.subject = ui::said(words.subject);
  for (const std::string& line : words.lines) content.lines << ui::said(line);
  content.remarks = remarks_of(plan.scenario);
  content.bar = memory_bar_of(plan);
  content.contexts = context_chart_of(plan);
  content.memory = words.memory;
  view_.setContent(content);
  Q_EMIT planned(ui::said(content.bar.title));
}

void PlanController::startHeatmap(const Scenario& scenario) {
  const int generation = ++generation_;
  view_.setHeatmapStale();
  pool_.clear();
  pool_.start([this, scenario, generation] {
    auto sweep = std::make_shared<const ScenarioSweep>(heatmap_sweep(scenario, kHeatmapColumns, kHeatmapRows));
    QMetaObject::invokeMethod(
        this,
        [this, sweep, generation] {
          if (generation != generation_) return;  // a newer one is on its way
          view_.setHeatmap([sweep](figure::Size size) { return sweep_figure(*sweep, size); });
        },
        Qt::QueuedConnection);
  });
}

void PlanController::adopt(int context_tokens, int batch_size) {
  ScenarioFields fields = form_.fields();
  if (context_tokens > 0) fields.context_tokens = context_tokens;
  if (batch_size > 0) fields.batch_size = batch_size;
  form_.setFields(fields);
  Q_EMIT form_.changed(fields);
}

}  // namespace dachlast::gui
